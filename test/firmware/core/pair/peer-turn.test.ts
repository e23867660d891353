// Which of the events of a device are the pair's, and what its machine raises.

import { expect } from "chai";
import { initialPeer } from "../../../../firmware/core/pair/peer-state.js";
import { isPeerFrame, isPeerInput, peerTurn } from "../../../../firmware/core/pair/peer-turn.js";
import { ANNOUNCE, writeVersionPacket } from "../../../../firmware/core/pair/version-packet.js";
import type { PeerInput } from "../../../../firmware/core/pair/vocabulary.js";
import { BOOTED } from "../events.js";

const STAMP = { at: 0, random: 0.5, freeHeapBytes: 100_000 };
const SETTINGS = { peerType: "transmitter", protocolVersion: 1, minCompatible: 10_000 };

const version = {
  type: ANNOUNCE,
  firmwareVersion: 10_000,
  protocolVersion: 1,
  minCompatible: 10_000,
  deviceType: "transmitter",
  buildDate: "",
  buildTime: "",
} as const;

describe("the pair's machine beside others", () => {
  it("has the frames of data, probes, answers and versions, and no others", () => {
    for (const type of [0x01, 0x02, 0x03, 0x10, 0x11, 0x12])
      expect(isPeerFrame(Uint8Array.of(type, 9)), `${type}`).equal(true);
    for (const type of [0x00, 0x04, 0x0f, 0x13, 0x20, 0x30, 0xff])
      expect(isPeerFrame(Uint8Array.of(type, 9)), `${type}`).equal(false);
    expect(isPeerFrame(new Uint8Array(0))).equal(false);
  });

  it("has its timers and its own events; frames and boots are for all", () => {
    for (const timer of ["peer.announce", "peer.lost", "peer.ack"])
      expect(isPeerInput({ type: "timerFired", timer }), timer).equal(true);
    expect(isPeerInput({ type: "peerDataSubmitted" })).equal(true);
    expect(isPeerInput({ type: "peerForgotten" })).equal(true);
    for (const event of [
      { type: "timerFired", timer: "check" },
      { type: "timerFired" },
      { type: "booted" },
      { type: "frameReceived" },
      { type: "peerDataReceived" },
    ])
      expect(isPeerInput(event), JSON.stringify(event)).equal(false);
  });

  it("tells what it raises apart from what it does, each in order", () => {
    const run = (peer: typeof initialPeer, event: PeerInput) =>
      peerTurn(peer, { ...event, ...STAMP }, SETTINGS);
    const begun = run(initialPeer, { ...BOOTED, identity: { ...BOOTED.identity, type: "receiver" } });
    expect(begun.effects.map(({ type }) => type)).deep.equal(["sendFrame", "setTimer", "setTimer"]);
    expect(begun.raised.map(({ type }) => type)).deep.equal(["peerFacts"]);
    const heard = run(begun.peer, {
      type: "frameReceived",
      from: "aa:bb:cc:dd:ee:01",
      bytes: writeVersionPacket(version),
      rssi: -40,
      isBroadcast: true,
    } as PeerInput);
    expect(heard.raised).deep.include.members([heard.peer.facts]);
    expect(heard.peer.facts).include({ isConnected: true, isCompatible: true, version: "1.0.0" });
    expect(heard.effects.some(({ type }) => (type as string) === "raise")).equal(false);
    const still = run(heard.peer, { type: "timerFired", timer: "peer.ack" } as PeerInput);
    expect([still.effects, still.raised]).deep.equal([[], []]);
  });
});
