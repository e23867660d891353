// What a gateway passes on, to whom, and what it answers itself.

import { expect } from "chai";
import type { Event } from "../../../../firmware/core/event.js";
import { readCachedImage } from "../../../../firmware/core/gateway/cached-image.js";
import {
  initialRelay,
  knowImage,
  type RelayOutput,
  type RelayState,
  relayFrame,
  relayHeard,
  type Surroundings,
} from "../../../../firmware/core/gateway/relay.js";
import {
  allFragments,
  assemble,
  assembled,
  type Fragment,
  fragmentsOf,
  newAssembly,
  readExchangeFrame,
  writeExchangeFrame,
} from "../../../../firmware/core/radio/exchange-frames.js";
import {
  type ExchangeAnswer,
  type ExchangeRequest,
  problem,
  readAnswer,
  writeRequest,
} from "../../../../firmware/core/radio/exchange-message.js";
import { makeRelease } from "./update-server.js";

const SERVER = "http://updates.test:8080";
const AROUND: Surroundings = Object.freeze({
  server: SERVER,
  gatewayId: "gateway-1",
  imageAnswer: () => undefined,
  ownDigests: () => undefined,
});
const CHECK: ExchangeRequest = Object.freeze({
  method: "POST",
  target: "/api/ota/check",
  headers: Object.freeze({ authorization: "Bearer n", "content-type": "application/json" }),
  body: '{"device_id":"node-1"}',
});
const RELEASE = makeRelease(40_000);
const IMAGE = readCachedImage(
  JSON.stringify({ target: "/api/ota/download/7?device=x", digests: "/d", manifest: RELEASE.manifest }),
)!;
const GET_IMAGE: ExchangeRequest = Object.freeze({
  method: "GET",
  target: "/api/ota/download/7?device=node-1",
  headers: Object.freeze({ authorization: "Bearer n", range: "bytes=16384-39999" }),
  body: "",
});

class Relay {
  state: RelayState = initialRelay;
  around = AROUND;
  at = 0;
  outputs: readonly RelayOutput[] = [];
  #id = 100;

  /** A whole request of a node, in frames; returns its number. */
  ask(peer: string, request: ExchangeRequest | Uint8Array): number {
    const message = request instanceof Uint8Array ? request : writeRequest(request)!;
    const id = this.#id++;
    const outputs: RelayOutput[] = [];
    for (let there = 0; there < allFragments(Math.ceil(message.length / 240)); )
      for (const frame of fragmentsOf("ask", id, message, there)) {
        this.#take(relayFrame(this.state, { from: peer, bytes: frame }, this.around, this.at));
        outputs.push(...this.outputs);
        there += 2 ** (readExchangeFrame(frame) as Fragment).index;
      }
    this.outputs = outputs;
    return id;
  }
  /** What the node is answered, fetched to its end. */
  answer(peer: string, id: number): ExchangeAnswer | undefined {
    let frames = this.#gives(peer, id);
    if (frames.length === 0) return undefined;
    let assembly = newAssembly(frames[0]!.count);
    while (!assembled(assembly)) {
      for (const frame of frames) assembly = assemble(assembly, frame);
      const pull = writeExchangeFrame({ type: "pull", id, fragments: assembly.there });
      this.#take(relayFrame(this.state, { from: peer, bytes: pull }, this.around, this.at));
      frames = this.#gives(peer, id);
    }
    this.#take(
      relayFrame(
        this.state,
        { from: peer, bytes: writeExchangeFrame({ type: "done", id }) },
        this.around,
        this.at,
      ),
    );
    return readAnswer(assembled(assembly)!);
  }
  hear(event: Event | { type: "timerFired"; timer: string }): this {
    this.#take(relayHeard(this.state, event, this.around, this.at));
    return this;
  }
  /** The server answers what it was asked last. */
  reply(status: number, body: string, headers: Readonly<Record<string, string>> = {}): this {
    const bytes = new TextEncoder().encode(body);
    const { attempt } = this.state;
    this.hear({
      type: "responseStarted",
      attempt,
      status,
      headers: { "content-length": `${bytes.length}`, ...headers },
    });
    return this.outputs.some(({ type }) => type === "collectResponse")
      ? this.hear({ type: "bytesCollected", attempt, bytes })
      : this;
  }
  get requests() {
    return this.outputs.flatMap((output) => (output.type === "startRequest" ? [output.request] : []));
  }
  get types(): string[] {
    return this.outputs.map(({ type }) => type).filter((type) => type !== "sendFrame");
  }
  #gives(peer: string, id: number): Fragment[] {
    return this.outputs.flatMap((output) => {
      if (output.type !== "sendFrame" || output.to !== peer) return [];
      const frame = readExchangeFrame(output.bytes);
      return frame?.type === "give" && frame.id === id ? [frame] : [];
    });
  }
  #take([state, outputs]: readonly [RelayState, readonly RelayOutput[]]): void {
    this.state = state;
    this.outputs = outputs;
  }
}

describe("the relay of a gateway", () => {
  it("passes a request on with the node's token, and its answer back", () => {
    const relay = new Relay();
    const id = relay.ask("a", CHECK);
    expect(relay.requests).deep.equal([
      {
        method: "POST",
        url: `${SERVER}/api/ota/check`,
        headers: { ...CHECK.headers, "x-skyslot-gateway": "gateway-1" },
        body: CHECK.body,
      },
    ]);
    expect(relay.types).include("memberAsked");
    relay.reply(200, '{"time":1}', { "content-type": "application/json", "skyslot-offer": "1 2" });
    const answer = relay.answer("a", id)!;
    expect(answer.status).equal(200);
    expect(answer.headers).deep.equal({
      "content-type": "application/json",
      "content-length": "10",
      "skyslot-offer": "1 2",
    });
    expect(new TextDecoder().decode(answer.body)).equal('{"time":1}');
    expect(relay.state.server.exchanges).deep.equal([]);
  });

  it("asks one after the other, in the order in which they came", () => {
    const relay = new Relay();
    const first = relay.ask("a", CHECK);
    const second = relay.ask("b", { ...CHECK, target: "/api/ota/status" });
    expect(relay.requests).deep.equal([]);
    relay.ask("c", CHECK);
    relay.reply(200, "1");
    expect(relay.requests.map(({ url }) => url)).deep.equal([`${SERVER}/api/ota/status`]);
    // the answer to the first was sent in the same step
    expect(relay.outputs.some((output) => output.type === "sendFrame" && output.to === "a")).equal(true);
    relay.reply(204, "");
    expect(relay.requests).length(1);
    expect(relay.answer("b", second)?.status).equal(204);
    expect(first).below(second);
  });

  it("passes on trust roots and statements of freshness, as they are", () => {
    const relay = new Relay();
    const root = relay.ask("a", { ...CHECK, method: "GET", target: "/api/v1/roots/2" });
    expect(relay.requests.map(({ method, url }) => `${method} ${url}`)).deep.equal([
      `GET ${SERVER}/api/v1/roots/2`,
    ]);
    relay.reply(200, "the next root");
    const answer = relay.answer("a", root)!;
    expect([answer.status, new TextDecoder().decode(answer.body)]).deep.equal([200, "the next root"]);
    relay.ask("b", { ...CHECK, target: "/api/ota/freshness" });
    expect(relay.requests.map(({ method, url }) => `${method} ${url}`)).deep.equal([
      `POST ${SERVER}/api/ota/freshness`,
    ]);
  });

  for (const target of [
    "/",
    "/api/v1/roots",
    "/api/v1/firmware",
    "/api/v1/roots/../firmware",
    "/api/devices",
    "/api/ota",
    "/api/otaX/check",
    "/api/ota/../devices",
    "/api/ota/%2e%2e/devices",
    "/api/ota/\\..\\devices",
    "/api/ota/admin",
    "/api/ota/admin/firmware",
  ])
    it(`does not pass on ${target}`, () => {
      const relay = new Relay();
      const id = relay.ask("a", { ...CHECK, target });
      expect(relay.requests).deep.equal([]);
      expect(relay.answer("a", id)?.status).equal(404);
    });

  it("answers what is no request", () => {
    const relay = new Relay();
    const id = relay.ask("a", new TextEncoder().encode("hello"));
    expect(relay.answer("a", id)?.status).equal(400);
  });

  it("says that it has no network", () => {
    const relay = new Relay();
    relay.around = { ...AROUND, server: undefined };
    const id = relay.ask("a", CHECK);
    expect(relay.answer("a", id)?.status).equal(503);
    expect(relay.requests).deep.equal([]);
  });

  it("says when the server fails, is silent, or breaks off", () => {
    const failing: ((relay: Relay) => unknown)[] = [
      (relay) =>
        relay.hear({ type: "requestFailed", attempt: relay.state.attempt, message: "no connection" }),
      (relay) => relay.hear({ type: "timerFired", timer: "relay.request" }),
      (relay) => relay.hear({ type: "responseEnded", attempt: relay.state.attempt }),
      (relay) =>
        relay
          .hear({
            type: "responseStarted",
            attempt: relay.state.attempt,
            status: 200,
            headers: { "content-length": "9" },
          })
          .hear({ type: "bytesCollected", attempt: relay.state.attempt, bytes: new Uint8Array(3) }),
    ];
    expect(
      failing.map((fail) => {
        const relay = new Relay();
        const id = relay.ask("a", CHECK);
        fail(relay);
        expect(relay.types.slice(0, 2)).deep.equal(["clearTimer", "closeRequest"]);
        return relay.answer("a", id)?.status;
      }),
    ).deep.equal([502, 504, 502, 502]);
  });

  it("passes on no answer that is longer than an exchange", () => {
    const relay = new Relay();
    const id = relay.ask("a", { ...GET_IMAGE });
    relay.reply(200, "x".repeat(9_000));
    expect(relay.types).include("closeRequest");
    expect(relay.answer("a", id)).include({ status: 503 });
  });

  it("brings the longest answer to a check over", () => {
    const relay = new Relay();
    const id = relay.ask("a", CHECK);
    relay.reply(200, "x".repeat(7 * 1024), { "content-type": "application/json" });
    expect(relay.answer("a", id)?.body.length).equal(7 * 1024);
  });

  it("remembers the image that a check was offered, and tells a node that it comes in blocks", () => {
    const relay = new Relay();
    const id = relay.ask("a", CHECK);
    const offer = {
      update_available: true,
      time: 1_795_000_000,
      firmware_id: 7,
      version: "1.1.0",
      download_url: "/api/ota/download/7?device=a",
      digests_url: "/api/ota/download/7/digests?device=a",
      release: RELEASE.manifest,
    };
    relay.reply(200, JSON.stringify(offer), { "skyslot-offer": "7 1795000000" });
    expect(relay.answer("a", id)?.status).equal(200);
    const image = relay.ask("b", GET_IMAGE);
    expect(relay.requests).deep.equal([]);
    const wanted = relay.outputs.find(({ type }) => type === "imageWanted");
    expect(wanted).deep.include({
      offset: 16_384,
      headers: { authorization: "Bearer n", "x-skyslot-gateway": "gateway-1" },
    });
    const answer = relay.answer("b", image)!;
    expect(answer.status).equal(206);
    expect(answer.headers["x-skyslot-blocks"]).equal(`${IMAGE.id} 40000 16384`);
  });

  it("remembers four images, and learns nothing from other answers", () => {
    const relay = new Relay();
    for (let id = 1; id <= 6; id++)
      relay.state = knowImage(relay.state, { ...IMAGE, id: `${id}`, target: `/api/ota/download/${id}` });
    relay.state = knowImage(relay.state, { ...IMAGE, id: "5", target: "/api/ota/download/5" });
    expect(relay.state.known.map(({ id }) => id)).deep.equal(["5", "6", "4", "3"]);
    for (const [target, status, body] of [
      ["/api/ota/status", 200, "{}"],
      ["/api/ota/check", 500, "{}"],
      ["/api/ota/check", 200, "no json"],
    ] as const) {
      const id = relay.ask("a", { ...CHECK, target });
      relay.reply(status, body, { "skyslot-offer": "7 1795000000" });
      relay.answer("a", id);
    }
    expect(relay.state.known.map(({ id }) => id)).deep.equal(["5", "6", "4", "3"]);
  });

  it("says what keeps an image from its nodes", () => {
    const relay = new Relay();
    relay.state = knowImage(relay.state, IMAGE);
    relay.around = { ...AROUND, imageAnswer: () => problem(429, "later", 9) };
    const id = relay.ask("a", GET_IMAGE);
    expect(relay.types).not.include("imageWanted");
    const answer = relay.answer("a", id)!;
    expect(answer.status).equal(429);
    expect(answer.headers["retry-after"]).equal("9");
  });

  it("gives a member the leader's answer, and asks the server nothing", () => {
    const relay = new Relay();
    const own = problem(200, "hold");
    relay.around = {
      ...AROUND,
      member: ({ target }, peer) => (peer === "a" && target === CHECK.target ? own : undefined),
    };
    const id = relay.ask("a", CHECK);
    expect(relay.requests).deep.equal([]);
    expect(relay.answer("a", id)?.body).deep.equal(own.body);
    relay.ask("b", CHECK);
    expect(relay.requests).length(1);
  });

  it("lets the server go when its node has gone, and asks for the next one", () => {
    const relay = new Relay();
    relay.ask("a", CHECK);
    relay.ask("b", { ...CHECK, target: "/api/ota/status" });
    relay.at = 6_000;
    relay.ask("b", { ...CHECK, target: "/api/ota/check?again" });
    relay.at = 13_000;
    relay.hear({ type: "timerFired", timer: "radio.exchanges" });
    expect(relay.types).include("closeRequest");
    expect(relay.requests.map(({ url }) => url)).deep.equal([`${SERVER}/api/ota/check?again`]);
    expect(relay.state.queue.map(({ peer }) => peer)).deep.equal(["b"]);
  });

  it("asks the server for nothing while the answers that it holds leave no room", () => {
    const relay = new Relay();
    relay.ask("a", CHECK);
    const second = relay.ask("b", CHECK);
    relay.ask("c", { ...CHECK, target: "/api/ota/status" });
    relay.reply(200, "x".repeat(6_000));
    expect(relay.requests).length(1);
    relay.reply(200, "x".repeat(6_000));
    expect(relay.requests).deep.equal([]);
    expect(relay.answer("b", second)?.body.length).equal(6_000);
    expect(relay.requests.map(({ url }) => url)).deep.equal([`${SERVER}/api/ota/status`]);
  });

  it("ignores answers to requests of others", () => {
    const relay = new Relay();
    relay.ask("a", CHECK);
    const before = relay.state;
    for (const attempt of [before.attempt + 1, before.attempt - 2, 7]) {
      relay.hear({ type: "responseStarted", attempt, status: 200, headers: {} });
      relay.hear({ type: "bytesCollected", attempt, bytes: new Uint8Array(1) });
      relay.hear({ type: "responseEnded", attempt });
      relay.hear({ type: "requestFailed", attempt, message: "x" });
    }
    relay.hear({ type: "timerFired", timer: "check" });
    expect(relay.state).equal(before);
    const idle = new Relay().hear({ type: "requestFailed", attempt: initialRelay.attempt, message: "x" });
    expect(idle.state).equal(initialRelay);
  });
});
