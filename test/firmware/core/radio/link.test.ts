// The link in core's terms: what it makes of core's effects, and in which order core hears of it.

import { expect } from "chai";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Stamp } from "../../../../firmware/core/event.js";
import { writeBeacon } from "../../../../firmware/core/radio/beacon.js";
import type { BlockNews } from "../../../../firmware/core/radio/block-vocabulary.js";
import { allFragments, fragmentsOf } from "../../../../firmware/core/radio/exchange-frames.js";
import { type ExchangeAnswer, writeAnswer } from "../../../../firmware/core/radio/exchange-message.js";
import {
  isTransport,
  type LinkEvent,
  type LinkOutput,
  type LinkState,
  linkBlocks,
  linkEffect,
  linkHeard,
  newLink,
  nextOfLink,
  stopBlocks,
} from "../../../../firmware/core/radio/link.js";
import type { RadioEvent } from "../../../../firmware/core/radio/vocabulary.js";

const GATEWAY = "24:0a:c4:00:00:01";
const SERVER = "http://updates.test:8080";
const IMAGE_URL = `${SERVER}/api/ota/download/7?device=a`;
const BLOCKS = Object.freeze({ "x-skyslot-blocks": "0123456789abcdef 40000 16384" });

class Link {
  state: LinkState = newLink(1, undefined);
  outputs: readonly LinkOutput[] = [];
  at = 0;

  static joined(): Link {
    const link = new Link().effect({ type: "joinWifi", attempt: 3, ssid: "", password: "", hostName: "a" });
    link.frame(writeBeacon({ type: "beacon", group: 1, channel: 1 }));
    expect(link.events()).deep.equal([{ type: "wifiJoined", attempt: 3, address: GATEWAY, rssi: -60 }]);
    return link;
  }
  effect(effect: Effect): this {
    return this.#take(linkEffect(this.state, effect, SERVER, this.#stamp));
  }
  get(attempt: number, url: string, range?: string): this {
    const headers: Record<string, string> = range === undefined ? {} : { range };
    return this.effect({ type: "startRequest", attempt, request: { method: "GET", url, headers } });
  }
  frame(bytes: Uint8Array, from = GATEWAY): this {
    return this.#take(
      linkHeard(
        this.state,
        { type: "frameReceived", from, isBroadcast: false, bytes, rssi: -60 },
        this.#stamp,
      ),
    );
  }
  radio(event: RadioEvent): this {
    return this.#take(linkHeard(this.state, event, this.#stamp));
  }
  fire(timer: string): this {
    return this.#take(linkHeard(this.state, { type: "timerFired", timer }, this.#stamp));
  }
  /** The gateway answers the exchange that is under way. */
  answer(answer: Partial<ExchangeAnswer>): this {
    const message = writeAnswer({ status: 200, headers: {}, body: new Uint8Array(0), ...answer })!;
    const { id } = this.state.client;
    for (let there = 0; there < allFragments(Math.ceil(message.length / 240)); )
      for (const bytes of fragmentsOf("give", id, message, there)) {
        this.frame(bytes);
        there = there * 2 + 1;
      }
    return this;
  }
  news(report: BlockNews): this {
    this.state = linkBlocks(this.state, report);
    return this;
  }
  next(): LinkEvent | undefined {
    const [state, event] = nextOfLink(this.state);
    this.state = state;
    return event;
  }
  events(): LinkEvent[] {
    const events: LinkEvent[] = [];
    for (let event = this.next(); event; event = this.next()) events.push(event);
    return events;
  }
  get order() {
    const found = this.outputs.find((output) => output.type === "receiveBlocks");
    return found?.type === "receiveBlocks" ? found.order : undefined;
  }
  get types(): string[] {
    return this.outputs.map(({ type }) => type);
  }
  #take([state, outputs]: readonly [LinkState, readonly LinkOutput[]]): this {
    this.state = state;
    this.outputs = outputs;
    return this;
  }
  get #stamp(): Stamp {
    return { at: this.at, random: 0.5, freeHeapBytes: 0 };
  }
}

/** An image of three chunks is on its way from its first. */
function receiving(): Link {
  const link = Link.joined().get(10, IMAGE_URL).answer({ status: 206, headers: BLOCKS });
  expect(link.order).include({ start: 0, end: 40_000, imageBytes: 40_000, gateway: GATEWAY });
  return link;
}

const stored = (link: Link, index: number): BlockNews => ({
  type: "blockStored",
  attempt: link.state.arriving!.attempt,
  offset: index * 16_384,
  length: Math.min(16_384, 40_000 - index * 16_384),
});

describe("the link of a device without a network", () => {
  it("carries out core's network, and nothing else", () => {
    expect(
      ["joinWifi", "startRequest", "announce", "startServer"].every((type) => isTransport({ type })),
    ).equal(true);
    expect(["writeSlot", "store", "restart", "log", "setTimer"].some((type) => isTransport({ type }))).equal(
      false,
    );
  });

  it("hands a collected answer over as HTTP's: head, then body", () => {
    const body = new TextEncoder().encode('{"a":"ü"}');
    const link = Link.joined()
      .get(4, `${SERVER}/api/ota/x`)
      .answer({ headers: { etag: "1" }, body });
    expect(link.next()).deep.equal({
      type: "responseStarted",
      attempt: 4,
      status: 200,
      headers: { etag: "1" },
    });
    link.effect({ type: "collectResponse", attempt: 4, maxBytes: 100, as: "text" });
    expect(link.events()).deep.equal([{ type: "textCollected", attempt: 4, text: '{"a":"ü"}' }]);
  });

  it("tells of a radio that has failed once, until a frame has gone out", () => {
    const link = new Link().effect({ type: "joinWifi", attempt: 3, ssid: "", password: "", hostName: "a" });
    const logs = () => link.outputs.filter(({ type }) => type === "log");
    link.radio({ type: "radioFailed", message: "error 1" });
    expect(logs()).deep.equal([{ type: "log", level: "error", message: "the radio has failed: error 1" }]);
    link.fire("radio.seek");
    expect(link.outputs[0]).deep.equal({ type: "startRadio", channel: 1 });
    link.radio({ type: "radioFailed", message: "error 2" });
    expect(logs()).deep.equal([]);
    link.radio({ type: "frameSent", frame: 0, isAcknowledged: false });
    link.radio({ type: "radioFailed", message: "error 2" });
    expect(logs(), "the driver took none").deep.equal([]);
    link.radio({ type: "frameSent", frame: 0, isAcknowledged: true });
    link.radio({ type: "radioFailed", message: "error 3" });
    expect(logs()).length(1);
  });

  it("cuts collected bytes, and refuses a text that is longer, or none", () => {
    const collected = (body: Uint8Array, as: "bytes" | "text") => {
      const link = Link.joined().get(4, `${SERVER}/x`).answer({ body });
      link.next();
      return link.effect({ type: "collectResponse", attempt: 4, maxBytes: 2, as }).next();
    };
    expect(collected(Uint8Array.of(1, 2, 3), "bytes")).deep.equal({
      type: "bytesCollected",
      attempt: 4,
      bytes: Uint8Array.of(1, 2),
    });
    expect(collected(Uint8Array.of(65, 66, 67), "text")).include({ type: "requestFailed" });
    expect(collected(Uint8Array.of(0xff), "text")).include({ message: "the answer is no UTF-8 text" });
  });

  it("lets core read a body in pieces", () => {
    const link = Link.joined()
      .get(4, `${SERVER}/x`)
      .answer({ body: Uint8Array.of(1, 2, 3) });
    expect(link.events().map(({ type }) => type)).deep.equal(["responseStarted", "responseReadable"]);
    link.effect({ type: "readResponse", attempt: 4, maxBytes: 2 });
    expect(link.events()).deep.equal([
      { type: "responseData", attempt: 4, bytes: Uint8Array.of(1, 2) },
      { type: "responseReadable", attempt: 4, count: 1 },
    ]);
    link.effect({ type: "readResponse", attempt: 4, maxBytes: 2 });
    expect(link.events().map(({ type }) => type)).deep.equal(["responseData", "responseEnded"]);
    expect(link.state.answers).deep.equal([]);
  });

  it("tells nothing more of a request that core has closed", () => {
    const link = Link.joined()
      .get(4, `${SERVER}/x`)
      .answer({ body: Uint8Array.of(1) });
    link.effect({ type: "closeRequest", attempt: 4 });
    expect(link.events()).deep.equal([]);
    link.get(6, `${SERVER}/x`).effect({ type: "closeRequest", attempt: 6 });
    expect(link.state.client.phase).equal("idle");
    link.answer({});
    expect(link.events()).deep.equal([]);
  });

  it("asks one after the other, and at most four wait", () => {
    const link = Link.joined();
    for (let attempt = 1; attempt <= 5; attempt++) link.get(attempt, `${SERVER}/${attempt}`);
    expect(link.events()).deep.equal([
      { type: "requestFailed", attempt: 5, message: "too many requests at once" },
    ]);
    for (let attempt = 1; attempt <= 4; attempt++) {
      link.answer({ status: 200 + attempt });
      expect(link.events()[0]).include({ type: "responseStarted", attempt, status: 200 + attempt });
    }
    expect(link.state.client.phase).equal("idle");
  });

  it("fails what cannot be asked", () => {
    const failure = (link: Link) => link.events().map((event) => ("message" in event ? event.message : ""));
    expect(failure(new Link().get(4, `${SERVER}/x`))).deep.equal(["no gateway is in range"]);
    expect(failure(Link.joined().get(4, "http://elsewhere.test/x"))[0]).include(
      "only, not to http://elsewhere.test",
    );
    expect(failure(Link.joined().get(4, "ftp://x"))[0]).include("begins with ftp");
    const body = "x".repeat(9_000);
    const link = Link.joined().effect({
      type: "startRequest",
      attempt: 4,
      request: { method: "POST", url: `${SERVER}/x`, headers: {}, body },
    });
    expect(failure(link)).deep.equal(["the request is too long for the radio"]);
    expect(failure(Link.joined().get(4, `${SERVER}/x`).answer({ status: 777 }))).deep.equal([
      "the answer of the gateway is malformed",
    ]);
  });

  it("finds no networks, and has no pages", () => {
    const link = Link.joined().effect({ type: "scanWifi", attempt: 9 });
    expect(link.events()).deep.equal([{ type: "scanCompleted", attempt: 9, networks: [] }]);
    for (const effect of [{ type: "leaveWifi" }, { type: "stopServer" }, { type: "withdraw" }] as const)
      expect(link.effect(effect).outputs).deep.equal([]);
  });

  it("tells core of a chunk that is stored, and receives the next ones meanwhile", () => {
    const link = receiving();
    link.news({ type: "blockProgress", attempt: link.state.arriving!.attempt });
    expect(link.events()).deep.equal([{ type: "chunkProgress", attempt: 10 }]);
    link.news(stored(link, 0));
    expect(link.events()).deep.equal([{ type: "chunkStored", attempt: 10 }]);
    expect(link.effect({ type: "closeRequest", attempt: 10 }).outputs).deep.equal([]);
    link.news(stored(link, 1));
    expect(link.events()).deep.equal([]);
    expect(link.get(12, IMAGE_URL, "bytes=16384-39999").outputs).deep.equal([]);
    expect(link.events()).deep.equal([{ type: "chunkStored", attempt: 12 }]);
    expect(link.get(14, IMAGE_URL, "bytes=32768-39999").outputs).deep.equal([]);
    expect(link.events()).deep.equal([]);
    link.news(stored(link, 2));
    expect(link.events()).deep.equal([{ type: "chunkStored", attempt: 14 }]);
  });

  it("knows blocks that came before those in front of them, and fetches only what was wrong again", () => {
    const link = receiving();
    expect(link.order).include({ start: 0, end: 40_000 });
    link.news(stored(link, 2)).news(stored(link, 0));
    expect(link.events()).deep.equal([{ type: "chunkStored", attempt: 10 }]);
    link.get(12, IMAGE_URL, "bytes=0-39999").answer({ status: 206, headers: BLOCKS });
    expect([...link.order!.stored!], "but for the first").deep.equal([0b100]);
    link.news(stored(link, 0)).news(stored(link, 1)).events();
    link.get(14, IMAGE_URL, "bytes=32768-39999");
    expect(link.events()).deep.equal([{ type: "chunkStored", attempt: 14 }]);
  });

  it("asks for nothing while its gateway broadcasts an image, but not forever", () => {
    const link = Link.joined();
    const part = Uint8Array.of(0x3a, 0, 0, 1, 9);
    link.at = 5_000;
    link.frame(part).get(10, SERVER);
    expect(link.types).deep.equal(["setTimer"]);
    link.at = 5_900;
    expect(link.fire("radio.turn").types).deep.equal(["setTimer"]);
    link.at = 6_000;
    expect(link.fire("radio.turn").types).include("sendFrame");
    expect(link.fire("radio.turn").types, "it is asking").deep.equal([]);

    const other = Link.joined();
    other.at = 5_000;
    other.frame(part).get(10, SERVER);
    for (other.at = 6_000; other.at < 15_000; other.at += 500)
      expect(other.frame(part).fire("radio.turn").types, `${other.at}`).deep.equal(["setTimer"]);
    expect(other.fire("radio.turn").types, "it has waited for 10 s").include("sendFrame");
  });

  it("waits for no other's broadcast", () => {
    const link = Link.joined();
    link.at = 5_000;
    link.frame(Uint8Array.of(0x3a, 0, 0, 1, 9), "24:0a:c4:00:00:09").frame(Uint8Array.of(0x30));
    expect(link.get(10, SERVER).types).include("sendFrame");
  });

  it("waits for all blocks of a larger chunk", () => {
    const headers = { "x-skyslot-blocks": "0123456789abcdef 40000 32768" };
    const link = Link.joined().get(10, IMAGE_URL).answer({ headers });
    expect(link.news(stored(link, 0)).events()).deep.equal([]);
    expect(link.news(stored(link, 1)).events()).deep.equal([{ type: "chunkStored", attempt: 10 }]);
  });

  it("asks its gateway anew, and receives anew, when a chunk was wrong", () => {
    const link = receiving();
    const before = link.state.arriving!.attempt;
    link.news(stored(link, 0)).events();
    link.get(12, IMAGE_URL, "bytes=0-39999");
    expect(link.types).include("sendFrame");
    link.answer({ status: 206, headers: BLOCKS });
    expect(link.order?.start).equal(0);
    expect(link.order?.attempt).below(before);
    expect(link.news(stored(link, 0)).events()).deep.equal([{ type: "chunkStored", attempt: 12 }]);
  });

  it("stops what arrives when core gives up, and asks its gateway again after that", () => {
    const link = receiving();
    expect(link.effect({ type: "closeRequest", attempt: 10 }).types).deep.equal(["stopBlocks"]);
    expect(link.get(12, IMAGE_URL).types).include("sendFrame");
    const other = receiving();
    const [state, outputs] = stopBlocks(other.state);
    expect(outputs).deep.equal([{ type: "stopBlocks" }]);
    expect(stopBlocks(state)).deep.equal([state, []]);
  });

  it("fails the chunk when the blocks fail, or have no such chunk", () => {
    const link = receiving();
    link.news({ type: "blocksFailed", attempt: link.state.arriving!.attempt, message: "silence" });
    expect(link.events()).deep.equal([{ type: "requestFailed", attempt: 10, message: "silence" }]);
    expect(link.state).include({ arriving: undefined, image: undefined });
    for (const range of ["bytes=5-39999", "bytes=49152-60000"]) {
      const odd = Link.joined().get(10, IMAGE_URL, range).answer({ status: 206, headers: BLOCKS });
      expect(odd.order).equal(undefined);
      expect(odd.events()[0]).include({ type: "requestFailed", attempt: 10 });
    }
  });

  it("ignores what is said of blocks that it no longer waits for", () => {
    const link = receiving();
    const { state } = link;
    expect(link.news({ ...stored(link, 0), attempt: -99 } as BlockNews).state).equal(state);
    expect(link.news(stored(link, 1)).events()).deep.equal([]);
    expect(link.news({ type: "blocksStored", attempt: state.arriving!.attempt }).state).equal(state);
    const idle = Link.joined();
    expect(linkBlocks(idle.state, { type: "blockProgress", attempt: -1 })).equal(idle.state);
  });

  it("takes no blocks for the answer to a report, or to what an app asks for", () => {
    const body = "{}";
    const post = { method: "POST", url: `${SERVER}/api/ota/check`, headers: {}, body } as const;
    const reporting = Link.joined().effect({ type: "startRequest", attempt: 4, request: post });
    const own = Link.joined().get(-4, IMAGE_URL);
    for (const link of [reporting, own]) {
      expect(link.answer({ status: 206, headers: BLOCKS }).order).equal(undefined);
      expect(link.next()).include({
        type: "requestFailed",
        message: "the gateway offers blocks of what is no image",
      });
      expect(link.state).include({ image: undefined, arriving: undefined });
    }
  });

  for (const text of [
    "",
    "1 2 3",
    "0123456789abcdef 0 16384",
    "0123456789abcdef 1 0",
    "0123456789abcdeg 40000 16384",
  ])
    it(`takes an answer for what it is where the header of blocks is ${JSON.stringify(text)}`, () => {
      const link = Link.joined()
        .get(10, IMAGE_URL)
        .answer({ status: 206, headers: { "x-skyslot-blocks": text } });
      expect(link.order).equal(undefined);
      expect(link.next()).include({ type: "responseStarted", status: 206 });
    });

  it("fails all that waits when its gateway is gone, and says that it is offline", () => {
    const link = receiving().get(11, `${SERVER}/a`).get(13, `${SERVER}/b`);
    link.at = 60_000;
    link.fire("radio.seek");
    expect(link.types).include.members(["stopBlocks", "sendFrame"]);
    expect(link.events()).deep.equal([
      { type: "requestFailed", attempt: 11, message: "the gateway is gone" },
      { type: "requestFailed", attempt: 13, message: "the gateway is gone" },
      { type: "requestFailed", attempt: 10, message: "the gateway is gone" },
      { type: "wifiLost", attempt: 3, reason: "lost" },
    ]);
    link.frame(writeBeacon({ type: "beacon", group: 1, channel: 1 }));
    expect(link.events()).deep.equal([{ type: "wifiJoined", attempt: 3, address: GATEWAY, rssi: -60 }]);
  });

  it("listens to nobody else's exchange, and to no other timer", () => {
    const link = Link.joined().get(4, `${SERVER}/x`);
    const { client } = link.state;
    const [give] = fragmentsOf(
      "give",
      client.id,
      writeAnswer({ status: 200, headers: {}, body: new Uint8Array(1) })!,
      0,
    );
    link.frame(give!, "66:66:66:66:66:66");
    expect(link.state.client).equal(client);
    expect(link.fire("check").outputs).deep.equal([]);
    expect(link.events()).deep.equal([]);
  });
});
