// From an offer to a job: what is checked before anything is written, and how a refused offer is handled.

import { expect } from "chai";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Event, Raise } from "../../../../firmware/core/event.js";
import { initialUpdate, type UpdateState } from "../../../../firmware/core/update/state.js";
import { updateStep } from "../../../../firmware/core/update/update.js";
import { answerEvents, BOOTED, IMAGE, KEY, stamped } from "../events.js";
import { HEADER, jws, PAYLOAD } from "../releases.js";
import { jobOf } from "../update-phases.js";

const TIME = 1_795_000_000;

/** A device that is online, and offered releases. */
class Device {
  state: UpdateState = initialUpdate;
  asked: readonly (Effect | Raise)[] = [];

  constructor(changes: Partial<typeof BOOTED> = {}, server = "http://updates.test") {
    this.on({ ...BOOTED, ...changes });
    this.state = { ...this.state, online: true, server };
  }
  on(event: Event, at = 0): this {
    [this.state, this.asked] = updateStep(this.state, { ...stamped(event), at });
    return this;
  }
  offered(release = jws(), more: object = {}, at = 0): this {
    this.on({ type: "timerFired", timer: "check" }, at);
    const offer = {
      update_available: true,
      time: TIME,
      firmware_id: 7,
      version: "1.1.0",
      download_url: "/image",
      release,
      ...more,
    };
    for (const event of answerEvents(this.state.attempt, offer)) this.on(event, at);
    return this;
  }
  verified(good = true): this {
    return this.on({ type: "signatureVerified", attempt: this.state.attempt, good });
  }
  get raised(): string[] {
    return this.asked.flatMap((effect) => (effect.type === "raise" ? [effect.event.type] : []));
  }
  get report() {
    for (const effect of this.asked)
      if (effect.type === "raise" && effect.event.type === "reportMade") return effect.event.report;
    return undefined;
  }
}

describe("an offer of the server", () => {
  it("is installed when its signature is valid and it fits this device", () => {
    const device = new Device().offered();
    expect(device.state.phase).equal("verifying");
    const verify = device.asked.find(({ type }) => type === "verifySignature");
    expect(verify).include({ key: KEY, manifest: jws() });
    device.verified();
    expect(device.state.phase).equal("resuming");
    expect(device.report).include({ firmware_id: 7, status: "downloading", step: "verified" });
    expect(jobOf(device.state)).include({ signed: true, wholeOnly: false });
  });

  it("is refused with its reason before anything is written", () => {
    const refused = (changes: object) => new Device().offered(jws({ ...PAYLOAD, ...changes })).verified();
    for (const [changes, code] of [
      [{ type: "led" }, "WRONG_TYPE"],
      [{ version: "1.0.0" }, "NOT_NEWER"],
      [{ expires: TIME - 1 }, "RELEASE_EXPIRED"],
      [{ minCurrentVersion: "1.0.1" }, "CURRENT_TOO_OLD"],
    ] as const) {
      const device = refused(changes);
      expect(device.state.phase, code).equal("idle");
      expect(device.report, code).include({ status: "failed", step: "refused", error_code: code });
      expect(device.asked.map(({ type }) => type)).not.include("hashSlot");
    }
    const large = new Device({ target: { label: "ota_0", sizeBytes: 39_999, state: "undefined" } });
    expect(large.offered().verified().report).include({ error_code: "IMAGE_TOO_LARGE" });
    const exact = new Device({ target: { label: "ota_0", sizeBytes: 40_000, state: "undefined" } });
    expect(exact.offered().verified().state.phase, "of exactly the slot's size").equal("resuming");
    const fused = new Device({ image: { ...IMAGE, securityVersion: 1 } });
    expect(fused.offered().verified().report).include({ error_code: "SECURITY_VERSION_TOO_OLD" });
  });

  it("is refused when its key is not trusted or its signature is wrong", () => {
    const unknown = new Device().offered(jws(PAYLOAD, { ...HEADER, kid: "key-2" }));
    expect(unknown.asked.map(({ type }) => type)).not.include("verifySignature");
    expect(unknown.report).include({ error_code: "KEY_UNKNOWN" });
    const forged = new Device().offered().verified(false);
    expect(forged.report).include({ error_code: "SIGNATURE_INVALID" });
    expect(forged.state.phase).equal("idle");
  });

  it("that was refused is reported once, and evaluated again only as another release or firmware", () => {
    const device = new Device().offered().verified(false);
    device.offered();
    expect(device.state.phase).equal("idle");
    expect(device.report).equal(undefined);
    expect(device.offered(jws(), { firmware_id: 8 }).state.phase).equal("verifying");
    const signedAnew = jws(PAYLOAD, HEADER, Buffer.alloc(64, 3).toString("base64url"));
    expect(new Device().offered().verified(false).offered(signedAnew).state.phase).equal("verifying");
  });

  // The kind: a verdict that depends on something that passes, such as the time by a server's clock, is not kept longer than that lasts.
  describe("that has expired", () => {
    const EXPIRES = TIME + 1000;
    const release = jws({ ...PAYLOAD, expires: EXPIRES });
    const WRONG = TIME + 86_400 * 3650;
    /** By a server's clock; the signature is good. */
    const offered = (device: Device, time: number, at = 0) => {
      device.offered(release, { time }, at);
      if (device.state.phase === "verifying") device.verified();
      return device;
    };

    it("by a wrong clock is installed with the first answer by whose time it has not", () => {
      const device = offered(new Device(), WRONG);
      expect(device.report).include({ error_code: "RELEASE_EXPIRED" });
      expect(offered(device, TIME, 360_000).state.phase).equal("resuming");
    });

    it("is told once, neither verified nor reported again while that lasts", () => {
      const device = offered(new Device(), WRONG);
      for (const time of [WRONG, WRONG + 60, EXPIRES + 1]) {
        device.offered(release, { time });
        expect(device.state.phase, `${time}`).equal("idle");
        expect(device.raised).deep.equal(["serverReached"]);
      }
    });

    it("is not expired at its last second, and is the second after, also by the device's own count", () => {
      expect(offered(new Device(), EXPIRES).state.phase).equal("resuming");
      expect(offered(new Device(), EXPIRES + 1).report).include({ error_code: "RELEASE_EXPIRED" });
      const counted = offered(new Device(), EXPIRES).on({ type: "timerFired", timer: "transfer" });
      expect(counted.state.phase).equal("resuming");
    });

    it("is not let in by a clock that is set back before the device's build, or before a newer release", () => {
      const built = { ...BOOTED, image: { ...IMAGE, compileDate: "Jan 10 2027" } };
      for (const time of [0, -1, 1e12, 1_790_000_000])
        expect(offered(new Device(built), time).report, `${time}`).include({ error_code: "RELEASE_EXPIRED" });
      const newer = jws({ ...PAYLOAD, created: EXPIRES + 2000, type: "led" });
      for (const time of [0, TIME]) {
        const device = new Device().offered(newer, { firmware_id: 8, time: EXPIRES + 3000 }).verified();
        expect(offered(device, time, 1000).report, `${time}`).include({ error_code: "RELEASE_EXPIRED" });
      }
    });

    it("never does so without an expiry, whatever a server's clock says", () => {
      for (const time of [0, -1, 7_258_118_400, 1e12, 0xffffffff, Number.MAX_SAFE_INTEGER])
        expect(new Device().offered(jws(), { time }).verified().state.phase, `${time}`).equal("resuming");
    });
  });

  it("is skipped during the trial of this image", () => {
    const device = new Device({ image: { ...IMAGE, slotState: "pending_verify" } }).offered();
    expect(device.state.phase).equal("idle");
  });

  it("of an image that was rolled back is skipped for ten minutes", () => {
    const record = {
      firmwareId: 7,
      version: "1.1.0",
      build: 0,
      imageSha256: PAYLOAD.imageSha256,
      slot: "ota_0",
      powerLosses: 0,
      armed: true,
    };
    const device = new Device({
      resetReason: "panic",
      bootSlot: "factory",
      target: { label: "ota_0", sizeBytes: 0x200000, state: "aborted" },
      stored: { layout: "1", install: JSON.stringify(record) },
    });
    expect(device.offered(jws(), {}, 599_999).state.phase).equal("idle");
    const other = jws({ ...PAYLOAD, imageSha256: "d".repeat(64) });
    expect(device.offered(other, {}, 599_999).state.phase, "another image").equal("verifying");
    device.state = { ...device.verified(false).state, refused: undefined };
    expect(device.offered(jws(), {}, 600_000).state.phase).equal("verifying");
  });

  it("of an image that its owner rolled back is skipped for good", () => {
    const device = new Device({ stored: { layout: "1", held: PAYLOAD.imageSha256 } });
    expect(device.offered(jws(), {}, 1e9).state.phase).equal("idle");
    expect(device.offered(jws({ ...PAYLOAD, imageSha256: "d".repeat(64) })).state.phase).equal("verifying");
  });

  it("with a path is fetched from the server's origin, with an address from there", () => {
    const urlOf = (url: string) => {
      const { source } = jobOf(
        new Device({}, "http://updates.test/fleet").offered(jws(), { download_url: url }).verified().state,
      );
      return source.kind === "server" ? source.url : "";
    };
    expect(urlOf("/image?x=1")).equal("http://updates.test/image?x=1");
    expect(urlOf("http://cdn.test/image")).equal("http://cdn.test/image");
  });

  it("with an address that cannot be used is refused as malformed, before its signature is looked at", () => {
    // the kind: text of a server that reaches the network modules; http/address.test.ts has more of it
    for (const url of [
      "",
      "firmware/7",
      "ftp://cdn.test/image",
      "http://",
      "http://cdn.test:0/",
      "//",
      "/a b",
      "ü",
      `/${"x".repeat(500)}`,
    ])
      for (const field of ["download_url", "digests_url"]) {
        const device = new Device().offered(jws(), { [field]: url });
        expect(device.state.phase, url).equal("idle");
        expect(device.report, url).include({
          status: "failed",
          step: "refused",
          error_code: "RESPONSE_MALFORMED",
        });
        expect(device.report?.error_message, url).include(`${field} of the offer: The address `);
        expect(device.asked.map(({ type }) => type))
          .include("setTimer")
          .and.not.include("verifySignature");
      }
  });

  it("waits while the server that has its image asks for patience", () => {
    const device = new Device();
    device.state = { ...device.state, downloadsFromMs: 60_000 };
    device.offered();
    expect(device.state.phase).equal("idle");
    expect(device.asked.map(({ type }) => type))
      .include("setTimer")
      .and.not.include("verifySignature");
    expect(device.report).equal(undefined);
  });

  it("may have a manifest that lists chunks only where no pages of digests come with it", () => {
    const long = jws({ ...PAYLOAD, x: "x".repeat(1200) });
    expect(new Device().offered(long).state.phase).equal("verifying");
    const paged = new Device().offered(long, { digests_url: "/digests" });
    expect(paged.report).include({ error_code: "RELEASE_TOO_LARGE" });
  });
});
