// An offer that restarts the device repeatedly: what is recorded, when it is blocked, and when it is free again.

import { expect } from "chai";
import { DAY_SECONDS as BLOCK_SECONDS } from "../../../../firmware/core/clock.js";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Booted, Event, PushOffer, Raise } from "../../../../firmware/core/event.js";
import {
  MAX_PLAIN_ANSWER_BYTES,
  OFFER_BLOCK_KEY,
  OFFER_NOTE_KEY,
} from "../../../../firmware/core/update/offer-crashes.js";
import { initialUpdate, type UpdateState, updateStep } from "../../../../firmware/core/update/update.js";
import type { Report } from "../../../../firmware/core/wire.js";
import { answerEvents, BOOTED, stamped } from "../events.js";
import { HEADER, jws, PAGED } from "../releases.js";
import { inPhase, jobOf } from "../update-phases.js";

const TIME = 1_795_000_000;
const PANIC = { resetReason: "panic" };
const IMAGE_END = PAGED.imageSha256.slice(-16);

const manifestOf = (changes: object = {}) => jws({ ...PAGED, ...changes });

interface Offered {
  readonly firmwareId?: number;
  readonly time?: number;
  readonly release?: string;
  /** The server announces nothing in a header. */
  readonly isSilent?: boolean;
}

/** An update machine whose NVS outlives its boots. */
class Device {
  state: UpdateState = initialUpdate;
  readonly stored: Record<string, string> = { layout: "1" };
  asked: (Effect | Raise)[] = [];
  /** Of the note, since the boot. */
  writes: string[] = [];

  boot(facts: Partial<Booted> = {}): this {
    this.writes = [];
    this.on({ ...BOOTED, ...facts, stored: { ...this.stored } });
    this.state = { ...this.state, online: true, server: "http://updates.test" };
    return this;
  }

  on(event: Event, at = 0): this {
    [this.state, this.asked as readonly unknown[]] = updateStep(this.state, { ...stamped(event), at }) as [
      UpdateState,
      (Effect | Raise)[],
    ];
    for (const effect of this.asked) {
      if (effect.type === "store") this.stored[effect.key] = effect.value;
      if (effect.type === "forget") delete this.stored[effect.key];
      if ((effect.type === "store" || effect.type === "forget") && effect.key.startsWith("offer"))
        this.writes.push(`${effect.type} ${effect.key}`);
    }
    return this;
  }

  /** The head of an answer to the next check, with an offer; the rest of it comes with `read`. */
  answered({ firmwareId = 12, time = TIME, release = manifestOf(), isSilent = false }: Offered = {}, at = 0) {
    this.on({ type: "timerFired", timer: "check" }, at);
    const offer = {
      update_available: true,
      time,
      firmware_id: firmwareId,
      version: "1.1.0",
      download_url: "/image",
      digests_url: "/digests",
      release,
    };
    const headers: Record<string, string> = isSilent ? {} : { "skyslot-offer": `${firmwareId} ${time}` };
    const [started, text] = answerEvents(this.state.attempt, offer, 200, headers);
    this.on(started!, at);
    const isRead = this.asked.some(({ type }) => type === "collectResponse");
    return { isRead, read: () => this.on(text!, at) };
  }

  /** A check that is answered with an offer. */
  offered(offer: Offered = {}, at = 0): this {
    return this.answered(offer, at).read();
  }

  plain(time = TIME, at = 0): this {
    this.on({ type: "timerFired", timer: "check" }, at);
    for (const event of answerEvents(this.state.attempt, { update_available: false, time }))
      this.on(event, at);
    return this;
  }

  get note(): string | undefined {
    return this.stored[OFFER_NOTE_KEY];
  }
  get block(): string | undefined {
    return this.stored[OFFER_BLOCK_KEY];
  }
  get raised(): readonly Event[] {
    return this.asked.flatMap((effect) => (effect.type === "raise" ? [effect.event] : []));
  }
  get report(): Report | undefined {
    const made = this.raised.find(({ type }) => type === "reportMade");
    return made?.type === "reportMade" ? made.report : undefined;
  }
  get log(): string {
    return this.asked.flatMap((effect) => (effect.type === "log" ? [effect.message] : [])).join("\n");
  }
}

/** Three crashes, each at the same point of an attempt; the boot after them. */
function blockedDevice(attempt: (device: Device) => unknown): Device {
  const device = new Device().boot();
  for (let crash = 0; crash < 3; crash++) {
    attempt(device);
    device.boot(PANIC);
  }
  return device;
}
const whileRead = (device: Device) => device.answered();
const whileVerified = (device: Device) => device.offered();

describe("a note of what may restart the device", () => {
  it("is stored before an answer that may contain an offer is read, and names it", () => {
    const device = new Device().boot();
    expect(device.answered().isRead).equal(true);
    const types = device.asked.map(({ type }) => type);
    expect(types.indexOf("store")).below(types.indexOf("collectResponse"));
    expect(device.note).match(/^open 0 12 \d+ $/);
  });

  it("names the image before its signature is looked at", () => {
    const device = new Device().boot().offered();
    const types = device.asked.map(({ type }) => type);
    expect(types.indexOf("store")).below(types.indexOf("verifySignature"));
    expect(device.note).match(new RegExp(`^open 0 12 \\d+ ${IMAGE_END}$`));
  });

  it("is cleared when the offer is refused, and when its image is armed", () => {
    const device = new Device().boot().offered();
    device.on({ type: "signatureVerified", attempt: device.state.attempt, good: false });
    expect(device.state.phase).equal("idle");
    expect(device.note).equal(undefined);
    device.boot().offered();
    device.state = inPhase("arming", device.state);
    device.on({ type: "slotArmed", attempt: device.state.attempt });
    expect(device.state.phase).equal("restarting");
    expect(device.note).equal(undefined);
  });

  it("is not made for answers without an offer, nor again for an answer that was handled", () => {
    const device = new Device().boot().plain();
    expect(device.writes).deep.equal([]);
    device.offered({ release: "not.a.manifest".padEnd(MAX_PLAIN_ANSWER_BYTES, "x") });
    expect(device.writes).deep.equal([`store ${OFFER_NOTE_KEY}`, `forget ${OFFER_NOTE_KEY}`]);
    for (let n = 0; n < 5; n++)
      device.offered({ release: "not.a.manifest".padEnd(MAX_PLAIN_ANSWER_BYTES, "x") });
    expect(device.writes).lengthOf(2);
    device.answered({ firmwareId: 13, release: "not.a.manifest".padEnd(MAX_PLAIN_ANSWER_BYTES, "x") });
    expect(device.writes, "another firmware").lengthOf(3);
  });

  it("counts only boots caused by a crash", () => {
    const counts = (facts: Partial<Booted>) => {
      const device = new Device().boot().offered().boot(facts);
      return /^crashed 1 /.test(device.note ?? "");
    };
    for (const resetReason of ["panic", "task-watchdog", "interrupt-watchdog", "watchdog", "software"])
      expect(counts({ resetReason }), resetReason).equal(true);
    for (const resetReason of ["power-on", "brownout", "external", "deep-sleep"])
      expect(counts({ resetReason }), resetReason).equal(false);
    expect(counts({ resetReason: "software", restartNote: "owner" })).equal(false);
    expect(new Device().boot().offered().boot({ resetReason: "power-on" }).note).equal(undefined);
    const device = new Device().boot().offered().boot(PANIC).offered().boot({ resetReason: "power-on" });
    expect(device.note, "what was counted before").match(/^crashed 1 /);
  });

  it("blames nothing for a crash that comes later", () => {
    const device = new Device().boot().offered().boot(PANIC);
    for (let n = 0; n < 5; n++) device.boot(PANIC);
    expect(device.note).match(/^crashed 1 /);
    expect(device.block).equal(undefined);
  });

  it("that cannot be parsed is ignored", () => {
    for (const note of [
      "",
      "open",
      "open x 1 2 3",
      "open 9 9",
      "crashed 1 12 20000000 abc",
      "shut 2 12 2000 abc",
    ]) {
      const device = new Device();
      device.stored[OFFER_NOTE_KEY] = note;
      device.boot(PANIC);
      expect(device.state.offerCrashes.previous, note).equal(undefined);
      expect(device.block, note).equal(undefined);
    }
  });

  it("is reset by a download that makes progress", () => {
    const device = new Device().boot().offered().boot(PANIC).offered().boot(PANIC).offered();
    expect(device.note).match(/^open 2 12 /);
    device.on({ type: "signatureVerified", attempt: device.state.attempt, good: true });
    const digest = new Uint8Array(32).fill(5);
    const job = jobOf(device.state);
    device.state = inPhase("streaming", device.state, {
      ...job,
      page: { index: 0, digests: new Uint8Array(96).fill(5) },
      offset: 16_384,
      rangeEnd: 40_000,
      ahead: { ...job.ahead, needLength: 0 },
    });
    device.on({ type: "slotHashed", attempt: device.state.attempt, offset: 0, digest });
    expect(device.note).match(/^open 0 12 /);
    expect(device.boot(PANIC).note).match(/^crashed 1 /);
  });
});

describe("an offer that has restarted the device three times", () => {
  it("is reported with its firmware until the server has taken that, and shown on the device's page once", () => {
    const device = blockedDevice(whileVerified);
    expect(device.block).match(new RegExp(`^untold 0 12 \\d+ ${IMAGE_END}$`));
    expect(device.note).equal(undefined);
    expect(device.report).include({ firmware_id: 12, status: "failed", error_code: "OFFER_CRASHES" });
    expect(device.report?.error_message).match(/restarted 3 times in a row .* firmware 12/);
    expect(device.raised.map(({ type }) => type)).include("updateFailed");
    expect(device.log).match(/restarted by panic: .*\[OFFER_CRASHES\]/);
    device.boot();
    expect(device.report).include({ error_code: "OFFER_CRASHES" });
    expect(device.raised.map(({ type }) => type)).not.include("updateFailed");
    device.on({ type: "reportTaken", report: device.report! });
    expect(device.block).match(/^told /);
    expect(device.boot().report).equal(undefined);
  });

  it("is blocked for a day by the server's time, across restarts, and is free then", () => {
    const device = blockedDevice(whileVerified);
    device.offered();
    expect(device.state.phase).equal("idle");
    expect(device.asked.map(({ type }) => type)).not.include("verifySignature");
    expect(device.log).match(/update to 1\.1\.0 is skipped: .* blocked for a day/);
    expect(device.block).match(new RegExp(`^untold ${TIME + BLOCK_SECONDS} `));
    device.boot().offered({ time: TIME + BLOCK_SECONDS - 1 });
    expect(device.state.phase).equal("idle");
    device.offered({ time: TIME + BLOCK_SECONDS });
    expect(device.state.phase).equal("verifying");
    expect(device.block).equal(undefined);
    expect(device.note, "counted from the beginning").match(/^open 0 12 /);
  });

  // the kind: a date that was computed from a clock that was wrong
  it("is blocked no longer than a day by any clock, whatever the first one said", () => {
    const FAR = TIME + 20 * 365 * BLOCK_SECONDS;
    const device = blockedDevice(whileVerified);
    device.offered({ time: FAR });
    expect(device.block).match(new RegExp(`^untold ${FAR + BLOCK_SECONDS} `));
    device.boot().offered();
    expect(device.state.phase).equal("idle");
    expect(device.block, "by the first clock that is right").match(
      new RegExp(`^untold ${TIME + BLOCK_SECONDS} `),
    );
    expect(device.boot().offered({ time: TIME + BLOCK_SECONDS }).state.phase).equal("verifying");
    const alone = blockedDevice(whileVerified);
    alone.offered({ time: FAR });
    alone.boot().offered({ time: FAR }, BLOCK_SECONDS * 1000);
    expect(alone.state.phase, "a day since the boot").equal("verifying");
  });

  it("is dated by no time that is not believed", () => {
    for (const time of [0, 1, 9_999_999_999]) {
      const device = blockedDevice(whileVerified);
      device.offered({ time });
      expect(device.state.phase, `${time}`).equal("idle");
      expect(device.block, `${time}`).match(/^untold 0 /);
    }
  });

  it("is not even read if it did so while it was read", () => {
    const device = blockedDevice(whileRead);
    expect(device.answered().isRead).equal(false);
    expect(device.state).include({ phase: "idle" });
    expect(device.state.clock.told).deep.equal({ time: TIME, at: 0 });
    expect(device.raised.map(({ type }) => type)).deep.equal(["serverReached"]);
    expect(device.asked.map(({ type }) => type)).include("closeRequest");
    expect(device.log).match(/the answer is not read/);
    expect(device.answered({ time: TIME + BLOCK_SECONDS }).isRead, "a day later").equal(true);
  });

  it("leaves every other offer free, and stays blocked meanwhile", () => {
    const other = manifestOf({ imageSha256: "d".repeat(64) });
    for (const attempt of [whileRead, whileVerified]) {
      const device = blockedDevice(attempt);
      expect(device.answered({ firmwareId: 13 }).isRead).equal(true);
      device.boot().offered({ firmwareId: 13, release: other });
      expect(device.state.phase).equal("verifying");
      device.boot().offered();
      expect(device.state.phase, "the first again").not.equal("verifying");
    }
    const device = blockedDevice(whileVerified).offered({ release: other });
    expect(device.state.phase, "the same number at another server").equal("verifying");
  });

  it("is known by the length of its answer where the server sends no more", () => {
    const device = blockedDevice((each) => each.answered({ isSilent: true }));
    expect(device.block).match(/^untold 0 0 \d+ $/);
    expect(device.report, "of unknown firmware").equal(undefined);
    expect(device.log).match(/the offer in an answer of \d+ bytes/);
    expect(device.answered({ isSilent: true }).isRead).equal(false);
    expect(device.answered({ isSilent: true, release: `${manifestOf()}x` }).isRead).equal(true);
    // without a server time the block ends a day after the boot
    expect(device.answered({ isSilent: true }, BLOCK_SECONDS * 1000).isRead).equal(true);
    const mixed = new Device().boot();
    mixed.answered({ isSilent: true });
    mixed.boot(PANIC).offered({ isSilent: true });
    expect(mixed.note, "the same, as far as is known").match(/^open 1 12 /);
  });

  it("may be a push too: the same image is refused, another is accepted", () => {
    const push: PushOffer = { connection: 3, sizeBytes: PAGED.size, release: jws(PAGED) };
    const device = blockedDevice((each) => each.on({ type: "pushOffered", offer: push }));
    expect(device.block).match(/^untold 0 0 0 \S{16}$/);
    expect(device.report).equal(undefined);
    device.on({ type: "pushOffered", offer: push });
    const answer = device.asked.find((effect) => effect.type === "answerPush");
    expect(answer?.type === "answerPush" && answer.response.status).equal(409);
    expect(device.log).match(/a pushed image.*OFFER_CRASHES/);
    const resigned = jws(PAGED, HEADER, Buffer.alloc(64, 3).toString("base64url"));
    device.on({ type: "pushOffered", offer: { ...push, release: resigned } });
    expect(device.state.phase).equal("verifying");
    device.boot().on({ type: "pushOffered", offer: push }, BLOCK_SECONDS * 1000);
    expect(device.state.phase, "no server time: a day since the boot").equal("verifying");
    expect(device.boot().offered().state.phase, "an offer of the server's").equal("verifying");
  });
});
