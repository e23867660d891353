// Exchanges through the air: nodes that ask, a gateway that answers, and everything that can happen to their frames in between.

import { expect } from "chai";
import type { Stamp } from "../../../../firmware/core/event.js";
import {
  type ClientEffect,
  type ClientState,
  cancelExchange,
  exchangeAlive,
  exchangeFrame,
  exchangeSent,
  exchangeTimer,
  idleClient,
  startExchange,
} from "../../../../firmware/core/radio/exchange-client.js";
import {
  fragmentsOf,
  readExchangeFrame,
  writeExchangeFrame,
} from "../../../../firmware/core/radio/exchange-frames.js";
import {
  answerExchange,
  initialServer,
  type ServerOutput,
  type ServerState,
  serveFrame,
  sweepExchanges,
} from "../../../../firmware/core/radio/exchange-server.js";
import { BROADCAST } from "../../../../firmware/core/radio/vocabulary.js";
import { randomStream } from "../../../../host-sim/world/random.js";
import { Air, type AirEvent, type AirOptions, type Station } from "./air.js";

const GATEWAY = "24:0a:c4:00:00:01";
const NODE = "24:0a:c4:00:00:02";
const NOW: Stamp = { at: 1_000, random: 0.5, freeHeapBytes: 100_000 };

const bytesOf = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, at) => (at * 31 + seed * 17 + (at >> 8)) & 255);
const reversed = (message: Uint8Array) => message.slice().reverse();

/** Answers every request with its bytes reversed, after what its server takes. */
class Gateway {
  state: ServerState = initialServer;
  readonly taken: string[] = [];
  mostExchanges = 0;
  mostBytes = 0;
  /** Its radio acknowledges what it does not take. */
  isDeaf = false;
  readonly #air: Air;
  readonly serverMs: number;
  #station: Station | undefined;
  constructor(air: Air, serverMs: number) {
    this.#air = air;
    this.serverMs = serverMs;
    this.start();
  }
  /** To all. */
  say(bytes: Uint8Array): void {
    if (this.#station) this.#air.transmit(this.#station, BROADCAST, bytes, () => {});
  }
  start(): void {
    this.state = initialServer;
    const station = this.#air.join<
      { type: "reply"; peer: string; id: number; message: Uint8Array },
      ServerOutput
    >({
      address: GATEWAY,
      step: (event) => {
        const [state, outputs] = this.#step(event);
        this.state = state;
        this.mostExchanges = Math.max(this.mostExchanges, state.exchanges.length);
        const held = state.exchanges.map(
          ({ request, answer }) => (request?.buffer.length ?? 0) + (answer?.length ?? 0),
        );
        this.mostBytes = Math.max(
          this.mostBytes,
          held.reduce((sum, count) => sum + count, 0),
        );
        for (const output of outputs) {
          if (output.type !== "requestTaken") continue;
          this.taken.push(`${output.peer} ${output.id}`);
          this.#air.after(this.serverMs, () => station.dispatch({ ...output, type: "reply" }));
        }
        return outputs;
      },
    });
    station.channel = 1;
    this.#station = station;
  }
  #step(event: Stamp & (AirEvent | { type: "reply"; peer: string; id: number; message: Uint8Array })) {
    if (this.isDeaf) return [this.state, []] as const;
    if (event.type === "frameReceived") return serveFrame(this.state, event.from, event.bytes, event.at);
    if (event.type === "timerFired") return sweepExchanges(this.state, event.at);
    if (event.type === "reply")
      return answerExchange(this.state, event.peer, event.id, reversed(event.message));
    return [this.state, []] as const;
  }
}

class Node {
  state: ClientState = idleClient;
  /** Of its boot. */
  random: number | undefined;
  readonly address: string;
  readonly ends: (Uint8Array | string)[] = [];
  readonly #station;
  constructor(air: Air, address: string) {
    this.address = address;
    this.#station = air.join<{ type: "ask"; message: Uint8Array } | { type: "cancel" }, ClientEffect>({
      address,
      step: (event) => {
        const [state, effects] = this.#step(event);
        this.state = state;
        for (const effect of effects) {
          if (effect.type === "exchangeAnswered") this.ends.push(effect.message.slice());
          if (effect.type === "exchangeFailed") this.ends.push(effect.message);
        }
        return effects;
      },
    });
    this.#station.channel = 1;
  }
  ask(message: Uint8Array): void {
    this.#station.dispatch({ type: "ask", message });
  }
  cancel(): void {
    this.#station.dispatch({ type: "cancel" });
  }
  #step(event: Stamp & (AirEvent | { type: "ask"; message: Uint8Array } | { type: "cancel" })) {
    if (event.type === "ask")
      return startExchange(this.state, GATEWAY, event.message, {
        ...event,
        random: this.random ?? event.random,
      });
    if (event.type === "cancel") return cancelExchange(this.state);
    if (event.type === "frameReceived") {
      // as link.ts does
      const [awake, woken] = exchangeAlive(this.state, event.from, event);
      const [next, effects] = exchangeFrame(awake, event.from, event.bytes, event);
      return [next, [...woken, ...effects]] as const;
    }
    if (event.type === "frameSent") return exchangeSent(this.state, event, event);
    if (event.type === "timerFired") return exchangeTimer(this.state, event);
    return [this.state, []] as const;
  }
}

function world(options: Partial<AirOptions> & { nodes?: number; serverMs?: number } = {}) {
  const { nodes = 1, serverMs = 80, ...air } = options;
  const between = new Air({ seed: 1, ...air });
  const gateway = new Gateway(between, serverMs);
  const all = Array.from(
    { length: nodes },
    (_, index) => new Node(between, `24:0a:c4:00:01:${(index + 2).toString(16).padStart(2, "0")}`),
  );
  return { air: between, gateway, nodes: all, node: all[0]! };
}

describe("an exchange over the radio", () => {
  it("takes nine frames where nothing is lost", () => {
    const { air, node, gateway } = world();
    node.ask(bytesOf(600, 1));
    expect(air.runUntil(() => node.ends.length > 0, 10_000)).equal(true);
    air.runFor(1_000);
    expect(node.ends).deep.equal([reversed(bytesOf(600, 1))]);
    // three fragments each way, what the gateway has of the first one and of all, the end
    expect(Object.fromEntries(air.counts)).deep.equal({ 32: 3, 35: 2, 36: 3, 34: 1 });
    expect(gateway.state.exchanges).deep.equal([]);
    expect(node.state).include({ phase: "idle", request: idleClient.request });
  });

  for (const length of [1, 240, 241, 8_192])
    it(`brings ${length} bytes there and back`, () => {
      const { air, node } = world({ loss: 0.2 });
      node.ask(bytesOf(length, 2));
      air.runUntil(() => node.ends.length > 0, 60_000);
      expect(node.ends).deep.equal([reversed(bytesOf(length, 2))]);
    });

  it("comes to its end with up to 40 % loss, repetitions and frames that overtake each other", () => {
    let answered = 0;
    for (let seed = 0; seed < 200; seed++) {
      const random = randomStream(`exchange/${seed}`);
      const loss = (seed % 5) / 10;
      const { air, node, gateway } = world({
        seed,
        loss,
        duplication: 0.1,
        reorderingMs: 30,
        unicastTries: 7,
      });
      const asked: Uint8Array[] = [];
      for (let round = 0; round < 3; round++) {
        const message = bytesOf(1 + Math.floor(random() * 4_000), seed + round);
        asked.push(message);
        node.ask(message);
        expect(
          air.runUntil(() => node.ends.length > round, 90_000),
          `seed ${seed}`,
        ).equal(true);
        const end = node.ends[round]!;
        if (typeof end === "string") continue;
        answered += 1;
        expect(end, `seed ${seed}`).deep.equal(reversed(message));
      }
      expect(new Set(gateway.taken).size, `seed ${seed}: a request was taken twice`).equal(
        gateway.taken.length,
      );
    }
    expect(answered).at.least(595);
  });

  it("begins anew with a gateway that has restarted, wherever that happens", () => {
    for (let atMs = 5; atMs < 400; atMs += 13) {
      const { air, node, gateway } = world({ seed: atMs, loss: 0.1 });
      node.ask(bytesOf(1_500, atMs));
      air.runFor(atMs);
      gateway.start();
      air.runUntil(() => node.ends.length > 0, 90_000);
      expect(node.ends, `${atMs} ms`).deep.equal([reversed(bytesOf(1_500, atMs))]);
    }
  });

  it("leaves a node that has restarted free to ask again at once", () => {
    for (let atMs = 5; atMs < 400; atMs += 13) {
      const { air, node, gateway } = world({ seed: atMs });
      node.ask(bytesOf(1_500, 1));
      air.runFor(atMs);
      const again = new Node(air, node.address);
      again.random = 0.123;
      again.ask(bytesOf(700, 2));
      air.runUntil(() => again.ends.length > 0, 90_000);
      expect(again.ends, `${atMs} ms`).deep.equal([reversed(bytesOf(700, 2))]);
      expect(gateway.mostExchanges).equal(1);
    }
  });

  it("forgets a node that has gone, and what it asked for", () => {
    const { air, node, gateway } = world({ serverMs: 60_000 });
    node.ask(bytesOf(100, 1));
    air.runFor(500);
    expect(gateway.state.exchanges).length(1);
    air.loss = 1;
    air.runFor(30_000);
    expect(gateway.state.exchanges).deep.equal([]);
    air.runFor(40_000);
    expect(node.ends).deep.equal(["the gateway has not answered for 60 s"]);
  });

  it("asks little of a gateway that acknowledges nothing, and soon when it is heard again", () => {
    const { air, node, gateway } = world({ unicastTries: 7 });
    air.loss = 1;
    node.ask(bytesOf(100, 1));
    air.runFor(20_000);
    expect(air.frameCount, "three tries, and one after ten seconds, of seven frames each").within(28, 35);
    air.loss = 0;
    gateway.say(Uint8Array.of(0x28));
    air.runFor(1_500);
    expect(node.ends).deep.equal([reversed(bytesOf(100, 1))]);
  });

  it("gives up a gateway that acknowledges, and never answers", () => {
    const { air, node, gateway } = world();
    gateway.isDeaf = true;
    node.ask(bytesOf(100, 1));
    air.runUntil(() => node.ends.length > 0, 60_000);
    expect(node.ends).deep.equal(["the gateway is silent, asked 20 times"]);
  });

  it("waits for a slow server as long as its gateway says that it does", () => {
    const { air, node } = world({ serverMs: 25_000, loss: 0.2 });
    node.ask(bytesOf(100, 1));
    air.runUntil(() => node.ends.length > 0, 60_000);
    expect(node.ends).deep.equal([reversed(bytesOf(100, 1))]);
  });

  it("gives up after a minute", () => {
    const { air, node } = world({ serverMs: 300_000 });
    node.ask(bytesOf(100, 1));
    air.runUntil(() => node.ends.length > 0, 90_000);
    expect(node.ends).deep.equal(["the gateway has not answered for 60 s"]);
  });

  it("serves 50 nodes that ask at once, with a table of four", () => {
    const { air, gateway, nodes } = world({ nodes: 50, loss: 0.1, seed: 3 });
    for (const [index, node] of nodes.entries()) node.ask(bytesOf(800, index));
    air.runUntil(() => nodes.every(({ ends }) => ends.length > 0), 120_000);
    const answered = nodes.filter(({ ends }) => typeof ends[0] === "object");
    expect(answered).length(50);
    expect(gateway.mostExchanges).equal(4);
    expect(gateway.mostBytes).at.most(16 * 1024);
    expect(air.nowMs).below(60_000);
  });

  it("takes answers of its gateway only, and only to what it asks now", () => {
    const [asking] = startExchange(idleClient, GATEWAY, bytesOf(100, 1), NOW);
    const [give] = fragmentsOf("give", asking.id, bytesOf(10, 1), 0);
    expect(exchangeFrame(asking, "66:66:66:66:66:66", give!, NOW)[0]).equal(asking);
    const [stale] = fragmentsOf("give", asking.id - 1, bytesOf(10, 1), 0);
    expect(exchangeFrame(asking, GATEWAY, stale!, NOW)[0]).equal(asking);
    expect(exchangeFrame(asking, GATEWAY, Uint8Array.of(0x24), NOW)[0]).equal(asking);
    expect(exchangeFrame(asking, GATEWAY, give!, NOW)[1].map(({ type }) => type)).include("exchangeAnswered");
    expect(exchangeFrame(idleClient, GATEWAY, give!, NOW)).deep.equal([idleClient, []]);
    expect(exchangeTimer(idleClient, NOW)).deep.equal([idleClient, []]);
    expect(cancelExchange(idleClient)).deep.equal([idleClient, []]);
  });

  it("carries out a late repetition of a request no second time", () => {
    const [ask] = fragmentsOf("ask", 5, bytesOf(10, 1), 0);
    const [taken, first] = serveFrame(initialServer, NODE, ask!, 0);
    expect(first.map(({ type }) => type)).include("requestTaken");
    const [answering] = answerExchange(taken, NODE, 5, bytesOf(10, 2));
    const [over] = serveFrame(answering, NODE, writeExchangeFrame({ type: "done", id: 5 }), 0);
    expect(over.exchanges).deep.equal([]);
    expect(serveFrame(over, NODE, ask!, 0)).deep.equal([over, []]);
    expect(answerExchange(over, NODE, 5, bytesOf(10, 2))).deep.equal([over, []]);
  });

  it("tells whoever answers that nobody waits any more", () => {
    const [ask] = fragmentsOf("ask", 5, bytesOf(10, 1), 0);
    const [next] = fragmentsOf("ask", 6, bytesOf(10, 1), 0);
    const [taken] = serveFrame(initialServer, NODE, ask!, 0);
    const [, outputs] = serveFrame(taken, NODE, next!, 0);
    expect(outputs[0]).deep.equal({ type: "requestDropped", peer: NODE, id: 5 });
    const [, ended] = serveFrame(taken, NODE, writeExchangeFrame({ type: "done", id: 5 }), 0);
    expect(ended).deep.equal([{ type: "requestDropped", peer: NODE, id: 5 }]);
    const [swept, gone] = sweepExchanges(taken, 60_000);
    expect([swept.exchanges, gone]).deep.equal([[], [{ type: "requestDropped", peer: NODE, id: 5 }]]);
  });

  it("survives any frame from anybody", () => {
    const random = randomStream("exchange/noise");
    let server = initialServer;
    let [client] = startExchange(idleClient, GATEWAY, bytesOf(900, 1), NOW);
    for (let round = 0; round < 20_000; round++) {
      const frame = Uint8Array.from({ length: 1 + Math.floor(random() * 250) }, () =>
        Math.floor(random() * 256),
      );
      frame[0] = 0x20 + Math.floor(random() * 8);
      if (random() < 0.5 && frame.length > 4)
        frame.set([client.id & 255, (client.id >> 8) & 255, (client.id >> 16) & 255, client.id >>> 24], 1);
      if (random() < 0.5 && frame.length > 7)
        frame.set([Math.floor(random() * 3), 1 + Math.floor(random() * 4)], 5);
      const peer = `66:00:00:00:00:0${Math.floor(random() * 9)}`;
      [server] = serveFrame(server, peer, frame, round * 10);
      [client] = exchangeFrame(client, GATEWAY, frame, NOW);
      if (client.phase === "idle") [client] = startExchange(client, GATEWAY, bytesOf(900, 1), NOW);
      expect(server.exchanges.length).at.most(4);
      expect(server.ended.length).at.most(8);
    }
    expect(readExchangeFrame(new Uint8Array(0))).equal(undefined);
  });
});
