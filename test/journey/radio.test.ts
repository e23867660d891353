// Frames between virtual devices that run the firmware's radio: from the effect of one to the event of another.

import { expect } from "chai";
import { BROADCAST, macOf, runRadios, send, sent, start, tune } from "./radios.js";

describe("the radio of a device", () => {
  it("sends to everybody and to one, and hears with address, strength and contents", async () => {
    const longest = Array.from({ length: 250 }, (_, i) => i);
    const radios = await runRadios([
      { script: [start(), send(200, BROADCAST, longest, 7), send(300, macOf(1), [3], 4_000_000_000)] },
      { script: [start()] },
      { script: [start()] },
    ]);
    expect(radios.lines()).to.deep.equal([
      [sent(7, true), sent(4_000_000_000, true)],
      [`${macOf(0)} true -55 ${longest.join()}`, `${macOf(0)} false -55 3`],
      [`${macOf(0)} true -55 ${longest.join()}`],
    ]);
  });

  it("tells apart who sends, in whatever order they do", async () => {
    const turns = (device: number) => send(100 + 100 * device, BROADCAST, [device]);
    const { lines } = await runRadios([
      { script: [start(), turns(0), turns(2), turns(3)] },
      { script: [start(), turns(1), turns(4)] },
      { script: [start()] },
    ]);
    const senders = lines()[2]!.map((line) => line.split(" ")[0]);
    expect(senders).to.deep.equal([0, 1, 0, 0, 1].map(macOf));
  });

  it("tells that nobody has acknowledged a frame", async () => {
    const radios = await runRadios([{ script: [start(), send(100, macOf(5), [1])] }]);
    expect(radios.lines()).to.deep.equal([[sent(1, false)]]);
  });

  it("takes six frames at once, answers those beyond at once, and reports the others in order", async () => {
    const radios = await runRadios([{ script: [start(), send(100, BROADCAST, [1], 10, 8)] }]);
    const order = [16, 17, 10, 11, 12, 13, 14, 15];
    expect(radios.lines()).to.deep.equal([order.map((frame) => sent(frame, frame < 16))]);
  });

  it("does not send before it has been started, nor a frame that is too long or empty", async () => {
    const radios = await runRadios([
      {
        script: [
          send(0, BROADCAST, [1], 1),
          { ...start(), atMs: 100 },
          send(200, BROADCAST, new Array(251).fill(1), 2),
          send(200, BROADCAST, [], 3),
        ],
      },
    ]);
    expect(radios.lines()).to.deep.equal([[sent(1, false), sent(2, false), sent(3, false)]]);
    expect(radios.network.espNow.count()).equal(0);
  });

  it("speaks to more devices than ESP-IDF takes as peers, and again to the first", async () => {
    const peers = Array.from({ length: 25 }, (_, i) =>
      send(200 + 30 * i, `02:00:00:00:00:${i + 10}`, [i], i),
    );
    const radios = await runRadios([
      { script: [start(), send(100, macOf(1), [9], 100), ...peers, send(1_500, macOf(1), [9], 101)] },
      { script: [start()] },
    ]);
    expect(radios.lines()[0]!.at(0)).equal(sent(100, true));
    expect(radios.lines()[0]!.at(-1)).equal(sent(101, true));
    expect(radios.lines()[0]!.length).equal(27);
    expect(radios.lines()[1]!.length).equal(2);
  });

  it("hears those on its channel, and goes to another when it is told", async () => {
    const radios = await runRadios([
      { script: [start(6), send(100, BROADCAST, [1], 1), send(500, BROADCAST, [2], 2)] },
      { script: [start(1), tune(300, 6)] },
    ]);
    expect(radios.lines()[1]).to.deep.equal([`${macOf(0)} true -55 2`]);
  });

  it("tells that a channel cannot be had", async () => {
    const radios = await runRadios([{ script: [start(), tune(100, 13)] }]);
    const message = "ESP-NOW on channel 13: ESP-IDF's error 0x102";
    expect(radios.lines()).to.deep.equal([[JSON.stringify({ type: "radioFailed", message })]]);
  });

  it("goes to the channel of the network that it joins, hears there, and cannot be tuned away", async () => {
    const everySecond = (channel: number) => ({
      script: [
        start(channel),
        ...Array.from({ length: 10 }, (_, i) => send(500 + 1_000 * i, macOf(2), [channel, i], i)),
      ],
    });
    const { lines } = await runRadios(
      [
        everySecond(1),
        everySecond(9),
        { script: [start(1), tune(8_000, 1), tune(2_000, 1)], join: { atMs: 1_000, ssid: "home" } },
      ],
      { ms: 12_000, prepare: (network) => network.addAccessPoint({ ssid: "home", channel: 9 }) },
    );
    const [onOne, onNine, joined] = lines();
    const acknowledged = (all: readonly string[]) => all.map((line) => line.includes("true"));
    // it is away from its channel while it searches and joins, in the second and third second
    expect(acknowledged(onOne!)).to.deep.equal([true, ...new Array(9).fill(false)]);
    expect(acknowledged(onNine!)).to.deep.equal([false, false, false, ...new Array(7).fill(true)]);
    const message = "ESP-NOW on channel 1: ESP-IDF's error 0x3006";
    expect(joined).to.deep.equal([
      `${macOf(0)} false -55 1,0`,
      JSON.stringify({ type: "radioFailed", message }),
      ...[3, 4, 5, 6, 7, 8, 9].map((i) => `${macOf(1)} false -55 9,${i}`),
    ]);
  });

  it("keeps 32 frames for firmware that is busy, and tells how many more there were", async () => {
    const talker = {
      script: [start(), ...Array.from({ length: 8 }, (_, i) => send(500 + 60 * i, BROADCAST, [i], 6 * i, 6))],
    };
    const radios = await runRadios([talker, { script: [start()], busyAtMs: 400, busyMs: 2_000 }], {
      ms: 4_000,
    });
    const heard = radios.lines()[1]!.filter((line) => line.startsWith(macOf(0)));
    const dropped = radios.lines()[0]!.filter((line) => line.includes("true")).length - 32;
    expect(dropped).to.be.above(0);
    expect(heard.length).equal(32);
    expect(radios.lines()[1]!.at(-1)).equal(JSON.stringify({ type: "framesDropped", count: dropped }));
  });

  it("goes on after a power cut of the listener, and after one of its own", async () => {
    const script = [start(), ...Array.from({ length: 30 }, (_, i) => send(100 + 100 * i, BROADCAST, [i], i))];
    const { lines, devices, network } = await runRadios([{ script }, { script: [start()] }], { ms: 1_000 });
    const heard = () => lines()[1]!.map((line) => Number(line.split(" ").at(-1)));
    const before = heard();
    devices[1]!.powerOff();
    devices[1]!.powerOn();
    await network.world.runFor(1_000);
    const missed = heard()[before.length]! - before.length;
    expect(missed).to.be.within(3, 6); // its start takes 350 ms
    devices[0]!.powerOff();
    devices[0]!.powerOn();
    await network.world.runFor(1_000);
    expect(heard().lastIndexOf(0)).to.be.above(before.length);
    expect(heard().at(-1)).to.be.above(2);
  });
});
