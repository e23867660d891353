// The publisher against a broker in memory: what arrives there, in which order, and what it does while the broker is away or talks nonsense.

import { expect } from "chai";
import {
  type BrokerSettings,
  initialPublisher,
  MAX_QUEUED,
  type PublisherState,
  type PublisherStep,
  publisherStep,
} from "../../../../firmware/core/mqtt/publisher.js";

const BROKER: BrokerSettings = Object.freeze({
  host: "broker.home",
  port: 1883,
  user: "anna",
  password: "secret",
  clientId: "receiver-1",
  statusTopic: "home/receiver-1/status",
});
const CONNACK = Uint8Array.of(0x20, 2, 0, 0);
const STAMP = { at: 0, random: 0.5, freeHeapBytes: 100_000 };

class Bench {
  state: PublisherState = initialPublisher;
  effects: PublisherStep[1] = [];
  readonly log: string[] = [];

  give(
    event: Parameters<typeof publisherStep>[1] extends infer E ? Omit<E, keyof typeof STAMP> : never,
  ): this {
    const [state, effects] = publisherStep(this.state, { ...event, ...STAMP } as never, BROKER);
    this.state = state;
    this.effects = effects;
    for (const effect of effects) if (effect.type === "log") this.log.push(effect.message);
    return this;
  }

  say(topic: string): this {
    return this.give({ type: "publish", message: { topic, payload: "{}", isRetained: false } } as never);
  }

  from(bytes: Uint8Array): this {
    return this.give({ type: "brokerReceived", attempt: this.state.attempt, bytes } as never);
  }

  fire(timer: string): this {
    return this.give({ type: "timerFired", timer } as never);
  }

  connect(): this {
    return this.give({ type: "online" } as never)
      .give({ type: "brokerConnected", attempt: this.state.attempt } as never)
      .from(CONNACK);
  }

  /** Topic and id of the message that was sent last. */
  get sent(): { topic: string; id: number; isAgain: boolean } | undefined {
    const send = this.effects.find(({ type }) => type === "sendToBroker");
    if (send?.type !== "sendToBroker" || (send.bytes[0]! & 0xf0) !== 0x30) return undefined;
    const { bytes } = send;
    const start = bytes[1]! < 0x80 ? 2 : 3;
    const length = (bytes[start]! << 8) | bytes[start + 1]!;
    const topic = Buffer.from(bytes.subarray(start + 2, start + 2 + length)).toString();
    const at = start + 2 + length;
    return { topic, id: (bytes[at]! << 8) | bytes[at + 1]!, isAgain: (bytes[0]! & 8) !== 0 };
  }

  acknowledge(id = this.state.awaits): this {
    return this.from(Uint8Array.of(0x40, 2, id >> 8, id & 0xff));
  }

  delayOf(timer: string): number | undefined {
    const found = this.effects.find((effect) => effect.type === "setTimer" && effect.timer === timer);
    return found?.type === "setTimer" ? found.delayMs : undefined;
  }
}

describe("the MQTT publisher", () => {
  it("says that the device is online first, and then what waited, one after the other", () => {
    const bench = new Bench().say("a").say("b").connect();
    expect(bench.sent).deep.equal({ topic: "home/receiver-1/status", id: 1, isAgain: false });
    expect(bench.acknowledge().sent).deep.equal({ topic: "a", id: 2, isAgain: false });
    bench.say("c");
    expect(bench.sent, "one at a time").equal(undefined);
    expect(bench.acknowledge().sent?.topic).equal("b");
    expect(bench.acknowledge().sent?.topic).equal("c");
    bench.acknowledge();
    expect(bench.state.queue).deep.equal([]);
    expect(bench.delayOf("mqtt.ping")).equal(45_000);
  });

  it("ignores an acknowledgement of another message, or a repeated one", () => {
    const bench = new Bench().connect().acknowledge().say("a");
    expect(bench.acknowledge(1).sent).equal(undefined);
    expect(bench.state.queue).length(1);
    bench.acknowledge();
    expect(bench.acknowledge(2).state.queue).deep.equal([]);
  });

  it("gives up the oldest message when too many wait, but not the one that is under way", () => {
    const bench = new Bench().connect();
    for (let i = 0; i < MAX_QUEUED + 3; i++) bench.say(`m${i}`);
    expect(bench.state.queue).length(MAX_QUEUED);
    expect(bench.state.queue[0]?.topic).equal("home/receiver-1/status");
    expect(bench.state.queue[1]?.topic).equal("m4");
    expect(bench.state.lostCount).equal(4);
  });

  it("never keeps a message longer than its limit", () => {
    const bench = new Bench();
    bench.give({
      type: "publish",
      message: { topic: "t", payload: "x".repeat(1_000), isRetained: false },
    } as never);
    expect(bench.state.queue).deep.equal([]);
  });

  for (const [what, lose] of [
    [
      "closes the connection",
      (bench: Bench) =>
        bench.give({ type: "brokerLost", attempt: bench.state.attempt, message: "closed" } as never),
    ],
    ["does not answer", (bench: Bench) => bench.fire("mqtt.answer")],
    ["sends what nobody asked for", (bench: Bench) => bench.from(Uint8Array.of(0x30, 0xff, 0xff, 0x7f))],
    ["accepts the connection twice", (bench: Bench) => bench.from(CONNACK)],
  ] as const)
    it(`that ${what} is tried again later, with the message that it did not acknowledge`, () => {
      const bench = new Bench().connect().acknowledge().say("a");
      const first = bench.state.attempt;
      lose(bench);
      expect(bench.state.phase).equal("waiting");
      expect(bench.effects).deep.include({ type: "closeBroker", attempt: first });
      expect(bench.delayOf("mqtt.retry")).equal(3_750);
      bench.fire("mqtt.retry").give({ type: "brokerConnected", attempt: bench.state.attempt } as never);
      expect(bench.state.attempt).equal(first + 1);
      bench.from(CONNACK);
      expect(bench.acknowledge().sent?.topic).equal("a");
    });

  it("waits longer each time, up to five minutes, and logs the first failure only", () => {
    const bench = new Bench().give({ type: "online" } as never);
    const delays = [];
    for (let i = 0; i < 10; i++) {
      bench.give({ type: "brokerLost", attempt: bench.state.attempt, message: "no answer" } as never);
      delays.push(bench.delayOf("mqtt.retry"));
      bench.fire("mqtt.retry");
    }
    expect(delays.slice(0, 3)).deep.equal([3_750, 7_500, 15_000]);
    expect(delays.at(-1)).equal(225_000);
    expect(bench.log).deep.equal(["MQTT: no answer"]);
  });

  it("says why a broker refuses it", () => {
    const bench = new Bench().give({ type: "online" } as never);
    bench.give({ type: "brokerConnected", attempt: 1 } as never).from(Uint8Array.of(0x20, 2, 0, 4));
    expect(bench.log).deep.equal(["MQTT: wrong user name or password"]);
  });

  it("pings where nothing is said, and takes silence for a loss", () => {
    const bench = new Bench().connect().acknowledge().fire("mqtt.ping");
    expect(bench.effects).deep.include({ type: "sendToBroker", attempt: 1, bytes: Uint8Array.of(0xc0, 0) });
    bench.from(Uint8Array.of(0xd0, 0));
    expect(bench.delayOf("mqtt.ping")).equal(45_000);
    expect(bench.effects).deep.include({ type: "clearTimer", timer: "mqtt.answer" });
    expect(bench.fire("mqtt.ping").fire("mqtt.answer").state.phase).equal("waiting");
  });

  it("takes leave when the network goes, and drops what answers an older connection", () => {
    const bench = new Bench().connect();
    bench.give({ type: "offline" } as never);
    expect(bench.effects[0]).deep.equal({ type: "sendToBroker", attempt: 1, bytes: Uint8Array.of(0xe0, 0) });
    const { state } = bench;
    for (const event of [
      { type: "brokerConnected", attempt: 1 },
      { type: "brokerReceived", attempt: 0, bytes: CONNACK },
      { type: "brokerLost", attempt: 1, message: "gone" },
    ])
      expect(bench.give(event as never).state).equal(state);
  });

  it("says when the broker is connected and when it is not any more, each once", () => {
    const statusIn = ({ effects }: Bench) =>
      effects.flatMap((effect) => (effect.type === "raise" ? [effect.event.isConnected] : []));
    const bench = new Bench().connect();
    expect(statusIn(bench)).deep.equal([true]);
    expect(statusIn(bench.say("home/a"))).deep.equal([]);
    const { attempt } = bench.state;
    expect(statusIn(bench.give({ type: "brokerLost", attempt, message: "gone" } as never))).deep.equal([
      false,
    ]);
    expect(statusIn(bench.fire("mqtt.retry"))).deep.equal([]);
    expect(statusIn(bench.give({ type: "offline" } as never)), "it was not connected").deep.equal([]);
  });
});
