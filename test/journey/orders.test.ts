// Orders from a server to a virtual device and back: carried out, reported, and reported again after a lost answer or power cut.

import { expect } from "chai";
import { PowerCut } from "../../host-sim/hardware/flash/flash.js";
import type { Light } from "../../host-sim/hardware/gpio.js";
import { contentOf } from "../../server/content/content.js";
import { imageOf, type Lie, type Rig, type RigOptions, readJson, setUpRig } from "./rig.js";

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Below it are NVS and otadata. */
const SLOTS_OFFSET = 0x10000;
/** Pin of the status LED of the led app on an ESP32, as in its manifest. */
const STATUS_PIN = 2;

interface OrderView {
  readonly id: number;
  readonly kind: string;
  readonly state: string;
  readonly reason: string | null;
  readonly sent_at: string | null;
}

interface Told {
  readonly orders: readonly string[];
  readonly fields: readonly { readonly name: string }[];
  readonly values: Readonly<Record<string, unknown>>;
  readonly told_at: string;
}

/** A device at home that has used its token, and whose server has nothing newer. */
class House {
  rig!: Rig;
  seen: { readonly atMs: number; readonly light: Light }[] = [];
  lie: Lie | undefined;

  /** @param checkCount of two checks the second shows the token */
  async open(app: string, config: object = {}, options: RigOptions = {}, checkCount = 2): Promise<this> {
    const image = await imageOf(app, "1.0.0", "esp32", { type: app, ...config });
    this.rig = await setUpRig({
      image,
      update: image,
      lie: (request, honest) => (this.lie ? this.lie(request, honest) : honest()),
      onLight: (light) => this.seen.push({ atMs: this.rig.desk.world.nowMs, light }),
      ...options,
    });
    this.rig.desk.device.powerOn();
    await this.checks(checkCount);
    return this;
  }

  /** What the device tells of itself is lost: the server orders what it could know to be refused. */
  untold(): this {
    this.lie = async (request, honest) =>
      request.path === "/api/ota/abilities"
        ? { status: 404, headers: { "content-type": "application/json" }, body: new Uint8Array() }
        : honest();
    return this;
  }

  until = async (done: () => boolean, limitMs = HOUR_MS) =>
    expect(await this.rig.desk.world.runUntil(done, { limitMs })).equal(true);
  run = (ms: number) => this.rig.desk.world.runFor(ms);
  async checks(count: number): Promise<void> {
    const wanted = this.rig.checks.length + count;
    await this.until(() => this.rig.checks.length >= wanted);
    await this.run(SECOND_MS);
  }

  get path(): string {
    const [check] = this.rig.checks as unknown as { readonly device_id: string }[];
    return `/api/devices/${check?.device_id}`;
  }
  async give(kind: string, settings?: object): Promise<number> {
    const body = { kind, ...(settings ? { settings } : {}) };
    return (await this.rig.server.admin("POST", `${this.path}/orders`, body)).id as number;
  }
  /** Newest first. */
  async orders(): Promise<readonly OrderView[]> {
    return (await this.rig.server.admin("GET", `${this.path}/orders`)).orders as OrderView[];
  }
  last = async () => (await this.orders())[0];
  /** Until none is pending. @returns how long it took, ms */
  async settle(limitMs = HOUR_MS): Promise<number> {
    const begunMs = this.rig.desk.world.nowMs;
    while ((await this.orders()).some(({ state }) => state === "pending")) {
      expect(this.rig.desk.world.nowMs - begunMs).below(limitMs);
      await this.run(SECOND_MS);
    }
    return this.rig.desk.world.nowMs - begunMs;
  }
  /** Restarts that the firmware asked for. */
  get restarts(): number {
    return this.rig.events.filter((event) => event.type === "restarted" && event.cause === "restart").length;
  }
  reasons = () => (this.rig.checks as { readonly reset_reason?: string }[]).map((one) => one.reset_reason);
}

describe("orders between a server and a device", function () {
  this.timeout(300_000);
  let house: House;
  afterEach(() => house.rig.close());

  it("restart it once, and the next boot has the reason", async () => {
    house = await new House().open("base");
    await house.give("restart");
    expect(await house.settle()).within(0, 4 * MINUTE_MS);
    expect(house.restarts).equal(1);
    expect(house.reasons().at(-1)).equal("software (order)");
    await house.run(HOUR_MS);
    expect(house.restarts).equal(1);
    await house.give("restart");
    await house.settle();
    expect(house.restarts, "another order").equal(2);
  });

  for (const [what, lose] of [
    ["an answer", (isHeard: boolean) => isHeard],
    ["a check", (isHeard: boolean) => !isHeard],
  ] as const) {
    it(`take effect once even if ${what} is lost, whichever it is`, async () => {
      for (let lost = 0; lost < 4; lost++) {
        house = await new House().open("base");
        await house.give("restart");
        let count = 0;
        house.lie = async (request, honest) => {
          if (request.path !== "/api/ota/check" || count++ !== lost) return honest();
          if (lose(true)) await honest();
          return { status: 503, headers: {}, body: new Uint8Array() };
        };
        await house.settle();
        expect((await house.last())?.state, `lost ${lost}`).equal("done");
        await house.run(20 * MINUTE_MS);
        expect(house.restarts, `lost ${lost}`).equal(1);
        expect(count).above(lost);
        if (lost < 3) await house.rig.close();
      }
    });
  }

  it("restart it at most once wherever the power is cut, and complete in the end", async () => {
    /** Cuts before or after an operation on NVS, counted from the order on. @returns how many there were */
    const journey = async (cutAt: number, when: "before" | "after"): Promise<number> => {
      house = await new House().open(
        "base",
        {},
        {
          onEvent: ({ type }) => {
            if (type === "powerCut")
              house.rig.desk.world.schedule(1_500, () => house.rig.desk.device.powerOn());
          },
        },
      );
      await house.give("restart");
      const { flash } = house.rig.desk.device;
      let operation = 0;
      flash.onOperation = ({ offset }, at) => {
        if (at !== when || offset >= SLOTS_OFFSET || operation++ !== cutAt) return;
        flash.cutPower();
        throw new PowerCut(`operation ${cutAt}`);
      };
      await house.settle();
      flash.onOperation = undefined;
      expect((await house.last())?.state).equal("done");
      await house.run(20 * MINUTE_MS);
      return operation;
    };
    const count = await journey(-1, "before");
    expect(count).within(5, 60);
    expect(house.restarts).equal(1);
    let withoutRestart = 0;
    for (const when of ["before", "after"] as const) {
      for (let cutAt = 0; cutAt < count; cutAt++) {
        await house.rig.close();
        await journey(cutAt, when);
        const where = `cut ${when} operation ${cutAt}`;
        expect(house.rig.events.filter(({ type }) => type === "powerCut").length, where).equal(1);
        expect(house.restarts, where).most(1);
        if (house.restarts === 0) withoutRestart++;
      }
    }
    expect(withoutRestart, "cuts between remembering and restarting").above(0);
  });

  it("never restart it more than once in five minutes, however many a faulty server sends", async () => {
    house = await new House().open("base");
    let id = 0;
    house.lie = async (request, honest) => {
      const answer = await honest();
      if (request.path !== "/api/ota/check") return answer;
      const body = { ...readJson(answer.body!), orders: [{ id: ++id, kind: "restart" }], poll_seconds: 1 };
      return { ...answer, body: new TextEncoder().encode(JSON.stringify(body)) };
    };
    await house.run(HOUR_MS);
    expect(id, "orders").above(60);
    expect(house.restarts).within(8, 12);
  });

  it("make it blink, and then show what it showed before", async () => {
    house = await new House().open("led");
    await house.give("identify");
    const changes = () =>
      house.seen.filter(({ light }) => light.type === "pin" && light.pin === STATUS_PIN).length;
    const whites = () =>
      house.seen.filter(
        ({ light }) => light.type === "strip" && new Set(light.pixels).size === 1 && light.pixels[0]! > 0,
      ).length;
    const before = [changes(), whites()];
    await house.settle();
    expect((await house.last())?.state).equal("done");
    await house.run(MINUTE_MS);
    // 30 s of 50 ms on and 50 ms off
    expect(changes() - before[0]!).within(550, 610);
    expect(whites() - before[1]!, "half seconds in white").within(20, 70);
    const shown = house.seen.length;
    await house.run(10 * SECOND_MS);
    const after = house.seen.slice(shown).map(({ light }) => light);
    expect(after.filter(({ type }) => type === "pin")).deep.equal([]);
    expect(after.length, "frames of the pattern").above(100);
    expect(house.restarts).equal(0);
  });

  it("to identify are carried out by a strip alone, without a status LED", async () => {
    house = await new House().open("led", { statusLed: null });
    await house.give("identify");
    await house.settle();
    expect(await house.last()).include({ state: "done" });
  });

  it("to identify are refused by a board without a light", async () => {
    house = await new House().untold().open("base");
    await house.give("identify");
    await house.settle();
    expect(await house.last()).include({
      state: "refused",
      reason: "this device has no light and no panel to show it with",
    });
  });

  it("are those that the device tells: its settings with their present values, which follow every change", async () => {
    house = await new House().open("led");
    const told = async () => (await house.rig.server.admin("GET", house.path)).abilities as Told;
    const { orders, fields, values } = await told();
    expect(orders).include.members(["identify", "restart", "settings"]);
    expect(fields.find(({ name }) => name === "brightness")).include({ least: 1, most: 100 });
    expect(values.brightness).equal(25);
    const { orders: _, fields: __, ...unchanged } = await told();
    await house.checks(3);
    expect((await told()).told_at, "told once").equal(unchanged.told_at);
    await house.give("settings", { brightness: 80 });
    await house.settle();
    await house.run(SECOND_MS);
    expect((await told()).values.brightness).equal(80);
  });

  it("change settings, which persist, and the app applies them at once", async () => {
    house = await new House().untold().open("led");
    await house.give("settings", { pattern: "solid", colour: "#0000ff", brightness: 100, count: 2 });
    await house.give("settings", { checkSeconds: 600, pin: 4 });
    await house.give("settings", { brightness: 0 });
    await house.settle();
    const [wrong, owners, good] = await house.orders();
    expect(good?.state).equal("done");
    expect(owners).include({
      state: "refused",
      reason: "pin can only be changed on the device's own page.",
    });
    expect(wrong?.reason).equal("Brightness: 0 is not a whole number from 1 to 100.");
    const pixels = () =>
      house.seen.flatMap(({ light }) => (light.type === "strip" ? [[...light.pixels]] : [])).at(-1);
    expect(pixels()).deep.equal([0, 0, 254, 0, 0, 254]);
    house.rig.desk.device.powerOff();
    house.rig.desk.device.powerOn();
    await house.run(10 * SECOND_MS);
    expect(pixels()).deep.equal([0, 0, 254, 0, 0, 254]);
  });

  it("wait until the trial of a new image is over", async () => {
    const image = await imageOf("base", "1.0.0", "esp32", { type: "base" });
    const update = await imageOf("base", "1.1.0");
    house = await new House().open("base", {}, { image, update }, 1);
    await house.until(() => house.rig.reports.some(({ step }) => step === "armed"));
    await house.give("restart");
    const onTrial = () => house.rig.checks.filter(({ slot_state }) => slot_state === "pending_verify").length;
    await house.until(() => onTrial() > 0);
    await house.run(20 * SECOND_MS);
    expect((await house.last())?.sent_at, "sent during the trial").a("string");
    expect(house.rig.checks.at(-1)?.slot_state).equal("pending_verify");
    const { restarts } = house;
    await house.settle();
    expect(house.restarts).equal(restarts + 1);
    expect(house.rig.running()).equal("1.1.0 ota_0");
    const { updates } = house.rig.server;
    expect((await updates()).map(({ status }) => status)).deep.equal(["success"]);
  });

  it("reach a sleeping panel when it wakes: it identifies itself, and then shows its picture again", async () => {
    const sleep = { seconds: 900, awakeSeconds: 5, firstAwakeSeconds: 60, longestSeconds: 120 };
    house = await new House().open(
      "cms",
      { sleep },
      {
        content: {
          find: async () => contentOf(Buffer.concat([Buffer.from("P4\n200 200\n"), Buffer.alloc(5000)])),
        },
      },
    );
    const sleeps = () =>
      house.rig.events.filter((event) => event.type === "restarted" && event.cause === "deepSleep").length;
    const panels = () => house.seen.flatMap(({ light }) => (light.type === "panel" ? [light.rows] : []));
    const isPicture = (rows: Uint8Array | undefined) => rows?.every((byte) => byte === 0) === true;
    await house.until(() => sleeps() >= 1);
    expect(isPicture(panels().at(-1))).equal(true);
    const before = panels().length;
    await house.give("identify");
    await house.give("restart");
    expect(await house.settle()).within(0, 40 * MINUTE_MS);
    expect((await house.orders()).map(({ state }) => state)).deep.equal(["done", "done"]);
    expect(
      panels()
        .slice(before)
        .filter((rows) => rows.some((byte) => byte !== 0 && byte !== 0xff)).length,
      "a card",
    ).equal(1);
    await house.run(40 * MINUTE_MS);
    expect(isPicture(panels().at(-1)), "the picture again").equal(true);
    expect(sleeps()).above(2);
  });
});
