// Signals: as text, and as frames that are sent three times and heard once.

import { expect } from "chai";
import {
  hearByRadio,
  initialSignals,
  isSignal,
  type SignalState,
  sayByRadio,
  sendAgain,
} from "../../../../firmware/apps/node/core/radio-signal.js";
import { readSignal, type Signal, writeSignal } from "../../../../firmware/apps/node/core/signal.js";

const MOTION: Signal = { role: "pir", values: { motion: 1 } };
const GROUP = 0x12345678;

describe("a signal as text", () => {
  it("is JSON with its role and its values, and is read as it was written", () => {
    const climate: Signal = { role: "dht", values: { temperature: -3.1, humidity: 46 } };
    expect(writeSignal(MOTION)).equal('{"role":"pir","motion":1}');
    expect(writeSignal(climate)).equal('{"role":"dht","temperature":-3.1,"humidity":46}');
    for (const signal of [MOTION, climate]) expect(readSignal(writeSignal(signal))).deep.equal(signal);
  });

  for (const text of [
    "",
    "motion",
    "[1]",
    "null",
    '{"motion":1}',
    '{"role":"pir"}',
    '{"role":"pir","motion":"1"}',
    '{"role":1,"motion":1}',
    '{"role":"a role of many letters","motion":1}',
    '{"role":"pir","motion":{"motion":1}}',
    `{"role":"pir","motion":1,"x":"${"y".repeat(200)}"}`,
    `{"role":"pir","motion":1${',"a":0'.repeat(20)}}`,
  ])
    it(`is none: ${text.slice(0, 50)}`, () => {
      expect(readSignal(text)).equal(undefined);
    });

  it("keeps what it knows of one that says more", () => {
    expect(readSignal('{"role":"toaster","motion":0,"toast":2}')).deep.equal({
      role: "toaster",
      values: { motion: 0 },
    });
  });
});

describe("a signal by radio", () => {
  const say = (state: SignalState, random = 0.5) => sayByRadio(state, MOTION, { group: GROUP, random });
  const frameIn = (effects: readonly { readonly type: string }[]): Uint8Array =>
    (effects.find(({ type }) => type === "sendFrame") as unknown as { readonly bytes: Uint8Array }).bytes;

  it("is sent three times with a pause that is never the same", () => {
    const [first, effects] = say(initialSignals);
    expect(effects.map(({ type }) => type)).deep.equal(["sendFrame", "setTimer"]);
    expect(effects[1]).deep.equal({ type: "setTimer", timer: "role.signal", delayMs: 60 });
    const [second, again] = sendAgain(first, 0);
    expect(again[1]).include({ delayMs: 40 });
    const [third, last] = sendAgain(second, 0.9);
    expect(last.map(({ type }) => type)).deep.equal(["sendFrame"]);
    expect(sendAgain(third, 0)[1]).deep.equal([]);
    expect(frameIn(last)).deep.equal(frameIn(effects));
  });

  it("has the layout that its table says", () => {
    const frame = frameIn(say(initialSignals)[1]);
    expect([...frame.subarray(0, 8)]).deep.equal([0x40, 1, 0x78, 0x56, 0x34, 0x12, 0x00, 0x80]);
    expect(Buffer.from(frame.subarray(8)).toString()).equal(writeSignal(MOTION));
    expect(isSignal(frame)).equal(true);
    expect(isSignal(frame.subarray(0, 8))).equal(false);
  });

  it("is heard once, from each node for itself, and the next one again", () => {
    const [speaker, effects] = say(initialSignals);
    const bytes = frameIn(effects);
    const [once, signal] = hearByRadio(initialSignals, { from: "a", bytes }, GROUP);
    expect(signal).deep.equal(MOTION);
    const [twice, nothing] = hearByRadio(once, { from: "a", bytes }, GROUP);
    expect(nothing).equal(undefined);
    expect(hearByRadio(twice, { from: "b", bytes }, GROUP)[1]).deep.equal(MOTION);
    expect(hearByRadio(twice, { from: "a", bytes: frameIn(say(speaker)[1]) }, GROUP)[1]).deep.equal(MOTION);
  });

  it("is not heard from another group, another version, or longer than a signal is", () => {
    const bytes = frameIn(say(initialSignals)[1]);
    const heard = (one: Uint8Array, group = GROUP) =>
      hearByRadio(initialSignals, { from: "a", bytes: one }, group)[1];
    expect(heard(bytes, GROUP + 1)).equal(undefined);
    expect(heard(Uint8Array.from(bytes, (byte, at) => (at === 1 ? 2 : byte)))).equal(undefined);
    expect(heard(Uint8Array.from({ length: 250 }, (_, at) => bytes[at] ?? 32))).equal(undefined);
    expect(heard(bytes.subarray(0, 12))).equal(undefined);
  });

  it("remembers eight speakers, however many there are", () => {
    const bytes = frameIn(say(initialSignals)[1]);
    let state = initialSignals;
    for (let from = 0; from < 100; from++) [state] = hearByRadio(state, { from: `${from}`, bytes }, GROUP);
    expect(state.heard.map(({ from }) => from)).deep.equal(["92", "93", "94", "95", "96", "97", "98", "99"]);
  });

  it("counts on from 65535 to 0", () => {
    const [last] = say({ ...initialSignals, number: 0xffff, frame: Uint8Array.of(1) });
    expect(last.number).equal(0);
  });
});
