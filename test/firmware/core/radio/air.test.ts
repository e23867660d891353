import { assert } from "chai";
import type { Stamped } from "../../../../firmware/core/event.js";
import { BROADCAST, MAX_FRAMES_UNDER_WAY } from "../../../../firmware/core/radio/vocabulary.js";
import { Air, type AirEvent, type AirOptions, type Station } from "./air.js";

const A = "02:00:00:00:00:01";
const B = "02:00:00:00:00:02";
const C = "02:00:00:00:00:03";

/** A station that remembers what happens to it. */
function listener(air: Air, address: string, channel: number | undefined = 1) {
  const events: AirEvent[] = [];
  const station = air.join({
    address,
    step(event: AirEvent) {
      events.push(event);
      return [];
    },
  });
  station.channel = channel;
  const received = () => events.flatMap((event) => (event.type === "frameReceived" ? [event.bytes[1]!] : []));
  const sent = () => events.flatMap((event) => (event.type === "frameSent" ? [event.isAcknowledged] : []));
  return { station, events, received, sent };
}

/** Asks a station's machine for effects, as an event of its own would. */
function sender(air: Air, address: string) {
  const results: boolean[] = [];
  const station = air.join({
    address,
    step: (event: AirEvent | { type: "send"; to: string; bytes: Uint8Array }) => {
      if (event.type === "frameSent") results.push(event.isAcknowledged);
      return event.type === "send"
        ? [{ type: "sendFrame", frame: 1, to: event.to, bytes: event.bytes } as const]
        : [];
    },
  });
  station.channel = 1;
  return { station, results };
}

const send = (station: Station, number: number, to = BROADCAST) =>
  station.dispatch({ type: "send", to, bytes: Uint8Array.of(7, number) });

function sendMany(options: AirOptions, count: number) {
  const air = new Air(options);
  const a = sender(air, A);
  const b = listener(air, B);
  const c = listener(air, C);
  for (let i = 0; i < count; i++) {
    send(a.station, i % 256);
    air.runFor(20);
  }
  air.runFor(1_000);
  return { air, b: b.received(), c: c.received() };
}

describe("the air between stations", () => {
  it("delivers each frame once and in order when nothing is wrong with it", () => {
    const { b, c, air } = sendMany({ seed: 1 }, 50);
    assert.deepEqual(b, [...Array(50).keys()]);
    assert.deepEqual(c, b);
    assert.strictEqual(air.counts.get(7), 50);
  });

  it("loses frames for each receiver on its own", () => {
    const { b, c } = sendMany({ seed: 2, loss: 0.2 }, 400);
    assert.ok(b.length > 290 && b.length < 350, `${b.length}`);
    assert.notDeepEqual(b, c);
  });

  it("repeats and reorders frames", () => {
    const { b } = sendMany({ seed: 3, duplication: 0.3, reorderingMs: 60 }, 200);
    assert.ok(b.length > 230, `${b.length}`);
    assert.ok(b.some((number, i) => i > 0 && number < b[i - 1]!));
  });

  it("does the same again with the same seed, and something else with another", () => {
    const run = (seed: number) => sendMany({ seed, loss: 0.5 }, 100).b;
    assert.deepEqual(run(4), run(4));
    assert.notDeepEqual(run(4), run(5));
  });

  it("delivers nothing on another channel, out of range, or to a station that has left", () => {
    const air = new Air({ seed: 1, hears: (to) => to !== C });
    const a = sender(air, A);
    const b = listener(air, B, 2);
    const c = listener(air, C);
    const gone = listener(air, "02:00:00:00:00:04");
    send(a.station, 1);
    gone.station.leave();
    air.runFor(100);
    assert.deepEqual([b.received(), c.received(), gone.events], [[], [], []]);
  });

  it("acknowledges a frame to one device only if its radio has heard it", () => {
    const air = new Air({ seed: 1, unicastTries: 3 });
    const a = sender(air, A);
    const b = listener(air, B);
    send(a.station, 1, B);
    send(a.station, 2, C);
    air.runFor(100);
    assert.deepEqual(a.results, [true, false]);
    assert.deepEqual(b.received(), [1]);
    assert.strictEqual(air.counts.get(7), 4, "the second frame was in the air three times");
  });

  it("takes no more frames than may be under way, and says so at once", () => {
    const air = new Air({ seed: 1 });
    const a = sender(air, A);
    const b = listener(air, B);
    for (let i = 0; i < MAX_FRAMES_UNDER_WAY + 2; i++) send(a.station, i);
    air.runFor(0);
    assert.deepEqual(a.results, [false, false]);
    air.runFor(1_000);
    assert.strictEqual(b.received().length, MAX_FRAMES_UNDER_WAY);
  });

  it("sends one frame at a time", () => {
    const air = new Air({ seed: 1, frameMs: 1, bitsPerSecond: 200_000 });
    const a = sender(air, A);
    const c = sender(air, C);
    const times: number[] = [];
    air.onSent = ({ atMs }) => times.push(atMs);
    a.station.dispatch({ type: "send", to: BROADCAST, bytes: new Uint8Array(225) });
    c.station.dispatch({ type: "send", to: BROADCAST, bytes: new Uint8Array(225) });
    air.runFor(100);
    assert.deepEqual(times, [10, 20]);
  });

  it("fires a timer once, and the latest of one name", () => {
    const air = new Air({ seed: 1 });
    const fired: string[] = [];
    const station = air.join({
      address: A,
      step(event: Stamped<AirEvent | { type: "go" }>) {
        if (event.type === "timerFired") fired.push(`${event.timer} ${event.at}`);
        return event.type === "go"
          ? ([
              { type: "setTimer", timer: "one", delayMs: 10 },
              { type: "setTimer", timer: "one", delayMs: 20 },
              { type: "setTimer", timer: "two", delayMs: 5 },
              { type: "clearTimer", timer: "two" },
            ] as const)
          : [];
      },
    });
    station.dispatch({ type: "go" });
    air.runFor(100);
    assert.deepEqual(fired, ["one 20"]);
  });
});
