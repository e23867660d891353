// An image whose installation fails again and again. The kind: what is tried again without an end, and wears something out or keeps something
// busy. The given input is a bad sector; the others fail while arming, in bytes that nothing proves, and on the way after an erase.

import { expect } from "chai";
import { DAY_SECONDS } from "../../../../firmware/core/clock.js";
import type { Effect } from "../../../../firmware/core/effect.js";
import { isTransient, type UpdateErrorCode } from "../../../../firmware/core/errors.js";
import type { Event, Raise } from "../../../../firmware/core/event.js";
import type { Job } from "../../../../firmware/core/update/job.js";
import { failAttempt } from "../../../../firmware/core/update/retry.js";
import { readSetbacks, SETBACKS_KEY } from "../../../../firmware/core/update/setbacks.js";
import { initialUpdate, type UpdateState } from "../../../../firmware/core/update/state.js";
import { updateStep } from "../../../../firmware/core/update/update.js";
import { Download } from "../download.js";
import { answerEvents, BOOTED, stamped } from "../events.js";
import { jws, PAYLOAD } from "../releases.js";
import { inPhase, jobOf } from "../update-phases.js";

const TIME = 1_795_000_000;
const OTHER = jws({ ...PAYLOAD, imageSha256: "d".repeat(64) });

/** An update machine whose NVS outlives its boots. */
class Device {
  state: UpdateState = initialUpdate;
  readonly stored: Record<string, string> = { layout: "1" };
  asked: readonly (Effect | Raise)[] = [];
  time = TIME;

  constructor() {
    this.boot();
  }
  boot(): this {
    this.on({ ...BOOTED, stored: { ...this.stored } });
    this.state = { ...this.state, online: true, server: "http://updates.test" };
    return this;
  }
  on(event: Event, at = 0): this {
    return this.#take(updateStep(this.state, { ...stamped(event), at }));
  }
  #take([state, asked]: readonly [UpdateState, readonly (Effect | Raise)[]]): this {
    this.state = state;
    this.asked = asked;
    for (const effect of asked) {
      if (effect.type === "store") this.stored[effect.key] = effect.value;
      if (effect.type === "forget") delete this.stored[effect.key];
    }
    return this;
  }
  /** A check that is answered with a release; its signature is good. */
  offered(release = jws(), at = 0): this {
    this.on({ type: "timerFired", timer: "check" }, at);
    const offer = {
      update_available: true,
      time: this.time,
      firmware_id: 7,
      version: "1.1.0",
      download_url: "/image",
      release,
    };
    for (const event of answerEvents(this.state.attempt, offer)) this.on(event, at);
    if (this.state.phase === "verifying")
      this.on({ type: "signatureVerified", attempt: this.state.attempt, good: true }, at);
    return this;
  }
  /** The attempt that has begun fails. */
  failed(code: UpdateErrorCode, job: Partial<Job> = {}): this {
    const state = inPhase("streaming", this.state, { ...jobOf(this.state), erasedTo: 4096, ...job });
    return this.#take(failAttempt(state, jobOf(state), { code, message: "no" }, 0.5));
  }
  /** Attempts until the offer is skipped, at most `most`. */
  attempts(code: UpdateErrorCode, job: Partial<Job> = {}, most = 100): number {
    for (let count = 0; count < most; count++) {
      this.offered();
      if (this.state.phase === "idle") return count;
      this.failed(code, job);
    }
    return most;
  }
  get report() {
    for (const effect of this.asked)
      if (effect.type === "raise" && effect.event.type === "reportMade") return effect.event.report;
    return undefined;
  }
  get log(): string {
    return this.asked.flatMap((effect) => (effect.type === "log" ? [effect.message] : [])).join("\n");
  }
}

const UNPROVED = {
  wholeOnly: true,
  release: { ...jobOf(new Device().offered().state).release, digestsOf: "nothing" },
} as const;

describe("an image whose installation has failed", () => {
  for (const code of ["FLASH_FAILED", "CHUNK_MISMATCH", "ARM_FAILED"] as const)
    it(`by ${code} is tried three times, also over restarts, and then held back for a day`, () => {
      expect(new Device().attempts(code)).equal(3);
      const device = new Device();
      for (let count = 0; count < 3; count++) {
        device.boot().offered();
        expect(device.state.phase, `attempt ${count + 1}`).equal("resuming");
        device.failed(code);
      }
      expect(device.report?.error_message).equal("no; it has failed too often, and is held back for a day");
      device.boot().offered();
      expect(device.state.phase).equal("idle");
      expect(device.log).match(/update to 1\.1\.0 is skipped: it has failed too often/);
      expect(device.report, "told once").equal(undefined);
      device.time = TIME + DAY_SECONDS - 1;
      expect(device.boot().offered().state.phase).equal("idle");
      device.time = TIME + DAY_SECONDS;
      expect(device.attempts(code), "and again").equal(3);
    });

  it("with bytes that nothing proves is tried three times too: another file may have been served", () => {
    for (const code of ["IMAGE_MISMATCH", "IMAGE_MALFORMED", "WRONG_CHIP", "NVS_MISMATCH"] as const) {
      const device = new Device();
      expect(device.attempts(code, UNPROVED), code).equal(3);
      expect(device.state.refused, code).equal(undefined);
    }
  });

  it("with bytes that its digests prove is refused at once, and until something else is offered", () => {
    expect(new Device().attempts("IMAGE_MISMATCH")).equal(1);
    const device = new Device().offered().failed("IMAGE_MISMATCH");
    expect(device.stored).not.property(SETBACKS_KEY);
  });

  it("on the way is tried twenty times if each try has erased a sector, and else without an end", () => {
    for (const code of ["BODY_TRUNCATED", "SERVER_STALLED", "CONNECT_FAILED"] as const) {
      expect(isTransient(code), code).equal(true);
      expect(new Device().attempts(code), code).equal(20);
      expect(new Device().attempts(code, { erasedTo: 0 }), code).equal(100);
    }
  });

  it("leaves every other image free, whose failures count from the beginning", () => {
    const device = new Device();
    device.attempts("FLASH_FAILED");
    expect(device.offered(OTHER).state.phase).equal("resuming");
    device.failed("FLASH_FAILED");
    expect(device.stored[SETBACKS_KEY]).match(/^7 0 d{16}$/);
  });

  it("is held back no longer than a day of running, whatever the clock said", () => {
    const device = new Device();
    device.time = TIME + 20 * 365 * DAY_SECONDS;
    device.attempts("FLASH_FAILED");
    device.time = TIME;
    device.boot().offered();
    expect(device.stored[SETBACKS_KEY], "by the first clock that is right").match(
      new RegExp(`^20 ${TIME + DAY_SECONDS} `),
    );
    expect(device.offered(jws(), DAY_SECONDS * 1000).state.phase).equal("resuming");
    const late = new Device();
    late.time = 0;
    for (let count = 0; count < 3; count++) late.offered(jws(), 5_000_000).failed("FLASH_FAILED");
    expect(late.offered(jws(), 5_000_000 + DAY_SECONDS * 1000 - 1).state.phase).equal("idle");
    expect(late.offered(jws(), 6_000_000 + DAY_SECONDS * 1000).state.phase, "a day after the offer").equal(
      "idle",
    );
    expect(late.offered(jws(), 6_000_001 + 2 * DAY_SECONDS * 1000).state.phase).equal("resuming");
  });

  it("is not counted any more once it gets on or is armed", () => {
    const sizeBytes = 3 * 4096;
    const download = new Download({
      sizeBytes,
      booted: { stored: { [SETBACKS_KEY]: `14 0 ${"c".repeat(16)}` } },
    });
    const forgotten = () =>
      download.effects.filter((effect) => effect.type === "forget" && effect.key === SETBACKS_KEY).length;
    download.run();
    expect(download.state.phase).equal("restarting");
    expect(forgotten(), "with the first chunk").equal(1);
    expect(download.state.setbacks.points).equal(0);
  });

  it("is found in NVS only if what stands there can be right", () => {
    for (const text of [
      undefined,
      "",
      "x",
      "7 0",
      "7 0 xyz",
      `-7 0 ${"c".repeat(16)}`,
      `1e9 0 ${"c".repeat(16)}`,
    ])
      expect(readSetbacks(text).points, text).equal(0);
    expect(readSetbacks(`999 4294967295 ${"c".repeat(16)}`).points).equal(999);
    expect(SETBACKS_KEY.length).at.most(15);
  });
});
