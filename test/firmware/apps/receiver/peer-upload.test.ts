// The transmitter's image on its way into the receiver, event by event: who may send one, what is read, and what the sender is told.

import { createHmac } from "node:crypto";
import { expect } from "chai";
import {
  initialPeerUpload,
  isPeerUploads,
  type PeerUploadEffect,
  type PeerUploadInput,
  type PeerUploadState,
  peerUploadStep,
  type UploadPlace,
} from "../../../../firmware/apps/receiver/core/peer-upload.js";
import { initialPush } from "../../../../firmware/core/local/push.js";
import { KEY } from "../../core/events.js";
import { HEADER, jws, PAGED } from "../../core/releases.js";

const STAMP = { at: 0, random: 0.5, freeHeapBytes: 100_000 };
const TOKEN = "let-me-in-please";
const SIZE = 40_000;
const RELEASE = jws({ ...PAGED, type: "transmitter" });
const CONNECTION = 3;

class Receiver {
  state: PeerUploadState = initialPeerUpload;
  effects: readonly PeerUploadEffect[] = [];
  place: UploadPlace = {
    trust: { root: undefined, keys: [KEY] },
    push: {
      ...initialPush,
      token: TOKEN,
      listening: true,
      slotBytes: 1_000,
    },
    cacheBytes: 100_000,
    hindrance: undefined,
  };

  give(event: object): this {
    [this.state, this.effects] = peerUploadStep(
      this.state,
      { ...event, ...STAMP } as PeerUploadInput,
      this.place,
    );
    return this;
  }

  /** @param release as core keeps it; absent: none */
  request(headers: object = {}, release: string | undefined = RELEASE, connection = CONNECTION): this {
    const { push } = this.place;
    this.place = {
      ...this.place,
      push: { ...push, release: release === undefined ? undefined : { text: release, untilMs: 600_000 } },
    };
    const all = { authorization: `Bearer ${TOKEN}`, "content-length": `${SIZE}`, ...headers };
    const head = { method: "POST", path: "/api/ota/upload", query: "device=transmitter", headers: all };
    return this.give({ type: "pushRequested", connection, head });
  }

  verified = (good = true): this =>
    this.give({ type: "signatureVerified", attempt: this.state.attempt, good });
  wants = (maxBytes: number): this => this.give({ type: "uploadWants", maxBytes });
  comes = (count: number): this => this.give({ type: "pushReadable", connection: CONNECTION, count });
  read = (count: number): this =>
    this.give({ type: "pushData", connection: CONNECTION, bytes: new Uint8Array(count) });

  /** All of the file, as the cache asks for it. */
  whole(): this {
    this.request().verified().wants(4_096);
    for (let left = SIZE; left > 0; left -= 4_096) {
      this.comes(Math.min(4_096, left)).read(Math.min(4_096, left));
      if (left > 4_096) this.wants(Math.min(4_096, left - 4_096));
    }
    return this;
  }

  get types(): string[] {
    return this.effects.map(({ type }) => type);
  }
  get answer() {
    const found = this.effects.find(({ type }) => type === "answerPush");
    if (found?.type !== "answerPush") return undefined;
    return { status: found.response.status, ...JSON.parse(found.response.body) };
  }
  get proof() {
    const found = this.effects.find(({ type }) => type === "proofChanged");
    return found?.type === "proofChanged" ? found.proof : undefined;
  }
  get told() {
    return this.effects.flatMap((effect) => (effect.type === "tellGateway" ? [effect.event.type] : []));
  }
  get reads() {
    return this.effects.flatMap((effect) => (effect.type === "readPush" ? [effect.maxBytes] : []));
  }
}

describe("the transmitter's image, uploaded to the receiver", () => {
  it("is authorised by an answer to a challenge, which is about one image", () => {
    const [path, key] = ["/api/ota/upload?device=transmitter", "a".repeat(64)];
    for (const [image, type] of [
      [PAGED.sha256, "verifySignature"],
      ["f".repeat(64), "answerPush"],
    ] as const) {
      const receiver = new Receiver().request({ authorization: undefined });
      expect(receiver.answer?.status).equal(401);
      const proof = receiver.proof!;
      const { text: nonce } = proof.challenges.nonces[0]!;
      receiver.place = { ...receiver.place, push: { ...receiver.place.push, proof: { ...proof, key } } };
      const mac = createHmac("sha256", key)
        .update(`skyslot-1\n${nonce}\nPOST ${path}\n${image}`)
        .digest("hex");
      receiver.request({ authorization: `Skyslot nonce="${nonce}", sha256="${image}", mac="${mac}"` });
      expect(receiver.types).deep.equal(["proofChanged", "makeMac"]);
      receiver.place = { ...receiver.place, push: { ...receiver.place.push, proof: receiver.proof! } };
      receiver.give({ type: "macMade", connection: CONNECTION, mac });
      expect(receiver.types).deep.equal([
        "releaseUsed",
        "proofChanged",
        ...(type === "answerPush" ? ["clearTimer"] : []),
        type,
      ]);
      if (type === "answerPush")
        expect(receiver.answer?.message).match(/another image than the one that the answer/);
    }
  });

  it("is verified before a byte of it is taken, and uses the release up", () => {
    const receiver = new Receiver().request();
    expect(receiver.types).deep.equal(["releaseUsed", "proofChanged", "verifySignature"]);
    expect(receiver.verified().told).deep.equal(["uploadOffered"]);
    expect(receiver.types).include("setTimer");
    expect(receiver.wants(4_096).types, "the sender may begin").deep.equal(["continuePush"]);
  });

  it("is read as the cache asks for it, never more, and answered when that has proved it", () => {
    const receiver = new Receiver().request().verified().wants(4_096);
    expect(receiver.comes(1_436).reads).deep.equal([1_436]);
    expect(receiver.read(1_436).told).deep.equal(["uploadArrived"]);
    expect(receiver.comes(10_000).reads, "nothing before the cache asks").deep.equal([]);
    expect(receiver.wants(2_660).reads).deep.equal([2_660]);
    expect(receiver.types).not.include("continuePush");
    const whole = new Receiver().whole();
    expect(whole.state.upload?.phase).equal("proving");
    expect(whole.types).include("clearTimer");
    expect(whole.comes(5).reads).deep.equal([]);
    expect(whole.give({ type: "uploadStored" }).answer).deep.equal({
      status: 200,
      success: true,
      message: "1.1.0 for the transmitter is uploaded: install it now, or upload another",
      size: SIZE,
      version: "1.1.0",
      build: 0,
      type: "transmitter",
      sha256: PAGED.sha256,
      imageSha256: PAGED.imageSha256,
    });
    expect(whole.state.upload).equal(undefined);
  });

  it("comes as a form, too, whose head is read first", () => {
    const head = '--b\r\nContent-Disposition: form-data; name="f"; filename="t.bin"\r\n\r\n';
    const end = "\r\n--b--\r\n";
    const receiver = new Receiver().request({
      "content-type": "multipart/form-data; boundary=b",
      "content-length": `${head.length + SIZE + end.length}`,
    });
    expect(receiver.types).deep.equal(["releaseUsed", "proofChanged", "continuePush"]);
    receiver.comes(head.length);
    for (let at = 0; at < head.length && receiver.reads.length > 0; ) {
      const [count = 0] = receiver.reads;
      const bytes = new TextEncoder().encode(head.slice(at, at + count));
      receiver.give({ type: "pushData", connection: CONNECTION, bytes });
      at += count;
    }
    expect(receiver.types).deep.equal(["verifySignature"]);
    expect(receiver.state).include({ form: undefined });
    expect(receiver.state.upload).include({ leftBytes: SIZE });
  });

  it("is refused to those who may not, and without a release that the receiver trusts", () => {
    const refusal = (headers: object, release: string | undefined = RELEASE) => {
      const { answer, state } = new Receiver().request(headers, release);
      expect(state.upload).equal(undefined);
      return answer;
    };
    expect(refusal({ authorization: "Bearer wrong-token" })).include({ status: 403, success: false });
    expect(refusal({ "content-length": "100001" }).status).equal(413);
    expect(refusal({ "content-length": "39999" })).include({ status: 422 });
    expect(refusal({}, jws({ ...PAGED, type: "receiver" })).message).include("is for receiver");
    expect(refusal({}, jws({ ...PAGED, type: "transmitter" }, { ...HEADER, kid: "other" })).message).include(
      "does not trust",
    );
    expect(refusal({}, "nonsense").status).equal(422);
    const none = new Receiver();
    none.request({}, "");
    expect(none.state.upload).equal(undefined);
    const without = new Receiver();
    without.place = { ...without.place, push: { ...without.place.push, acceptUnsigned: true } };
    const head = {
      method: "POST",
      path: "/api/ota/upload",
      headers: { authorization: `Bearer ${TOKEN}`, "content-length": `${SIZE}` },
    };
    without.give({ type: "pushRequested", connection: 1, head });
    expect(without.answer).include({ status: 403 });
    expect(without.answer.message).include("needs its signed release");
    expect(new Receiver().request().verified(false).answer).include({ status: 422 });
  });

  it("waits for nothing else: one at a time, and none while both are being updated", () => {
    const receiver = new Receiver().request();
    const { upload } = receiver.state;
    expect(receiver.request({}, RELEASE, 4).answer).include({ status: 409 });
    expect(receiver.state.upload, "the first one goes on").equal(upload);
    const busy = new Receiver();
    busy.place = { ...busy.place, hindrance: "2.0.0 is being installed" };
    expect(busy.request().answer).include({ status: 409, message: "2.0.0 is being installed" });
  });

  it("is dropped when its sender stalls or goes, and when the cache refuses it", () => {
    const begun = () => new Receiver().request().verified().wants(4_096).comes(100).read(100);
    const stalled = begun().give({ type: "timerFired", timer: "upload.stall" });
    expect(stalled.answer).include({ status: 408 });
    expect(stalled.told).deep.equal(["uploadDropped"]);
    const gone = begun().give({ type: "pushClosed", connection: CONNECTION });
    expect([gone.answer, gone.told]).deep.equal([undefined, ["uploadDropped"]]);
    const early = new Receiver().request().give({ type: "pushClosed", connection: CONNECTION });
    expect([early.told, early.state.upload]).deep.equal([[], undefined]);
    const refused = begun().give({ type: "uploadFailed", message: "worn out" });
    expect(refused.answer).include({ status: 422, message: "worn out" });
    const proving = new Receiver().whole().give({ type: "pushClosed", connection: CONNECTION });
    expect(proving.state.upload?.phase, "all of it has come").equal("proving");
  });

  it("hears nothing of an image that was there before", () => {
    const verifying = new Receiver().request();
    const { state } = verifying;
    expect(verifying.give({ type: "uploadFailed", message: "spoilt" }).state).equal(state);
    expect(verifying.give({ type: "uploadStored" }).state).equal(state);
    const idle = new Receiver().give({ type: "uploadStored" }).give({ type: "uploadWants", maxBytes: 9 });
    expect([idle.state, idle.effects]).deep.equal([initialPeerUpload, []]);
    expect(idle.give({ type: "timerFired", timer: "upload.stall" }).effects).deep.equal([]);
  });

  it("is what a request says that names the transmitter; others are core's", () => {
    const { state } = new Receiver().request();
    const asked = (path: string, query?: string) =>
      isPeerUploads(initialPeerUpload, {
        type: "pushRequested",
        head: { path, ...(query ? { query } : {}) },
      });
    expect(asked("/api/ota/upload", "device=transmitter")).equal(true);
    expect(asked("/api/ota/upload", "x=1&device=transmitter")).equal(true);
    for (const [path, query] of [
      ["/api/ota/upload", undefined],
      ["/api/ota/upload", "device=receiver"],
      ["/update", "device=transmitter"],
    ] as const)
      expect(asked(path, query), `${path}?${query}`).equal(false);
    for (const [event, isIts] of [
      [{ type: "pushData", connection: CONNECTION }, true],
      [{ type: "pushData", connection: 4 }, false],
      [{ type: "signatureVerified", attempt: state.attempt }, true],
      [{ type: "signatureVerified", attempt: 2 }, false],
      [{ type: "timerFired", timer: "upload.stall" }, true],
      [{ type: "timerFired", timer: "check" }, false],
      [{ type: "booted" }, false],
    ] as const)
      expect(isPeerUploads(state, event), JSON.stringify(event)).equal(isIts);
  });
});
