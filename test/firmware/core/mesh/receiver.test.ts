import { expect } from "chai";
import type { Event } from "../../../../firmware/core/event.js";
import {
  type AnnounceMessage,
  type MeshImage,
  type PartMessage,
  readMessage,
} from "../../../../firmware/core/mesh/message.js";
import { neighboursStep } from "../../../../firmware/core/mesh/neighbours.js";
import { newNeighbours } from "../../../../firmware/core/mesh/neighbours-state.js";
import {
  announced,
  decoded,
  MAX_TRIES,
  MD5_KEY,
  newReceiver,
  type PushEffect,
  partHeard,
  pushAsked,
  REQUEST_MS,
  type ReceiverEffect,
  type ReceiverState,
  requestTimedOut,
} from "../../../../firmware/core/mesh/receiver.js";

const MD5 = "0123456789abcdef0123456789abcdef";
const OTHER_MD5 = "f".repeat(32);
const IMAGE: MeshImage = {
  md5: MD5,
  hardware: "ESP32",
  role: "led",
  partCount: 3,
  isForced: false,
  isBroadcast: false,
  isCompressed: false,
};
const SETTINGS = { role: "led", hardware: "ESP32", acceptsUnsigned: true, slotBytes: 500_000 };

/** Node 100, whose gateway 7 is its neighbour 1. */
const MESH = [
  { type: "meshConnected", neighbour: 1 } as const,
  { type: "meshReceived", neighbour: 1, text: '{"type":5,"nodeId":7,"from":7,"dest":0}' } as const,
].reduce(
  (state, event) => neighboursStep(state, { ...event, at: 0 })[0],
  newNeighbours(100, { isRoot: false, keepsTime: true }),
);

class Receiver {
  state: ReceiverState;
  effects: readonly ReceiverEffect[] = [];
  settings = SETTINGS;
  mesh = MESH;

  constructor(storedMd5?: string) {
    this.state = newReceiver(storedMd5);
  }
  announce(changes: Partial<MeshImage> = {}, more: Partial<AnnounceMessage> = {}): this {
    const message: AnnounceMessage = {
      kind: "announce",
      from: 7,
      dest: 0,
      routing: "broadcast",
      image: { ...IMAGE, ...changes },
      release: undefined,
      ...more,
    };
    [this.state, this.effects] = announced(this.state, message, this.settings, this.mesh);
    return this;
  }
  push(effect: Omit<PushEffect, "connection"> | object): this {
    const asked = { ...effect, connection: this.state.connection } as PushEffect;
    [this.state, this.effects] = pushAsked(this.state, asked, this.mesh);
    return this;
  }
  begin(changes: Partial<MeshImage> = {}): this {
    return this.announce(changes).push({ type: "continuePush" });
  }
  part(part: number, changes: Partial<MeshImage> = {}): this {
    const image = { ...IMAGE, ...changes };
    const message: PartMessage = {
      kind: "part",
      from: 7,
      dest: 100,
      routing: "single",
      image,
      part,
      data: "AAEC",
    };
    [this.state, this.effects] = partHeard(this.state, message, this.mesh);
    return this;
  }
  decode(bytes = new Uint8Array([0, 1, 2])): this {
    [this.state, this.effects] = decoded(this.state, bytes);
    return this;
  }
  /** A whole part, read at once. */
  take(part: number, changes: Partial<MeshImage> = {}): this {
    return this.part(part, changes).decode().push({ type: "readPush", maxBytes: 4096 });
  }
  timeOut(): this {
    [this.state, this.effects] = requestTimedOut(this.state, this.mesh);
    return this;
  }
  get raised(): Event[] {
    return this.effects.flatMap((effect) => (effect.type === "raise" ? [effect.event] : []));
  }
  /** Number of the part that is asked for, and of whom. */
  get request(): { part: number; dest: number; isBroadcast: boolean } | undefined {
    for (const effect of this.effects) {
      const message = effect.type === "sendMesh" ? readMessage(effect.text) : undefined;
      if (message?.kind === "request")
        return { part: message.part, dest: message.dest, isBroadcast: message.image.isBroadcast };
    }
    return undefined;
  }
  get isAsking(): boolean {
    return this.request !== undefined;
  }
}

describe("an image that the mesh announces", () => {
  it("is offered to the update machine, with its MD5 and the most that the slot takes", () => {
    const { raised, request } = new Receiver().announce();
    expect(request).equal(undefined);
    expect(raised).length(1);
    expect(raised[0]).deep.equal({
      type: "pushOffered",
      offer: { connection: -1_000_001, sizeBytes: 500_000, mesh: { md5: MD5 } },
    });
  });

  it("is asked for when the update machine lets it come", () => {
    const receiver = new Receiver().begin();
    expect(receiver.request).deep.equal({ part: 0, dest: 7, isBroadcast: false });
    expect(receiver.effects).deep.include({ type: "setTimer", timer: "mesh.request", delayMs: REQUEST_MS });
  });

  for (const [what, changes] of [
    ["another role", { role: "dht" }],
    ["a role that only begins alike", { role: "led2" }],
    ["other hardware", { hardware: "ESP8266" }],
    ["the MD5 that runs already", { md5: OTHER_MD5 }],
  ] as const)
    it(`is left alone when it has ${what}`, () => {
      expect(new Receiver(OTHER_MD5).announce(changes).effects).deep.equal([]);
    });

  it("that runs already is taken when it is forced", () => {
    expect(new Receiver(MD5).announce({ isForced: true }).raised).length(1);
  });

  it("that comes already is not begun again", () => {
    expect(new Receiver().begin().announce().effects).deep.equal([]);
  });

  it("without a signature is not taken where those are off, which is said once", () => {
    const receiver = new Receiver();
    receiver.settings = { ...SETTINGS, acceptsUnsigned: false };
    expect(receiver.announce().effects.map(({ type }) => type)).deep.equal(["log"]);
    expect(receiver.announce().effects).deep.equal([]);
    const { raised } = receiver.announce({}, { release: "a.b.c" });
    expect(raised[0]).deep.nested.property("offer.release", "a.b.c");
  });
});

describe("the parts of the mesh's image", () => {
  it("come strictly in order, and the last one is marked", () => {
    const receiver = new Receiver().begin();
    for (let part = 0; part < 3; part++) {
      receiver.part(part);
      expect(receiver.effects).deep.equal([{ type: "decodeMesh", text: "AAEC" }]);
      receiver.decode();
      expect(receiver.raised).deep.equal([{ type: "pushReadable", connection: -1_000_001, count: 3 }]);
      receiver.push({ type: "readPush", maxBytes: 4096 });
      const [data, closed] = receiver.raised;
      expect(data).include({ type: "pushData" });
      expect(data && "isLast" in data).equal(part === 2);
      expect(receiver.request?.part).equal(part < 2 ? part + 1 : undefined);
      expect(closed?.type).equal(part < 2 ? undefined : "pushClosed");
    }
  });

  it("are read in pieces, and the next part is asked for behind the last piece", () => {
    const receiver = new Receiver().begin().part(0).decode();
    receiver.push({ type: "readPush", maxBytes: 2 });
    expect(receiver.raised).deep.equal([
      { type: "pushData", connection: -1_000_001, bytes: new Uint8Array([0, 1]) },
    ]);
    expect(receiver.isAsking).equal(false);
    receiver.push({ type: "readPush", maxBytes: 2 });
    expect(receiver.raised[0]).deep.include({ bytes: new Uint8Array([2]) });
    expect(receiver.request?.part).equal(1);
  });

  it("that were not asked for, come twice, or are another image's, are dropped", () => {
    const receiver = new Receiver().begin();
    expect(receiver.part(1).effects).deep.equal([]);
    expect(receiver.part(0, { md5: OTHER_MD5 }).effects).deep.equal([]);
    expect(receiver.part(0, { role: "dht" }).effects).deep.equal([]);
    expect(receiver.part(0).effects).length(1);
    expect(receiver.part(0).effects, "it is being decoded").deep.equal([]);
    receiver.decode();
    expect(receiver.part(0).effects).deep.equal([]);
    expect(receiver.part(1).effects, "the last one is not read").deep.equal([]);
    expect(new Receiver().part(0).effects, "nothing was announced").deep.equal([]);
    expect(new Receiver().announce().part(0).effects, "nothing was asked for").deep.equal([]);
  });

  it("are asked for ten times each, every 30 s, and then the push ends", () => {
    const receiver = new Receiver().begin().take(0);
    for (let tries = 1; tries < MAX_TRIES; tries++) expect(receiver.timeOut().request?.part).equal(1);
    receiver.timeOut();
    expect(receiver.isAsking).equal(false);
    expect(receiver.raised).deep.equal([{ type: "pushClosed", connection: -1_000_001 }]);
    expect(receiver.timeOut().effects).deep.equal([]);
  });

  it("are counted anew for each part", () => {
    const receiver = new Receiver().begin();
    for (let tries = 1; tries < MAX_TRIES; tries++) receiver.timeOut();
    receiver.take(0);
    for (let tries = 1; tries < MAX_TRIES; tries++) expect(receiver.timeOut().request?.part).equal(1);
  });

  it("are asked for again later while there is no way to the sender", () => {
    const receiver = new Receiver().begin();
    receiver.mesh = { ...MESH, list: [] };
    expect(receiver.timeOut().isAsking).equal(false);
    expect(receiver.effects).deep.equal([{ type: "setTimer", timer: "mesh.request", delayMs: REQUEST_MS }]);
    receiver.mesh = MESH;
    expect(receiver.timeOut().request?.part).equal(0);
  });

  it("end with an empty one: the sender has cancelled", () => {
    const receiver = new Receiver().begin().take(0).part(1, { partCount: 2 }).decode(new Uint8Array(0));
    expect(receiver.raised).deep.equal([{ type: "pushClosed", connection: -1_000_001 }]);
  });
});

describe("the end of the mesh's image", () => {
  const ended = () => new Receiver().begin().take(0).take(1).take(2);

  it("is stored when it was taken, so that it is not taken again", () => {
    const receiver = ended().push({ type: "answerPush", response: { status: 200, headers: {}, body: "" } });
    expect(receiver.effects).deep.include({ type: "store", key: MD5_KEY, value: MD5 });
    expect(receiver.announce().effects).deep.equal([]);
    expect(receiver.announce({ md5: OTHER_MD5 }).raised).length(1);
  });

  it("without success leaves nothing behind, so that it can be announced again", () => {
    const receiver = ended().push({
      type: "answerPush",
      response: { status: 422, headers: {}, body: "the MD5 is wrong\n" },
    });
    expect(receiver.effects.map(({ type }) => type)).deep.equal(["clearTimer", "log"]);
    const { raised } = receiver.announce();
    expect(raised[0]).deep.nested.property("offer.connection", -1_000_002);
  });

  it("may come at any time: what the device does not want is not asked for any more", () => {
    const receiver = new Receiver().begin().take(0);
    receiver.push({ type: "answerPush", response: { status: 409, headers: {}, body: "busy" } });
    expect(receiver.timeOut().effects).deep.equal([]);
    expect(receiver.part(1).effects).deep.equal([]);
  });

  it("is for its own push only", () => {
    const receiver = new Receiver().begin();
    const other: PushEffect = { type: "readPush", connection: -1_000_009, maxBytes: 1 };
    expect(pushAsked(receiver.state, other, MESH)).deep.equal([receiver.state, []]);
  });
});

describe("a sender that leads", () => {
  const LED = { isBroadcast: true };

  it("is not asked for anything, as long as nothing is missed", () => {
    const receiver = new Receiver().begin(LED);
    expect(receiver.isAsking).equal(false);
    for (let part = 0; part < 3; part++) expect(receiver.take(part, LED).isAsking).equal(false);
  });

  it("is asked from the part on that was missed, or when it falls silent", () => {
    const missed = new Receiver().begin(LED).take(0, LED).part(2, LED);
    expect(missed.request).deep.equal({ part: 1, dest: 7, isBroadcast: false });
    expect(missed.take(1).request?.part).equal(2);
    const silent = new Receiver().begin(LED).take(0, LED).timeOut();
    expect(silent.request).deep.equal({ part: 1, dest: 7, isBroadcast: false });
  });
});

describe("another image that is announced meanwhile", () => {
  it("is asked for where the first one was, as the library does: it fails, and is begun anew", () => {
    const receiver = new Receiver().begin().take(0).announce({ md5: OTHER_MD5, partCount: 5 });
    expect(receiver.request?.part).equal(1);
    expect(receiver.part(1).effects, "the first image's").deep.equal([]);
    expect(receiver.part(1, { md5: OTHER_MD5, partCount: 5 }).effects).length(1);
  });

  it("waits for the part that is being taken", () => {
    const receiver = new Receiver().begin().part(0).announce({ md5: OTHER_MD5 });
    expect(receiver.effects).deep.equal([]);
    receiver.decode().push({ type: "readPush", maxBytes: 9 });
    expect(receiver.request?.part).equal(1);
  });
});
