// A device whose root names a freshness key: what it asks for, when, and what it does without an answer.

import { expect } from "chai";
import { DAY_SECONDS } from "../../../../firmware/core/clock.js";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Event, Raise } from "../../../../firmware/core/event.js";
import { thumbprint } from "../../../../firmware/core/trust/thumbprint.js";
import { initialUpdate, type UpdateState } from "../../../../firmware/core/update/state.js";
import { updateStep } from "../../../../firmware/core/update/update.js";
import { BOOTED, IMAGE, stamped } from "../events.js";
import { HEADER, jws, PAGED } from "../releases.js";
import { BY_TWO, point, ASKING_ROOT as ROOT, rootText } from "../roots.js";
import { STATEMENT, statementText } from "../statements.js";
import { STAGED } from "../update-phases.js";

const TIME = STATEMENT.time;
const DAY_MS = DAY_SECONDS * 1000;
const kid = thumbprint(point(4));
const release = (changes: object = {}) => jws({ ...PAGED, sequence: 100, ...changes }, { ...HEADER, kid });
const OFFER = {
  update_available: true,
  firmware_id: 7,
  version: "1.1.0",
  download_url: "/i",
  release: release(),
};
/** The floor before anything was heard: the day before the image was compiled. */
const BUILT = Date.UTC(2026, 9, 31) / 1000;

class Device {
  state: UpdateState = initialUpdate;
  asked: readonly (Effect | Raise)[] = [];
  /** Since the beginning. */
  readonly effects: (Effect | Raise)[] = [];
  at = 0;
  nonce = "";
  /** What the server says that it is. */
  time = TIME;
  #random = 0;

  constructor({
    root = rootText(ROOT),
    ...changes
  }: Partial<typeof BOOTED> & { readonly root?: string } = {}) {
    const image = { ...IMAGE, compileDate: "Nov  1 2026" };
    this.on({ ...BOOTED, image, ...changes, build: { ...BOOTED.build, root } });
    this.state = { ...this.state, online: true, server: "http://updates.test" };
  }
  on(event: Event): this {
    this.#random = (this.#random + 0.37) % 1;
    [this.state, this.asked] = updateStep(this.state, { ...stamped(event, this.#random), at: this.at });
    this.effects.push(...this.asked);
    for (const effect of this.asked)
      if (effect.type === "startRequest" && effect.request.url.endsWith("/api/ota/freshness"))
        this.nonce = JSON.parse(effect.request.body ?? "{}").nonce;
    return this;
  }
  /** A check, and its answer. */
  checked(more: object = {}): this {
    this.on({ type: "timerFired", timer: "check" });
    const { attempt } = this.state;
    const text = JSON.stringify({ update_available: false, time: this.time, ...more });
    this.on({ type: "responseStarted", attempt, status: 200, headers: {} });
    return this.on({ type: "textCollected", attempt, text });
  }
  /** The answer to what is asked: a statement for this nonce, by the key. */
  stated(changes: object = {}, good = true): this {
    const payload = { ...STATEMENT, nonce: this.nonce, ...changes };
    return this.answered(statementText(payload), good);
  }
  answered(text: string, good = true): this {
    const { attempt } = this.state;
    const headers = { "content-length": `${text.length}` };
    this.on({ type: "responseStarted", attempt, status: 200, headers });
    this.on({ type: "textCollected", attempt, text });
    return this.state.phase === "verifyingStatement"
      ? this.on({ type: "signatureVerified", attempt: this.state.attempt, good })
      : this;
  }
  /** The offer comes, and its release is signed. */
  offered(more: object = {}): this {
    this.checked({ ...OFFER, ...more });
    return this.state.phase === "verifying"
      ? this.on({ type: "signatureVerified", attempt: this.state.attempt, good: true })
      : this;
  }
  get failure(): string | undefined {
    for (const effect of this.asked)
      if (effect.type === "raise" && effect.event.type === "updateFailed") return effect.event.code;
    return undefined;
  }
  get reported() {
    for (const effect of this.asked)
      if (effect.type === "raise" && effect.event.type === "reportMade") return effect.event.report;
    return undefined;
  }
  get stored(): Record<string, string> {
    const stored: Record<string, string> = {};
    for (const effect of this.effects) if (effect.type === "store") stored[effect.key] = effect.value;
    return stored;
  }
  get checksInMs(): number | undefined {
    for (const effect of this.asked)
      if (effect.type === "setTimer" && effect.timer === "check") return effect.delayMs;
    return undefined;
  }
}

describe("a device that asks for statements of freshness", () => {
  it("asks with its first check, with a nonce of its own, and once a day, not with every check", () => {
    const device = new Device().checked();
    expect(device.state.phase).equal("fetchingStatement");
    expect(device.nonce).match(/^[0-9a-f]{32}$/);
    const first = device.nonce;
    device.stated();
    expect(device.state.phase).equal("idle");
    expect(device.checksInMs, "the next check has its time").above(60_000);
    for (device.at = 60_000; device.at < DAY_MS; device.at += 3_600_000)
      expect(device.checked().state.phase, `${device.at}`).equal("idle");
    device.at = 1.1 * DAY_MS;
    expect(device.checked().state.phase).equal("fetchingStatement");
    expect(device.nonce).not.equal(first);
  });

  it("after deep sleep only when a day is over since the last one", () => {
    const woken = (since: number) =>
      new Device({
        resetReason: "deep-sleep",
        stored: { ...BOOTED.stored, "trust.fresh": `${since}`, "clock.floor": `${since}` },
      }).checked().state.phase;
    expect(woken(TIME - 3_600)).equal("idle");
    expect(woken(TIME - DAY_SECONDS)).equal("fetchingStatement");
  });

  it("asks for none where its root names no key for them, and on trial", () => {
    expect(new Device({ root: rootText({ ...ROOT, freshness: [] }) }).checked().state.phase).equal("idle");
    expect(new Device({ root: "" }).checked().state.phase).equal("idle");
    const trial = { ...IMAGE, slot: "ota_0", slotState: "pending_verify" } as const;
    expect(new Device({ image: trial }).checked().state.phase).equal("idle");
  });

  it("installs what is offered after a statement, which suffices until it expires", () => {
    const device = new Device().offered();
    expect(device.state.phase).equal("fetchingStatement");
    expect(device.stated().checksInMs, "the offer comes again").equal(0);
    device.at = 599_999;
    expect(device.offered().state.phase).equal("requesting");
    const later = new Device().offered().stated();
    later.at = 600_000;
    expect(later.offered().state.phase).equal("fetchingStatement");
    const longer = new Device().offered().stated({ expires: TIME + 10 * DAY_SECONDS });
    longer.at = 3_600_000;
    expect(longer.offered().state.phase, "an hour at most").equal("fetchingStatement");
  });

  it("installs nothing without one, says so to the server, and asks again after ten minutes", () => {
    const attempt = (device: Device) => device.state.attempt;
    for (const [fail, code] of [
      [
        (d: Device) => ({ type: "responseStarted", attempt: attempt(d), status: 404, headers: {} }),
        "FRESHNESS_MISSING",
      ],
      [
        (d: Device) => ({
          type: "responseStarted",
          attempt: attempt(d),
          status: 200,
          headers: { "content-length": "1025" },
        }),
        "FRESHNESS_MISSING",
      ],
      [(d: Device) => ({ type: "responseEnded", attempt: attempt(d) }), "FRESHNESS_MISSING"],
      [(d: Device) => ({ type: "requestFailed", attempt: attempt(d), message: "no" }), "FRESHNESS_MISSING"],
      [() => ({ type: "timerFired", timer: "transfer" }), "FRESHNESS_MISSING"],
      [() => ({ type: "offline" }), "FRESHNESS_MISSING"],
      [(d: Device) => ({ type: "textCollected", attempt: attempt(d), text: "{}" }), "FRESHNESS_REFUSED"],
    ] as const) {
      const device = new Device().offered();
      device.on(fail(device) as Event);
      expect(device.state.phase).equal("idle");
      expect(device.failure).equal(code);
      expect(device.reported).include({ firmware_id: 7, status: "failed", error_code: code });
      device.on({ type: "online", address: "192.168.1.2", rssi: -50 });
      device.at = 599_999;
      expect(device.offered().state.phase, "too soon").equal("idle");
      device.at = 600_000;
      expect(device.offered().state.phase).equal("fetchingStatement");
    }
  });

  it("takes no replayed one, none for another device, and none by another key", () => {
    const refused = (text: string | ((device: Device) => string), good = true) => {
      const device = new Device().offered();
      device.answered(typeof text === "string" ? text : text(device), good);
      expect(device.offered().state.phase, "still waits").equal("idle");
      expect(device.state.freshness.statement).equal(undefined);
      return device.effects.some(
        (effect) =>
          effect.type === "raise" &&
          effect.event.type === "updateFailed" &&
          effect.event.code === "FRESHNESS_REFUSED",
      );
    };
    expect(refused(statementText({ ...STATEMENT, nonce: "1".repeat(32) }))).equal(true);
    expect(refused((d) => statementText({ ...STATEMENT, nonce: d.nonce, type: "led" }))).equal(true);
    expect(refused((d) => statementText({ ...STATEMENT, nonce: d.nonce }, 4))).equal(true);
    expect(refused((d) => statementText({ ...STATEMENT, nonce: d.nonce }), false)).equal(true);
    expect(refused((d) => statementText({ ...STATEMENT, nonce: d.nonce, expires: TIME }))).equal(true);
  });

  it("refuses what was withdrawn, and what is older than the newest", () => {
    const code = (statement: object, sequence = 100) => {
      const device = new Device().offered().stated(statement);
      device.offered({ release: release({ sequence }) });
      return device.state.phase === "requesting" ? undefined : device.failure;
    };
    expect(code({ withdrawn: ["b".repeat(16)] })).equal(undefined);
    expect(code({ withdrawn: ["b".repeat(16), "c".repeat(16)] })).equal("RELEASE_WITHDRAWN");
    expect(code({ newest: 100 })).equal(undefined);
    expect(code({ newest: 101 })).equal("SEQUENCE_TOO_OLD");
    expect(code({ newest: 1 }, 0)).equal("RELEASE_MALFORMED");
  });

  it("looks again at what it has refused when the next statement has come", () => {
    const device = new Device().offered().stated({ withdrawn: ["c".repeat(16)] });
    expect(device.offered().failure).equal("RELEASE_WITHDRAWN");
    expect(device.offered().failure, "reported once").equal(undefined);
    device.at = 1.1 * DAY_MS;
    device.checked().stated();
    device.offered().stated();
    expect(device.offered().state.phase).equal("requesting");
  });

  it("asks anew for what is offered after a statement that no offer has waited for: it says nothing of that", () => {
    const device = new Device().checked().stated({ newest: 200 });
    expect(device.offered().state.phase).equal("fetchingStatement");
    device.stated({ newest: 100 });
    expect(device.offered().state.phase).equal("requesting");
  });

  it("gives up what is staged when it was withdrawn, unless a person has sent it", () => {
    const staged = (from: "server" | "push") => {
      const device = new Device();
      device.state = { ...device.state, staged: { ...STAGED, from } };
      return device.checked().stated({ withdrawn: ["c".repeat(16)] });
    };
    expect(staged("server").state.staged).equal(undefined);
    expect(staged("server").asked.map(({ type }) => type)).include("eraseSlot");
    expect(staged("push").state.staged).not.equal(undefined);
  });

  it("takes a pushed image without one", () => {
    const device = new Device();
    const offer = { connection: 3, sizeBytes: PAGED.size, release: release() };
    device.on({ type: "pushOffered", offer });
    device.on({ type: "signatureVerified", attempt: device.state.attempt, good: true });
    expect(device.state.phase).equal("streaming");
  });

  it("asks anew when another root has come: a key of the old one says nothing any more", () => {
    const device = new Device().offered().stated();
    device.checked({ root_url: "/api/v1/roots/2" });
    const next = { ...ROOT, version: 2, keys: [...ROOT.keys.slice(0, 5), point(7)] };
    const { attempt } = device.state;
    device.on({ type: "textCollected", attempt, text: rootText(next, BY_TWO) });
    while (device.state.phase === "verifyingRoot")
      device.on({ type: "signatureVerified", attempt: device.state.attempt, good: true });
    device.on({ type: "saved", purpose: "root" });
    device.offered();
    expect(device.state.phase).equal("fetchingStatement");
    device.answered(statementText({ ...STATEMENT, nonce: device.nonce }, 6));
    expect(device.failure).equal("FRESHNESS_REFUSED");
  });
});

describe("the clock of a device that asks for statements", () => {
  const expiring = (expires: number) => release({ expires });
  const installs = (device: Device, expires: number) =>
    device.offered({ release: expiring(expires) }).state.phase === "requesting";

  it("is the statement's, whatever the server says without a signature", () => {
    for (const time of [0, TIME - 40 * DAY_SECONDS, TIME + 9 * 365 * DAY_SECONDS]) {
      const device = () => {
        const one = new Device();
        one.time = time;
        return one.offered().stated();
      };
      expect(installs(device(), TIME - 1), `expired, time ${time}`).equal(false);
      expect(installs(device(), TIME + 3_600), `good, time ${time}`).equal(true);
    }
  });

  it("has a floor in NVS that never goes back, written at most daily", () => {
    const device = new Device().offered().stated();
    expect(device.stored["clock.floor"]).equal(`${TIME}`);
    const written = () =>
      device.effects.filter((effect) => effect.type === "store" && effect.key === "clock.floor").length;
    for (let hour = 1; hour < 24; hour++) {
      device.at = hour * 3_600_000;
      device.checked();
      if (device.state.phase === "fetchingStatement")
        device.stated({ time: TIME + hour * 3_600, expires: TIME * 2 });
    }
    expect(written()).equal(1);
    // the next boot: an old statement moves nothing back
    const next = new Device({ stored: { ...BOOTED.stored, ...device.stored } });
    next.offered().stated({ time: BUILT, expires: BUILT + 600 });
    expect(installs(next, TIME - 1)).equal(false);
    expect(next.stored["clock.floor"]).equal(undefined);
  });

  it("goes no further than the end of the root, so that a stolen key of the server does no lasting harm", () => {
    const device = new Device()
      .offered()
      .stated({ time: ROOT.expires + 1_000_000, expires: ROOT.expires * 2 });
    expect(device.failure).equal("ROOT_EXPIRED");
    expect(device.stored["clock.floor"]).equal(`${ROOT.expires + 1}`);
    const beyond = new Device({ root: rootText({ ...ROOT, expires: 4_294_967_295 }) });
    beyond.offered().stated({ time: 4_294_967_290, expires: 4_294_967_295 });
    expect(beyond.failure).equal("FRESHNESS_REFUSED");
    expect(beyond.stored["clock.floor"]).equal(undefined);
  });
});

describe("a device that is kept from statements", () => {
  const said = (device: Device) => {
    device.on({ type: "timerFired", timer: "check" });
    for (const effect of device.asked)
      if (effect.type === "startRequest") return JSON.parse(effect.request.body ?? "{}").frozen;
    return undefined;
  };
  const miss = (device: Device) => {
    device.checked();
    if (device.state.phase === "fetchingStatement")
      device.on({ type: "requestFailed", attempt: device.state.attempt, message: "no" });
  };
  const isFrozen = (device: Device) =>
    device.effects.some(
      (effect) =>
        effect.type === "raise" && effect.event.type === "freshnessChanged" && effect.event.isFrozen,
    );

  it("says that it is frozen after two weeks, also without any answer, and goes on with its checks", () => {
    const device = new Device().checked().stated();
    device.at = 14 * DAY_MS - 1;
    expect(said(device)).equal(undefined);
    device.on({ type: "requestFailed", attempt: device.state.attempt, message: "no" });
    device.at = 14 * DAY_MS;
    expect(said(device)).equal(true);
    expect(isFrozen(device)).equal(true);
    device.on({ type: "requestFailed", attempt: device.state.attempt, message: "no" });
    device.time = TIME + 14 * DAY_SECONDS;
    device.checked().stated({ time: device.time, expires: device.time + 600 });
    expect(device.state.freshness.isFrozen).equal(false);
    expect(said(device)).equal(undefined);
  });

  it("counts over restarts, from the first one that was missed", () => {
    const device = new Device();
    miss(device);
    expect(device.stored["trust.fresh"]).equal(`${TIME}`);
    const stored = { ...BOOTED.stored, ...device.stored };
    const isFrozenAfter = (days: number) => {
      const next = new Device({ stored });
      next.time = TIME + days * DAY_SECONDS;
      miss(next);
      return isFrozen(next);
    };
    expect(isFrozenAfter(13.9)).equal(false);
    expect(isFrozenAfter(14)).equal(true);
  });

  it("is not fooled by a server that first names a time that is far away", () => {
    const device = new Device();
    device.time = TIME + 9 * 365 * DAY_SECONDS;
    miss(device);
    device.time = TIME;
    device.at = 3_600_000;
    miss(device);
    device.at = 15 * DAY_MS;
    device.time = TIME + 15 * DAY_SECONDS;
    miss(device);
    expect(isFrozen(device)).equal(true);
  });
});
