// How a device carries out the server's orders, and what it reports.

import { expect } from "chai";
import { cmsSection } from "../../../../firmware/apps/cms/core/settings.js";
import { ledSection } from "../../../../firmware/apps/led/core/settings.js";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Booted } from "../../../../firmware/core/event.js";
import { readJson } from "../../../../firmware/core/json.js";
import { RESTART_PAUSE_MS, readOrders } from "../../../../firmware/core/server/orders.js";
import type { CheckRequest, Order } from "../../../../firmware/core/wire.js";
import { answerEvents, BOOTED, IMAGE } from "../events.js";
import { Device } from "../local-device.js";
import { jws } from "../releases.js";

const SERVER = BOOTED.build.server;
const LED = ledSection({ chip: "esp32", statusPin: 2 });
const OFFER = {
  update_available: true,
  firmware_id: 7,
  version: "1.1.0",
  download_url: "/api/ota/download/7",
  release: jws(),
};

/** A device in its home network, and the server's side of its checks. */
class Ordered extends Device {
  asked: Effect[] = [];

  static boot(facts: Partial<Booted> = {}, stored: Record<string, string> = {}): Ordered {
    const device = new Ordered({
      ...BOOTED,
      canIdentify: true,
      ...facts,
      stored: { layout: "1", networks: '[["home","secret password"]]', ...stored },
    });
    device.join();
    return device;
  }

  /** The next check by its timer, as the server reads it. */
  ask(at = 0): CheckRequest {
    this.on({ type: "timerFired", timer: "check" }, at);
    const request = this.effects.find((effect) => effect.type === "startRequest");
    expect(request?.request.url).equal(`${SERVER}/api/ota/check`);
    return JSON.parse(request?.request.body ?? "");
  }

  answer(body: object, at = 0, status = 200): this {
    const whole = { time: 1, update_available: false, ...body };
    for (const event of answerEvents(this.state.update.attempt, whole, status)) this.on(event, at);
    return this;
  }

  /** Checks, and receives these orders. */
  order(orders: unknown, at = 0): this {
    this.ask(at);
    return this.answer({ orders }, at);
  }

  /** What the next check reports. */
  told(): CheckRequest["order_results"] {
    return this.ask().order_results;
  }

  stored(key: string): string | undefined {
    const found = this.effects.find((effect) => effect.type === "store" && effect.key === key);
    return found?.type === "store" ? found.value : undefined;
  }

  /** When the next check comes, ms; the timer that was set last counts. */
  get nextCheckMs(): number | undefined {
    const set = this.effects
      .filter((effect) => effect.type === "setTimer" && effect.timer === "check")
      .at(-1);
    return set?.type === "setTimer" ? set.delayMs : undefined;
  }
}

const restart = (id: number): Order => ({ id, kind: "restart" });
const settings = (values: Record<string, string | number>, id = 3): Order[] => [
  { id, kind: "settings", settings: values },
];
const refusal = (device: Ordered) => device.told()?.[0]?.reason;

describe("an order", () => {
  it("is acknowledged with a check soon afterwards, and again until one is answered", () => {
    const device = Ordered.boot().order([{ id: 3, kind: "identify" }]);
    expect(device.nextCheckMs).equal(10_000);
    const done = [{ id: 3, result: "done" }];
    expect(device.told()).deep.equal(done);
    device.on({ type: "requestFailed", attempt: device.state.update.attempt, message: "gone" });
    expect(device.told(), "the acknowledgement was lost").deep.equal(done);
    device.answer({}, 0, 503);
    expect(device.told(), "the server had trouble").deep.equal(done);
    device.answer({});
    expect(device.nextCheckMs).equal(120_000);
    expect(device.ask()).not.to.have.property("order_results");
  });

  it("whose acknowledgement the server refuses never stands between a device and its updates", () => {
    for (const [status, isKept] of [
      [400, false],
      [401, false],
      [413, false],
      [429, true],
      [500, true],
    ] as const) {
      const device = Ordered.boot().order([{ id: 3, kind: "identify" }]);
      device.ask();
      device.answer({}, 0, status);
      expect("order_results" in device.ask(), `${status}`).equal(isKept);
    }
  });

  it("of an unknown kind is refused, and nothing else with it", () => {
    const device = Ordered.boot().order([
      { id: 3, kind: "dance" },
      { id: 4, kind: "identify" },
    ]);
    expect(device.told()).deep.equal([
      { id: 3, result: "refused", reason: 'this firmware does not support order "dance"' },
      { id: 4, result: "done" },
    ]);
  });

  it("that could not be acknowledged is ignored, and the answer is read all the same", () => {
    const bad = [null, 3, "restart", {}, { id: 0, kind: "restart" }, { id: 1.5, kind: "restart" }];
    for (const orders of ["restart", 7, null, {}, bad, [{ id: 2 ** 60, kind: "restart" }], [{ id: 3 }]]) {
      const device = Ordered.boot().order(orders);
      expect(device.done, JSON.stringify(orders)).deep.equal([]);
      expect(device.nextCheckMs, "the check counts").equal(120_000);
      expect(device.ask()).not.to.have.property("order_results");
    }
    for (const one of [
      { id: 1, kind: "x".repeat(33) },
      { id: 1, kind: "settings", settings: 7 },
      { id: 1, kind: "settings", settings: [] },
    ])
      expect(readOrders(readJson(JSON.stringify([one])))).deep.equal([]);
  });

  it("after the fourth is left for the next answer", () => {
    const device = Ordered.boot().order([3, 4, 5, 6, 7].map((id) => ({ id, kind: "identify" })));
    expect(device.told()?.map(({ id }) => id)).deep.equal([3, 4, 5, 6]);
  });

  it("is reported to the server that gave it and to no other", () => {
    const device = Ordered.boot().order([{ id: 3, kind: "identify" }]);
    device.on({ type: "serverChosen", server: "http://other.test", checkSeconds: 60, hasOwnPace: false });
    expect(device.state.update.orderResults).deep.equal([]);
  });
});

describe("an order to identify", () => {
  it("shows which device it is, in addition to what it shows otherwise", () => {
    const device = Ordered.boot();
    const before = device.state.status;
    device.order([{ id: 3, kind: "identify" }]);
    expect(device.effects).deep.include({ type: "showStatus", status: { name: "identify", percent: 0 } });
    expect(device.state.status).equal(before);
  });

  it("is refused by an app that cannot show it", () => {
    const device = Ordered.boot({ canIdentify: false }).order([{ id: 3, kind: "identify" }]);
    expect(device.effects.filter(({ type }) => type === "showStatus")).deep.equal([]);
    expect(refusal(device)).equal("this device has no light and no panel to show it with");
  });
});

describe("an order to restart", () => {
  const KEY = "order.restart";
  const fresh = { resetReason: "software", restartNote: "order" };

  it("is stored before it is carried out, and reported as done when it arrives again", () => {
    const device = Ordered.boot().order([restart(5)]);
    expect(device.done).deep.equal([`store ${KEY}`, "restart"]);
    expect(device.stored(KEY)).equal(`${SERVER} 5`);
    expect(device.effects).deep.include({ type: "restart", reason: "order" });
    const again = Ordered.boot(fresh, { [KEY]: `${SERVER} 5` }).order([restart(5)]);
    expect(again.done).deep.equal([]);
    expect(again.told()).deep.equal([{ id: 5, result: "done" }]);
  });

  it("counts as done too where power was lost between the two", () => {
    const again = Ordered.boot({ resetReason: "power-on" }, { [KEY]: `${SERVER} 5` }).order([restart(5)]);
    expect(again.done).deep.equal([]);
    expect(again.told()).deep.equal([{ id: 5, result: "done" }]);
  });

  // The kind: a mark that only rises, and that the outside can push to its end. The given input is one order with id 2^53-1.
  it("is carried out after any other, whatever the id of that was, also over restarts", () => {
    const ids = [Number.MAX_SAFE_INTEGER, 7, 1_795_000_000, 6, Number.MAX_SAFE_INTEGER - 1, 1, 2, 1];
    let stored: Record<string, string> = {};
    for (const id of ids) {
      const device = Ordered.boot({}, stored).order([restart(id)]);
      expect(device.done, `${id}`).deep.equal([`store ${KEY}`, "restart"]);
      stored = { [KEY]: device.stored(KEY) ?? "" };
      const again = Ordered.boot(fresh, stored).order([restart(id)]);
      expect(again.done, `${id} again`).deep.equal([]);
      expect(again.told()).deep.equal([{ id, result: "done" }]);
    }
  });

  it("is not known by its id where another server gives it", () => {
    const moved = Ordered.boot({}, { [KEY]: "http://other.test 5" }).order([restart(5)]);
    expect(moved.done).deep.equal([`store ${KEY}`, "restart"]);
  });

  it("has an id that is whole, exact and above 0, or is no order", () => {
    for (const id of [0, -1, 1.5, 2 ** 53, 1e300, "5", null])
      expect(Ordered.boot().order([{ id, kind: "restart" } as never]).done, `${id}`).deep.equal([]);
  });

  it("right after another one waits until the device has run for five minutes, and is not reported meanwhile", () => {
    const device = Ordered.boot(fresh, { [KEY]: `${SERVER} 5` });
    device.order([restart(6)], RESTART_PAUSE_MS - 1);
    expect(device.done).deep.equal([]);
    expect(device.nextCheckMs).equal(120_000);
    expect(device.ask(RESTART_PAUSE_MS - 1)).not.to.have.property("order_results");
    device.answer({ orders: [restart(6)] }, RESTART_PAUSE_MS);
    expect(device.done).deep.equal([`store ${KEY}`, "restart"]);
  });

  it("happens at most once in five minutes, however many orders there are", () => {
    let stored: Record<string, string> = {};
    let facts: Partial<Booted> = {};
    let restarts = 0;
    for (let id = 1, at = 0; id < 400; id++, at += 10_000) {
      const device = Ordered.boot(facts, stored);
      // as long as this boot lasts, each answer brings another
      for (let uptime = 0; !device.done.includes("restart"); uptime += 10_000) {
        expect(uptime, "ends").most(RESTART_PAUSE_MS);
        if (restarts > 0 && uptime < RESTART_PAUSE_MS) {
          expect(device.order([restart(id++)], uptime).done).deep.equal([]);
          at += 10_000;
        } else device.order([restart(id++)], uptime);
      }
      restarts++;
      expect(restarts, "restarts").most(1 + Math.floor(at / RESTART_PAUSE_MS));
      stored = { [KEY]: device.stored(KEY) ?? "" };
      facts = fresh;
    }
    expect(restarts).above(5);
  });

  it("waits for an update that the same answer offers, and for a trial to end", () => {
    const device = Ordered.boot();
    device.ask();
    device.answer({ ...OFFER, orders: [restart(5)] });
    expect(device.state.update.phase).equal("verifying");
    expect(device.done).not.include("restart");
    device.on({ type: "signatureVerified", attempt: device.state.update.attempt, good: false });
    device.order([restart(5)]);
    expect(device.done, "the update has ended").include("restart");

    const trial = Ordered.boot({ image: { ...IMAGE, slotState: "pending_verify" } }).order([restart(5)]);
    expect(trial.done).deep.equal([]);
    expect(trial.ask()).not.to.have.property("order_results");
  });

  it("to identify that comes with an update is reported with the check after it", () => {
    const device = Ordered.boot();
    device.ask();
    device.answer({ ...OFFER, orders: [{ id: 6, kind: "identify" }] });
    expect(device.nextCheckMs).equal(undefined);
    device.on({ type: "signatureVerified", attempt: device.state.update.attempt, good: false });
    expect(device.told()).deep.equal([{ id: 6, result: "done" }]);
  });

  it("waits until what came with it is reported", () => {
    const both = [{ id: 4, kind: "identify" }, restart(5)];
    const device = Ordered.boot().order(both);
    expect(device.done).deep.equal([]);
    expect(device.told()).deep.equal([{ id: 4, result: "done" }]);
    device.answer({ orders: [restart(5)] });
    expect(device.done).deep.equal([`store ${KEY}`, "restart"]);
  });

  it("of two is carried out for the older, whatever else the server sends", () => {
    expect(
      Ordered.boot()
        .order([restart(5), restart(6)])
        .stored(KEY),
    ).equal(`${SERVER} 5`);
  });

  it("is not prevented by a record that cannot be read", () => {
    for (const text of ["", "x", `${SERVER}`, `${SERVER} x`, `${SERVER} 5 6`, `${SERVER} -1`])
      expect(Ordered.boot({}, { [KEY]: text }).order([restart(5)]).done, text).include("restart");
  });
});

describe("settings that the server pushes", () => {
  it("change what the owner's page changes, immediately", () => {
    const device = Ordered.boot().order(settings({ checkSeconds: 300, deviceName: "Kitchen light" }));
    expect(device.done).deep.equal(["store check.seconds", "store device.name"]);
    expect(device.get("/api/settings")).include({ checkSeconds: 300, deviceName: "Kitchen light" });
    expect(device.state.update.checkSeconds).equal(300);
    expect(device.told()).deep.equal([{ id: 3, result: "done" }]);
  });

  it("reach the app, which validates them like its owner's", () => {
    const device = Ordered.boot({ section: LED }).order(settings({ pattern: "rainbow", brightness: 40 }));
    expect(JSON.parse(device.stored("led") ?? "")).include({ pattern: "rainbow", brightness: 40, count: 1 });
    device.ask();
    device.answer({ orders: settings({ pattern: "rainbow" }, 4) });
    expect(device.done, "what is there already is not written again").deep.equal([]);
    expect(refusal(Ordered.boot({ section: LED }).order(settings({ brightness: 101 })))).equal(
      "Brightness: 101 is not a whole number from 1 to 100.",
    );
    const cms = cmsSection(900);
    expect(
      Ordered.boot({ section: cms })
        .order(settings({ sleepSeconds: 900 }))
        .stored("cms"),
    ).match(/900/);
  });

  it("never cut a device off or take it over, whatever other fields they have", () => {
    for (const [name, value] of Object.entries({
      server: "http://evil.test",
      acceptUnsigned: 1,
      token: "taken-over",
      networks: "[]",
      ssid: "evil",
      password: "",
      pin: 4,
    })) {
      const device = Ordered.boot({ section: LED }).order(settings({ checkSeconds: 300, [name]: value }));
      expect(device.done, name).deep.equal([]);
      expect(refusal(device), name).equal(`${name} can only be changed on the device's own page.`);
    }
  });

  it("are changed all or nothing", () => {
    for (const values of [
      { checkSeconds: 300, brightness: 101 },
      { checkSeconds: 5, brightness: 40 },
      { brightness: 40, colours: 3 },
      { brightness: 40, "push.token": "taken-over" },
      { brightness: 40, __proto__x: 1, constructor: "x" },
    ]) {
      const device = Ordered.boot({ section: LED }).order(settings(values as Record<string, number>));
      expect(device.done, JSON.stringify(values)).deep.equal([]);
      expect(device.told()?.[0]?.result).equal("refused");
    }
  });

  it("that are empty, too many, or unknown are refused with the reason", () => {
    const many = Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`s${n}`, n]));
    expect(refusal(Ordered.boot().order(settings({})))).equal("It names no setting.");
    expect(refusal(Ordered.boot().order([{ id: 3, kind: "settings" }]))).equal("It names no setting.");
    expect(refusal(Ordered.boot().order(settings(many)))).equal("It names 17 settings; 16 are allowed.");
    expect(refusal(Ordered.boot().order(settings({ pattern: "solid" })))).equal(
      'There is no setting "pattern".',
    );
    expect(refusal(Ordered.boot().order(settings({ deviceName: "x".repeat(2000) })))).match(/at most 40/);
    const long = Ordered.boot({ section: LED })
      .order(settings({ ["x".repeat(900)]: 1 }))
      .told()?.[0]?.reason;
    expect(long?.length).within(1, 200);
  });
});
