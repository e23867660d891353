import { expect } from "chai";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { UpdateErrorCode } from "../../../../firmware/core/errors.js";
import type { Event, PushOffer, Raise } from "../../../../firmware/core/event.js";
import { OFFER_NOTE_KEY } from "../../../../firmware/core/update/offer-crashes.js";
import {
  PUSH_RESTART_DELAY_MS,
  pushFailed,
  pushSucceeded,
} from "../../../../firmware/core/update/pushed-update.js";
import { RECEIVE_RETRIES } from "../../../../firmware/core/update/retry.js";
import {
  initialUpdate,
  STALL_MS,
  type UpdatePhase,
  type UpdateState,
} from "../../../../firmware/core/update/state.js";
import { updateStep } from "../../../../firmware/core/update/update.js";
import { Download, type DownloadOptions, hex, md5 } from "../download.js";
import { BOOTED, IMAGE, stamped } from "../events.js";
import { HEADER, jws, PAYLOAD } from "../releases.js";
import { inPhase, jobOf } from "../update-phases.js";

const SIZE = PAYLOAD.size;
const releaseOf = (changes: object = {}, kid = "key-1") =>
  jws({ ...PAYLOAD, ...changes }, { ...HEADER, kid });

const signed = (changes: object = {}, kid?: string): PushOffer => ({
  connection: 3,
  sizeBytes: SIZE,
  release: releaseOf(changes, kid),
});
const UNSIGNED: PushOffer = { connection: 3, sizeBytes: SIZE };
const ESPOTA: PushOffer = {
  connection: -1,
  sizeBytes: SIZE,
  espota: { address: "192.168.1.200", port: 4000, replyPort: 5000, md5: "a".repeat(32) },
};

/** The update machine of a device that is online. */
class Device {
  state: UpdateState;
  effects: readonly (Effect | Raise)[] = [];

  constructor(phase: UpdatePhase = "idle", onTrial = false) {
    const [booted] = updateStep(initialUpdate, stamped(BOOTED));
    this.state = inPhase(phase, { ...booted, online: true, onTrial });
  }
  on(event: Event): this {
    [this.state, this.effects] = updateStep(this.state, stamped(event));
    return this;
  }
  offered(offer: PushOffer): this {
    return this.on({ type: "pushOffered", offer });
  }
  verified(good = true): this {
    return this.on({ type: "signatureVerified", attempt: this.state.attempt, good });
  }
  timedOut(): this {
    return this.on({ type: "timerFired", timer: "transfer" });
  }
  data(bytes: Uint8Array, connection = 3): this {
    this.on({ type: "pushReadable", connection, count: bytes.length });
    return this.on({ type: "pushData", connection, bytes });
  }
  /** Types of effects, in order. */
  get asked(): string[] {
    return this.effects.map(({ type }) => type);
  }
  /** The answer to the sender: status and text by HTTP, the text by espota. */
  get answer(): string | undefined {
    for (const effect of this.effects) {
      if (effect.type === "answerPush") return `${effect.response.status} ${effect.response.body}`;
      if (effect.type === "sendDatagram") return effect.text;
    }
    return undefined;
  }
}

/** The beginning of an image of this chip. */
function imageHead(): Uint8Array {
  const bytes = new Uint8Array(400);
  const view = new DataView(bytes.buffer);
  bytes.set([0xe9, 1]);
  bytes[23] = 1;
  view.setUint32(28, 1_000, true);
  view.setUint32(32, 0xabcd5432, true);
  bytes.set([0x31, 0x2e, 0x31, 0x2e, 0x30], 48);
  return bytes;
}

describe("an image that is pushed", () => {
  it("starts at once where unsigned images are accepted", () => {
    const device = new Device().offered(UNSIGNED);
    expect(device.state.phase).equal("streaming");
    expect(device.asked).deep.equal(["store", "log", "setTimer", "continuePush"]);
    expect(jobOf(device.state).signed).equal(false);
    expect(jobOf(device.state).release.chip).equal("esp32");
  });

  it("starts after its signature was verified", () => {
    const device = new Device().offered(signed());
    expect(device.state.phase).equal("verifying");
    expect(device.asked).deep.equal(["store", "verifySignature"]);
    device.verified();
    expect(device.state.phase).equal("streaming");
    expect(device.asked, "with the date of the release").deep.equal([
      "store",
      "log",
      "setTimer",
      "continuePush",
    ]);
    expect(jobOf(device.state).release.version).equal("1.1.0");
  });

  it("by espota is fetched from the sender", () => {
    const device = new Device().offered(ESPOTA);
    expect(device.answer).equal("OK");
    expect(device.effects.at(-1)).deep.equal({
      type: "connectPush",
      connection: -1,
      address: "192.168.1.200",
      port: 4000,
    });
    expect(jobOf(device.state).md5).equal("a".repeat(32));
  });

  it("ends a check in progress, whose answer is then dropped", () => {
    const device = new Device("checking");
    const { attempt } = device.state;
    device.offered(UNSIGNED);
    expect(device.effects.slice(0, 3)).deep.equal([
      { type: "clearTimer", timer: "transfer" },
      { type: "clearTimer", timer: "retry" },
      { type: "closeRequest", attempt },
    ]);
    expect(device.on({ type: "responseStarted", attempt, status: 200, headers: {} }).effects).deep.equal([]);
    expect(device.state.phase).equal("streaming");
  });

  // The kind: what an owner decides with the token comes before what a server does, or fails to do.
  it("ends a download in any phase before the image is complete, whose events are then stale", () => {
    for (const phase of ["resuming", "fetching", "requesting", "streaming", "waiting"] as const)
      for (const offer of [UNSIGNED, signed(), ESPOTA]) {
        const device = new Device(phase);
        const { attempt } = device.state;
        device.offered(offer);
        expect(device.asked.slice(0, 4), phase).deep.equal([
          "log",
          "clearTimer",
          "clearTimer",
          "closeRequest",
        ]);
        expect(device.effects[3], phase).deep.equal({ type: "closeRequest", attempt });
        expect(device.state.phase, phase).equal(offer.release ? "verifying" : "streaming");
        const pushed = device.state;
        for (const late of [
          { type: "responseData", attempt, bytes: new Uint8Array(8) },
          { type: "responseEnded", attempt },
          { type: "requestFailed", attempt, message: "no" },
          { type: "slotWritten", attempt, offset: 0, length: 8 },
          { type: "slotErased", attempt, offset: 0, length: 4096 },
          { type: "slotHashed", attempt, offset: 0, digest: new Uint8Array(32) },
          { type: "slotFailed", attempt, message: "no" },
        ] as const)
          expect(device.on(late).state, `${phase}: ${late.type}`).equal(pushed);
      }
  });

  it("ends the verification of an offer", () => {
    const device = new Device("verifying");
    const state = device.state as Extract<UpdateState, { readonly phase: "verifying" }>;
    const offer = {
      firmwareId: 7,
      version: "1.1.0",
      build: 0,
      downloadUrl: "/",
      digestsUrl: "/",
      releaseEnd: "",
    };
    device.state = { ...state, unverified: { ...state.unverified, kind: "server", offer } };
    const { attempt } = device.state;
    expect(device.offered(UNSIGNED).state.phase).equal("streaming");
    expect(device.on({ type: "signatureVerified", attempt, good: true }).state.phase).equal("streaming");
    expect(jobOf(device.state).source.kind).equal("push");
  });

  it("that is refused leaves the download to the next check", () => {
    const device = new Device("streaming").offered(signed({}, "key-2"));
    expect(device.answer).match(/^422 /);
    expect(device.state.phase).equal("idle");
    expect(device.effects).deep.include({ type: "setTimer", timer: "check", delayMs: 120_000 });
  });

  it("waits, with a sentence, for another push and for what cannot be stopped halfway", () => {
    const complete =
      /^409 .*another update is in progress: 1\.1\.0 has arrived and is being verified, try again/;
    const restarting =
      /^409 .*another update is in progress: the device is about to restart into it, try again/;
    for (const [phase, sentence] of [
      ["verifying", /^409 .*another update is in progress: an image is being pushed/],
      ["proving", complete],
      ["arming", complete],
      ["restarting", restarting],
      ["rearming", restarting],
    ] as const) {
      const device = new Device(phase);
      const before = device.state;
      expect(device.offered(UNSIGNED).answer, phase).match(sentence);
      expect(device.state, phase).equal(before);
    }
    expect(new Device().offered(UNSIGNED).offered({ ...UNSIGNED, connection: 4 }).answer).match(
      /^409 .*an image is being pushed/,
    );
    expect(new Device("idle", true).offered(signed()).answer).match(/^409 .*trial run/);
    expect(new Device("proving").offered(ESPOTA).answer).match(/^ERROR: another update is in progress/);
  });

  it("is refused for what its release says, before anything is written", () => {
    const refusals: readonly (readonly [PushOffer, RegExp])[] = [
      [{ ...UNSIGNED, release: "a.b" }, /^422 .*three parts/],
      [signed({}, "key-2"), /^422 .*key-2, which this firmware does not trust/],
      [signed({ chip: "esp32c3" }), /^422 .*chip esp32c3/],
      [signed({ type: "led" }), /^422 /],
      [signed({ version: "1.0.0" }), /^422 .*newer/],
      [
        signed({ size: SIZE + 1, chunks: PAYLOAD.chunks }),
        /^422 .*body is 40000 bytes, its release says 40001/,
      ],
      [signed({ size: 0x200001, chunkSize: 0x100000 }), /^413 .*2097153 bytes/],
    ];
    for (const [offer, message] of refusals) {
      const device = new Device().offered(offer);
      if (device.state.phase === "verifying") device.verified();
      expect(device.answer).match(message);
      expect(device.state.phase).equal("idle");
      expect(device.effects.slice(-2)).deep.include.members([{ type: "forget", key: OFFER_NOTE_KEY }]);
      expect(device.effects.at(-2)).include({ type: "setTimer", timer: "check" });
    }
    expect(new Device().offered(signed()).verified(false).answer).match(/^422 .*does not match the release/);
  });

  it("may stall three times, then it is given up", () => {
    const device = new Device().offered(UNSIGNED);
    for (let i = 1; i <= RECEIVE_RETRIES; i++) {
      device.timedOut();
      expect(device.asked, `time ${i}`).deep.equal(["log", "setTimer"]);
      expect(device.effects[1]).deep.equal({ type: "setTimer", timer: "transfer", delayMs: STALL_MS });
    }
    expect(device.timedOut().answer).match(/^408 .*no byte for 30 s, 4 times in a row, at byte 0 of 40000/);
    expect(device.state.phase).equal("idle");
  });

  it("may stall as often again after each byte", () => {
    const device = new Device().offered(UNSIGNED);
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < RECEIVE_RETRIES; i++) device.timedOut();
      expect(device.state.phase).equal("streaming");
      device.data(round === 0 ? imageHead() : new Uint8Array(10));
      const { attempt } = device.state;
      const { offset, pending } = jobOf(device.state);
      device.on({ type: "slotErased", attempt, offset: 0, length: 4096 });
      device.on({ type: "slotWritten", attempt, offset, length: pending?.length ?? 0 });
    }
    expect(jobOf(device.state).offset).equal(420);
  });

  it("ends when its sender disconnects, and only then", () => {
    const device = new Device().offered(UNSIGNED);
    expect(device.on({ type: "pushClosed", connection: 4 }).effects).deep.equal([]);
    expect(device.data(imageHead(), 4).effects).deep.equal([]);
    expect(device.on({ type: "pushClosed", connection: 3 }).answer).match(/^400 .*ended at byte 0 of 40000/);
    expect(device.state.phase).equal("idle");
  });

  it("is never tried again, and is not reported to the server", () => {
    const device = new Device().offered(UNSIGNED);
    device.on({ type: "pushClosed", connection: 3 });
    const raised = device.effects.flatMap((effect) => (effect.type === "raise" ? [effect.event.type] : []));
    expect(raised).deep.equal(["updateFailed"]);
    expect(device.asked).not.include("startRequest");
    expect(device.state.refused).equal(undefined);
  });
});

describe("the bytes of a push", () => {
  const SIZE = 3 * 4096 + 160;
  const pushed = (options: Partial<DownloadOptions>, offer: Parameters<Download["push"]>[0] = {}) =>
    new Download({ sizeBytes: SIZE, ...options }).push(offer);
  const answerOf = ({ answers }: Download) => `${answers[0]?.status} ${answers[0]?.body}`;

  it("are installed when they are the image that was announced, and the sender is answered once", () => {
    const download = pushed({});
    expect(download.outcome).equal("restarting");
    expect(download.flash.slice(0, SIZE)).deep.equal(download.image);
    expect(download.answers).length(1);
    expect(answerOf(download)).equal("200 OTA update successful, rebooting...\n");
    expect(download.dirtyWriteCount).equal(0);
  });

  it("of a signed release are checked against its digests", () => {
    const { release } = new Download({ sizeBytes: SIZE, listsChunks: true });
    expect(pushed({}, { release }).outcome).equal("restarting");
    const other = pushed({ alter: (image) => image.set([1], 9000) }, { release });
    expect(answerOf(other)).match(/^422 .*bytes 8192 to 12287 do not have the digest/);
  });

  it("are refused, before anything is erased, for what the image says of itself", () => {
    const refusals: readonly (readonly [Partial<DownloadOptions>, RegExp])[] = [
      [{ alter: (image) => image.set([5], 12) }, /^422 .*image is for chip esp32c3/],
      [{ alter: (image) => image.set([0], 23) }, /^422 .*no SHA-256 of itself/],
      [{ alter: (image) => image.set([0x7f], 0) }, /^422 .*first byte is 0x7f/],
      [{ booted: { image: { ...IMAGE, securityVersion: 3 } } }, /^422 .*security version 0, 3 runs/],
    ];
    for (const [options, message] of refusals) {
      const download = pushed(options);
      expect(answerOf(download)).match(message);
      expect(download.erasedCount).equal(0);
    }
  });

  it("are refused when there are more of them than the image has", () => {
    const { image } = new Download({ sizeBytes: SIZE });
    const longer = new Uint8Array(SIZE + 16);
    longer.set(image);
    const download = new Download({ sizeBytes: SIZE }).push({}, longer);
    expect(answerOf(download)).match(/^422 .*file is 12464 bytes, the image in it is 12448/);
    expect(download.types).not.include("armSlot");
  });

  it("may be followed by the padding and the signatures of Secure Boot, and by nothing shorter or longer", () => {
    const { image } = new Download({ sizeBytes: SIZE });
    const push = (length: number): Download => {
      const file = new Uint8Array(length).fill(0xff);
      file.set(image);
      return new Download({ sizeBytes: SIZE }).push({}, file);
    };
    const download = push(5 * 4096);
    expect(download.outcome).equal("restarting");
    const armed = download.effects.find(({ type }) => type === "armSlot");
    expect(armed)
      .property("imageSha256")
      .equal(hex(image.slice(-32)));
    for (const length of [4 * 4096, 5 * 4096 - 16, 5 * 4096 + 16, 6 * 4096])
      expect(answerOf(push(length)), `${length}`).match(/^422 .*the image in it is 12448/);
  });

  it("by espota are acknowledged piece by piece, as they are written", () => {
    const { image } = new Download({ sizeBytes: SIZE });
    const espota = { address: "192.168.1.9", port: 4000, replyPort: 5000, md5: hex(md5(image)) };
    const download = pushed({}, { espota });
    const counts = download.effects.flatMap((effect) =>
      effect.type === "acknowledgePush" ? [effect.count] : [],
    );
    expect(counts.reduce((sum, count) => sum + count, 0)).equal(SIZE);
    expect(download.answers[0]).include({ status: 200, body: "OK" });
  });
});

describe("the answer to the sender of a push", () => {
  const http = { kind: "push", connection: 3, acknowledged: false } as const;
  const espota = { kind: "push", connection: -1, acknowledged: true } as const;
  const text = (effect: Effect) =>
    effect.type === "answerPush"
      ? `${effect.connection} ${effect.response.status} ${effect.response.body}`
      : "";

  it("has a status by the cause of a failure", () => {
    const statuses = (codes: readonly UpdateErrorCode[]) =>
      codes.map((code) => text(pushFailed(http, { code, message: "no" })).split(" ")[1]).join(" ");
    expect(statuses(["IMAGE_TOO_LARGE", "BODY_TRUNCATED", "CONNECT_FAILED"])).equal("413 400 400");
    expect(statuses(["SERVER_STALLED", "FLASH_FAILED", "ARM_FAILED"])).equal("408 500 500");
    expect(statuses(["WRONG_CHIP", "SIGNATURE_INVALID", "CHUNK_MISMATCH", "IMAGE_MISMATCH"])).equal(
      "422 422 422 422",
    );
    expect(text(pushFailed(http, { code: "WRONG_CHIP", message: "no" }))).equal("3 422 no\n");
    expect(text(pushFailed({ ...http, isJson: true }, { code: "WRONG_CHIP", message: "no" }))).equal(
      '3 422 {"ok":false,"message":"no"}',
    );
  });

  it("is a plain sentence for espota, which looks for its OK anywhere", () => {
    expect(text(pushFailed(espota, { code: "ARM_FAILED", message: "not ESP_OK" }))).equal(
      "-1 500 ERROR: not ESP_ok",
    );
  });

  it("says in JSON which version is in which slot, and when it restarts", () => {
    const { state } = new Device().offered(UNSIGNED);
    const { release } = jobOf(state);
    expect(text(pushSucceeded(state, http, release))).equal("3 200 OTA update successful, rebooting...\n");
    const asJson = { ...http, isJson: true };
    expect(text(pushSucceeded(state, asJson, { ...release, version: "1.1.0" }))).equal(
      `3 200 {"ok":true,"version":"1.1.0","build":0,"slot":"ota_0","restart_ms":${PUSH_RESTART_DELAY_MS}}`,
    );
    expect(text(pushSucceeded(state, espota, release))).equal("-1 200 OK");
  });
});
