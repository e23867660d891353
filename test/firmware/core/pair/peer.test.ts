// The machine that keeps track of a peer: alone, event by event, and two of them in an air that loses frames.

import { expect } from "chai";
import type { Booted, PeerFacts, Stamped } from "../../../../firmware/core/event.js";
import {
  ACK,
  DATA,
  PROBE,
  readDataPacket,
  writeDataPacket,
} from "../../../../firmware/core/pair/data-packet.js";
import { ANNOUNCE_MS, PEER_KEY, PEER_LOST_MS, peerStep } from "../../../../firmware/core/pair/peer.js";
import { initialPeer, type PairSettings, type PeerState } from "../../../../firmware/core/pair/peer-state.js";
import {
  ANNOUNCE,
  REQUEST,
  RESPONSE,
  readVersionPacket,
  type VersionPacket,
  writeVersionPacket,
} from "../../../../firmware/core/pair/version-packet.js";
import type { PeerEffect, PeerInput } from "../../../../firmware/core/pair/vocabulary.js";
import { BROADCAST } from "../../../../firmware/core/radio/vocabulary.js";
import { BOOTED, IMAGE } from "../events.js";
import { Air } from "../radio/air.js";

const RECEIVER = "24:0a:c4:00:00:01";
const TRANSMITTER = "24:0a:c4:00:00:02";
const STRANGER = "24:0a:c4:00:00:99";

const SETTINGS: PairSettings = { peerType: "transmitter", protocolVersion: 2, minCompatible: 20_000 };

const booted = (
  type: string,
  mac: string,
  version = "2.1.0",
  stored: Record<string, string> = {},
): Booted => ({
  ...BOOTED,
  identity: { ...BOOTED.identity, type, mac },
  image: { ...IMAGE, version, compileDate: "Nov 30 2026", compileTime: "12:34:56" },
  stored: { ...BOOTED.stored, ...stored },
});

const PACKET: VersionPacket = {
  type: ANNOUNCE,
  firmwareVersion: 20_103,
  protocolVersion: 2,
  minCompatible: 20_000,
  deviceType: "transmitter",
  buildDate: "Nov 29 2026",
  buildTime: "00:00:01",
};

/** A receiver, event by event. */
class Lone {
  state: PeerState = initialPeer;
  at = 0;
  effects: readonly PeerEffect[] = [];

  constructor(stored: Record<string, string> = {}) {
    this.give(booted("receiver", RECEIVER, "2.1.0", stored));
  }

  give(event: PeerInput, random = 0.5): this {
    const stamp = { at: this.at, random, freeHeapBytes: 100_000 };
    [this.state, this.effects] = peerStep(this.state, { ...event, ...stamp } as Stamped<PeerInput>, SETTINGS);
    return this;
  }

  hear(bytes: Uint8Array, from = TRANSMITTER, rssi = -60): this {
    return this.give({ type: "frameReceived", from, isBroadcast: true, bytes, rssi });
  }

  hearVersion(change: Partial<VersionPacket> = {}, from = TRANSMITTER): this {
    return this.hear(writeVersionPacket({ ...PACKET, ...change }), from);
  }

  timer(timer: "peer.announce" | "peer.lost" | "peer.ack"): this {
    return this.give({ type: "timerFired", timer });
  }

  get sent() {
    return this.effects.flatMap((effect) =>
      effect.type === "sendFrame"
        ? [{ to: effect.to, packet: readVersionPacket(effect.bytes) ?? readDataPacket(effect.bytes) }]
        : [],
    );
  }

  get raised() {
    return this.effects.flatMap((effect) => (effect.type === "raise" ? [effect.event] : []));
  }

  get facts(): PeerFacts | undefined {
    return this.raised.find((event): event is PeerFacts => event.type === "peerFacts");
  }
}

const dataFrame = (sequence: number, payload = Uint8Array.of(1), protocolVersion = 2) =>
  writeDataPacket({ type: DATA, protocolVersion, sequence, payload });

describe("a device of a pair", () => {
  it("asks who is there as it starts, and announces itself every ten seconds", () => {
    const device = new Lone();
    expect(device.sent).deep.equal([
      {
        to: BROADCAST,
        packet: {
          ...PACKET,
          type: REQUEST,
          firmwareVersion: 20_100,
          deviceType: "receiver",
          buildDate: "Nov 30 2026",
          buildTime: "12:34:56",
        },
      },
    ]);
    expect(device.facts).include({ mac: "", version: "", isConnected: false, isCompatible: false });
    expect(device.facts?.warning, "too early to say").equal(undefined);
    device.timer("peer.announce");
    expect(device.sent.map(({ to, packet }) => [to, packet?.type])).deep.equal([[BROADCAST, ANNOUNCE]]);
    expect(device.effects).deep.include({ type: "setTimer", timer: "peer.announce", delayMs: ANNOUNCE_MS });
  });

  it("takes the first device of the awaited type for its peer, keeps its address, and answers it once", () => {
    const device = new Lone().hearVersion();
    expect(device.effects).deep.include({ type: "store", key: PEER_KEY, value: TRANSMITTER });
    expect(device.sent.map(({ to, packet }) => [to, packet?.type])).deep.equal([[TRANSMITTER, RESPONSE]]);
    expect(device.facts).deep.equal({
      type: "peerFacts",
      deviceType: "transmitter",
      mac: TRANSMITTER,
      version: "2.1.3",
      number: 20_103,
      protocol: 2,
      minCompatible: 20_000,
      buildDate: "Nov 29 2026",
      buildTime: "00:00:01",
      isConnected: true,
      isCompatible: true,
      rssi: -60,
      ignoredDataCount: 0,
    });
    device.at = 5_000;
    expect(device.hearVersion().effects, "nothing is new").deep.equal([]);
  });

  it("knows its peer again after a restart, and another device of that type is not taken for it", () => {
    const device = new Lone({ [PEER_KEY]: TRANSMITTER }).hearVersion({}, STRANGER);
    expect(device.effects).deep.equal([]);
    expect(device.hearVersion().facts).include({ mac: TRANSMITTER, isConnected: true });
  });

  it("takes a stored address that is none for no address", () => {
    for (const mac of ["", "peer", "24:0A:C4:00:00:02", `${TRANSMITTER}:00`, TRANSMITTER.slice(1)])
      expect(new Lone({ [PEER_KEY]: mac }).hearVersion({}, STRANGER).facts?.mac, mac).equal(STRANGER);
  });

  it("ignores devices of other types, its own included, and frames that are none of its", () => {
    const device = new Lone();
    for (const deviceType of ["receiver", "Transmitter", "node"])
      expect(device.hearVersion({ deviceType }).effects, deviceType).deep.equal([]);
    const packet = writeVersionPacket(PACKET);
    for (const frame of [new Uint8Array(0), packet.subarray(0, 46), Uint8Array.of(0x20, 1, 2), dataFrame(1)])
      expect(device.hear(frame).effects).deep.equal([]);
    expect(device.state.mac).equal("");
  });

  it("does nothing before it has started", () => {
    const frame = { type: "frameReceived", from: TRANSMITTER, isBroadcast: true, rssi: -60 } as const;
    const bytes = writeVersionPacket(PACKET);
    const stamp = { at: 0, random: 0, freeHeapBytes: 0 };
    expect(peerStep(initialPeer, { ...frame, bytes, ...stamp }, SETTINGS)).deep.equal([initialPeer, []]);
  });

  it("warns while the versions do not fit, in numbers, and no longer when they do", () => {
    const device = new Lone();
    const warnings = [
      [
        { protocolVersion: 3 },
        "The transmitter 2.1.3 is not compatible: it speaks protocol 3, this device 2.",
      ],
      [
        { firmwareVersion: 10_900 },
        "The transmitter 1.9.0 is not compatible: it runs 10900, this device needs 20000 or newer.",
      ],
      [
        { minCompatible: 20_200 },
        "The transmitter 2.1.3 is not compatible: it needs 20200 or newer, this device runs 20100.",
      ],
    ] as const;
    for (const [change, warning] of warnings) {
      device.hearVersion(change);
      expect(device.facts).include({ warning, isConnected: true, isCompatible: false });
    }
    device.hearVersion();
    expect(device.facts).include({ isCompatible: true });
    expect(device.facts?.warning).equal(undefined);
  });

  it("warns after 30 s in which it has heard none, and after 30 s of silence", () => {
    const device = new Lone();
    device.at = PEER_LOST_MS;
    expect(device.timer("peer.lost").facts?.warning).equal("No transmitter has been heard yet.");
    device.at = 40_000;
    device.hearVersion();
    expect(device.effects).deep.include({ type: "setTimer", timer: "peer.lost", delayMs: PEER_LOST_MS });
    device.at = 69_999;
    device.hear(writeDataPacket({ type: PROBE, sequence: 1 }));
    device.at = 70_000;
    device.timer("peer.lost");
    expect(device.effects, "a frame has come since").deep.equal([
      { type: "setTimer", timer: "peer.lost", delayMs: 29_999 },
    ]);
    device.at = 99_999;
    device.timer("peer.lost");
    expect(device.facts).include({
      isConnected: false,
      isCompatible: false,
      version: "2.1.3",
      warning: `The transmitter ${TRANSMITTER} has not been heard for 30 s.`,
    });
    expect(device.sent.map(({ packet }) => packet?.type)).deep.equal([REQUEST]);
    expect(device.hearVersion().facts).include({ isConnected: true, isCompatible: true });
  });

  it("tells of another device of the type only while its own peer is silent", () => {
    const device = new Lone().hearVersion();
    expect(device.hearVersion({}, STRANGER).effects).deep.equal([]);
    device.at = PEER_LOST_MS;
    device.timer("peer.lost").hearVersion({}, STRANGER);
    expect(device.facts?.warning).equal(
      `The transmitter ${TRANSMITTER} has not been heard for 30 s. Another one is in range, ${STRANGER}: to use it, forget this one.`,
    );
    expect(device.sent).deep.equal([]);
    expect(device.hearVersion({}, "24:0a:c4:00:00:98").effects, "one is enough").deep.equal([]);
  });

  it("takes another peer when the owner has had the old one forgotten", () => {
    const device = new Lone().hearVersion().give({ type: "peerForgotten" });
    expect(device.effects).deep.include({ type: "forget", key: PEER_KEY });
    expect(device.facts).include({ mac: "", isConnected: false });
    expect(device.hearVersion({}, STRANGER).facts).include({ mac: STRANGER, isCompatible: true });
  });

  it("answers its peer's questions, at most one a second, and nobody else's", () => {
    const device = new Lone().hearVersion();
    const answersTo = (type: typeof REQUEST | typeof RESPONSE, at: number, from = TRANSMITTER) => {
      device.at = at;
      device.hearVersion({ type }, from);
      return device.sent.filter(({ packet }) => packet?.type === RESPONSE).map(({ to }) => to);
    };
    expect(answersTo(REQUEST, 999), "it has just been told").deep.equal([]);
    expect(answersTo(REQUEST, 1_000)).deep.equal([TRANSMITTER]);
    expect(answersTo(REQUEST, 5_000, STRANGER)).deep.equal([]);
    expect(answersTo(RESPONSE, 6_000), "an answer is not answered").deep.equal([]);
    expect(answersTo(REQUEST, 7_000)).deep.equal([TRANSMITTER]);
  });
});

describe("data between the devices of a pair", () => {
  it("is read, once each, and acknowledged as often as it comes", () => {
    const device = new Lone().hearVersion();
    device.hear(dataFrame(7, Uint8Array.of(1, 2, 3)), TRANSMITTER, -71);
    expect(device.raised).deep.equal([
      { type: "peerDataReceived", payload: Uint8Array.of(1, 2, 3), rssi: -71 },
    ]);
    const acknowledgement = { type: ACK, acknowledges: DATA, sequence: 7, rssi: -71 };
    expect(device.sent).deep.equal([{ to: TRANSMITTER, packet: acknowledgement }]);
    device.hear(dataFrame(8)).hear(dataFrame(7), TRANSMITTER, -71);
    expect(device.raised, "it is the same again").deep.equal([]);
    expect(device.sent).deep.equal([{ to: TRANSMITTER, packet: acknowledgement }]);
  });

  it("is ignored and counted before the peer's version is known to fit, and the peer is asked for it, at most once a second", () => {
    const device = new Lone({ [PEER_KEY]: TRANSMITTER });
    for (const [at, asked] of [
      [0, 1],
      [10, 0],
      [999, 0],
      [1_000, 1],
    ] as const) {
      device.at = at;
      device.hear(dataFrame(at));
      expect(device.raised).deep.equal([]);
      expect(device.sent.map(({ to, packet }) => [to, packet?.type])).deep.equal(
        asked ? [[TRANSMITTER, REQUEST]] : [],
      );
    }
    device.hearVersion({ protocolVersion: 3 });
    expect(device.facts).include({ isCompatible: false, ignoredDataCount: 4 });
    expect(device.hear(dataFrame(5)).raised, "of an incompatible one").deep.equal([]);
    device.hearVersion();
    expect(device.hear(dataFrame(6, Uint8Array.of(1), 3)).raised, "of another protocol").deep.equal([]);
    expect(device.hear(dataFrame(7), STRANGER).effects, "of a stranger").deep.equal([]);
    expect(device.state.ignoredDataCount).equal(6);
    expect(device.hear(dataFrame(8)).raised).length(1);
  });

  it("is ignored again once the peer has been silent", () => {
    const device = new Lone().hearVersion();
    device.at = PEER_LOST_MS;
    device.timer("peer.lost");
    expect(device.hear(dataFrame(1)).raised).deep.equal([]);
  });

  it("is sent until it is acknowledged, with growing pauses, five times at most", () => {
    const device = new Lone().hearVersion();
    device.give({ type: "peerDataSubmitted", payload: Uint8Array.of(9) });
    const first = device.sent[0]?.packet;
    const pauses: number[] = [];
    for (let tries = 0; tries < 5; tries++) {
      expect(device.sent).deep.equal([{ to: TRANSMITTER, packet: first }]);
      for (const effect of device.effects) if (effect.type === "setTimer") pauses.push(effect.delayMs);
      device.timer("peer.ack");
    }
    expect(pauses).deep.equal([150, 300, 600, 1200, 2400]);
    expect(device.sent).deep.equal([]);
    expect(device.raised).deep.equal([{ type: "peerDataSettled", isDelivered: false }]);
    expect(device.timer("peer.ack").effects).deep.equal([]);
  });

  it("is delivered by its own acknowledgement only", () => {
    const device = new Lone().hearVersion().give({ type: "peerDataSubmitted", payload: Uint8Array.of(9) });
    const sequence = device.state.outgoing?.sequence ?? 0;
    const ack = (acknowledges: typeof DATA | typeof PROBE, of: number) =>
      writeDataPacket({ type: ACK, acknowledges, sequence: of, rssi: -60 });
    expect(device.hear(ack(DATA, sequence + 1)).raised).deep.equal([]);
    expect(device.hear(ack(PROBE, sequence)).raised).deep.equal([]);
    expect(device.hear(ack(DATA, sequence), STRANGER).raised).deep.equal([]);
    device.hear(ack(DATA, sequence));
    expect(device.raised).deep.equal([{ type: "peerDataSettled", isDelivered: true }]);
    expect(device.effects).deep.include({ type: "clearTimer", timer: "peer.ack" });
    expect(device.hear(ack(DATA, sequence)).raised, "twice").deep.equal([]);
  });

  it("gives way to newer data, and is not sent where it would not be read", () => {
    const device = new Lone();
    const submit = () => device.give({ type: "peerDataSubmitted", payload: Uint8Array.of(9) });
    const failed = { type: "peerDataSettled", isDelivered: false };
    expect(submit().raised).deep.equal([failed]);
    expect(device.sent).deep.equal([]);
    device.hearVersion();
    expect(submit().raised).deep.equal([]);
    expect(submit().raised).deep.equal([failed]);
    expect(device.sent).length(1);
    device.hearVersion({ protocolVersion: 9 });
    expect(device.timer("peer.ack").sent, "it no longer fits").deep.equal([]);
    expect(device.raised).deep.equal([failed]);
  });
});

describe("the link of a pair", () => {
  it("is measured by the last 16 probes, one with each announcement", () => {
    const device = new Lone().hearVersion();
    const round = (isAnswered: boolean) => {
      device.timer("peer.announce");
      const probe = device.sent.find(({ packet }) => packet?.type === PROBE)?.packet;
      const { sequence } = probe as { sequence: number };
      if (isAnswered) device.hear(writeDataPacket({ type: ACK, acknowledges: PROBE, sequence, rssi: -60 }));
      return device;
    };
    expect(round(true).state.facts?.linkPercent, "none was settled when it was told").equal(undefined);
    expect(round(false).state.facts?.linkPercent).equal(100);
    expect(round(true).state.facts?.linkPercent).equal(50);
    expect(round(true).state.facts?.linkPercent).equal(67);
    for (let i = 0; i < 40; i++) round(false);
    expect(device.state.facts?.linkPercent).equal(0);
    for (let i = 0; i < 17; i++) round(true);
    expect(device.timer("peer.announce").state.facts?.linkPercent).equal(100);
  });

  it("is answered to a peer that is not compatible, too", () => {
    const device = new Lone().hearVersion({ protocolVersion: 3 });
    device.hear(writeDataPacket({ type: PROBE, sequence: 5 }));
    expect(device.sent).deep.equal([
      { to: TRANSMITTER, packet: { type: ACK, acknowledges: PROBE, sequence: 5, rssi: -60 } },
    ]);
  });
});

describe("two devices of a pair", () => {
  /** One of them in the air; `restart` boots it with another version, and what it has stored. */
  class Paired {
    state: PeerState = initialPeer;
    readonly received: number[] = [];
    readonly settled: boolean[] = [];
    readonly stored: Record<string, string> = {};
    station: ReturnType<Air["join"]>;

    readonly air: Air;
    readonly type: "receiver" | "transmitter";
    readonly address: string;

    constructor(air: Air, type: "receiver" | "transmitter", address: string) {
      this.air = air;
      this.type = type;
      this.address = address;
      this.station = this.restart("2.1.0", SETTINGS);
    }

    restart(version: string, settings: PairSettings): ReturnType<Air["join"]> {
      this.state = initialPeer;
      const own = { ...settings, peerType: this.type === "receiver" ? "transmitter" : "receiver" };
      this.station = this.air.join<PeerInput, PeerEffect>({
        address: this.address,
        step: (event) => {
          const [state, effects] = peerStep(this.state, event as Stamped<PeerInput>, own);
          this.state = state;
          return effects;
        },
        carryOut: (effect) => {
          if (effect.type === "store") this.stored[effect.key] = effect.value;
          if (effect.type !== "raise") return [];
          if (effect.event.type === "peerDataReceived") this.received.push(effect.event.payload[0]!);
          if (effect.event.type === "peerDataSettled") this.settled.push(effect.event.isDelivered);
          return [];
        },
      });
      this.station.channel = 1;
      this.station.dispatch(booted(this.type, this.address, version, this.stored));
      return this.station;
    }
  }

  const isConnected = ({ state }: Paired) => state.isConnected;
  const warning = ({ state }: Paired) => state.facts?.warning;

  it("find each other through a loss of 40 %, and exchange data once each and in order", () => {
    for (let seed = 0; seed < 100; seed++) {
      const air = new Air({ seed, loss: 0.4, duplication: 0.1, reorderingMs: 20 });
      const [one, other] = [
        new Paired(air, "receiver", RECEIVER),
        new Paired(air, "transmitter", TRANSMITTER),
      ];
      expect(
        air.runUntil(() => isConnected(one) && isConnected(other), 300_000),
        `seed ${seed}`,
      ).equal(true);
      expect([warning(one), warning(other)]).deep.equal([undefined, undefined]);
      for (let value = 0; value < 10; value++) {
        const count = one.settled.length;
        one.station.dispatch({ type: "peerDataSubmitted", payload: Uint8Array.of(value) });
        air.runUntil(() => one.settled.length > count, 10_000);
        expect(one.settled.length, `seed ${seed}: each is settled`).equal(count + 1);
      }
      const values = other.received;
      expect([...new Set(values)].sort(), `seed ${seed}`).deep.equal(values);
      for (const [value, isDelivered] of one.settled.entries())
        if (isDelivered) expect(values, `seed ${seed}`).include(value);
    }
  });

  it("do not exchange data while one of them is too new, and do again once the other is, without a word from a person", () => {
    const air = new Air({ seed: 1, loss: 0.2 });
    const [one, other] = [new Paired(air, "receiver", RECEIVER), new Paired(air, "transmitter", TRANSMITTER)];
    air.runUntil(() => isConnected(one) && isConnected(other), 60_000);
    const newer = { ...SETTINGS, protocolVersion: 3, minCompatible: 30_000 };
    other.restart("3.0.0", newer);
    air.runFor(60_000);
    expect(warning(one)).match(/^The transmitter 3\.0\.0 is not compatible: /);
    expect(warning(other)).match(/^The receiver 2\.1\.0 is not compatible: /);
    one.station.dispatch({ type: "peerDataSubmitted", payload: Uint8Array.of(1) });
    expect(one.settled).deep.equal([false]);
    one.restart("3.0.0", newer);
    air.runFor(60_000);
    expect([warning(one), warning(other)]).deep.equal([undefined, undefined]);
    one.station.dispatch({ type: "peerDataSubmitted", payload: Uint8Array.of(2) });
    air.runFor(10_000);
    expect(other.received).deep.equal([2]);
  });

  it("notice within 40 s that the other is gone, and at once that it is back", () => {
    const air = new Air({ seed: 2 });
    const [one, other] = [new Paired(air, "receiver", RECEIVER), new Paired(air, "transmitter", TRANSMITTER)];
    air.runFor(60_000);
    other.station.leave();
    air.runFor(40_000);
    expect(warning(one)).equal(`The transmitter ${TRANSMITTER} has not been heard for 30 s.`);
    other.restart("2.1.0", SETTINGS);
    air.runFor(1_000);
    expect([isConnected(one), isConnected(other)]).deep.equal([true, true]);
  });

  it("stay a pair beside another one in the same air", () => {
    const air = new Air({ seed: 3, loss: 0.1 });
    const one = new Paired(air, "receiver", RECEIVER);
    const other = new Paired(air, "transmitter", TRANSMITTER);
    air.runUntil(() => isConnected(one) && isConnected(other), 60_000);
    const third = new Paired(air, "receiver", STRANGER);
    air.runFor(120_000);
    const fourth = new Paired(air, "transmitter", "24:0a:c4:00:00:98");
    air.runFor(120_000);
    expect(one.state.mac).equal(TRANSMITTER);
    expect(other.state.mac).equal(RECEIVER);
    expect([warning(one), warning(other)]).deep.equal([undefined, undefined]);
    expect(third.state.mac, "it has heard the first pair's, and its owner sees whose").equal(TRANSMITTER);
    expect(fourth.state.mac === RECEIVER || fourth.state.mac === STRANGER).equal(true);
  });

  it("speak little: 36 frames a minute when nothing happens", () => {
    const air = new Air({ seed: 4 });
    new Paired(air, "receiver", RECEIVER);
    new Paired(air, "transmitter", TRANSMITTER);
    air.runFor(60_000);
    const before = air.frameCount;
    air.runFor(600_000);
    expect((air.frameCount - before) / 10).within(35, 37);
  });
});
