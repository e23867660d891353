// The virtual ESP-NOW, rule by rule: who hears a frame, what it costs, what the driver refuses and reports.

import { expect } from "chai";
import type { EspNow } from "../../../host-sim/network/espnow.js";
import { airTimeMs, BROADCAST, type HeardFrame } from "../../../host-sim/network/espnow-air.js";
import type { WifiRadio } from "../../../host-sim/network/radio.js";
import { VirtualNetwork } from "../../../host-sim/network/virtual-network.js";
import { World } from "../../../host-sim/world/world.js";

const macOf = (index: number): string => `24:6f:28:00:00:0${index}`;
const frameOf = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);

interface Station {
  readonly mac: string;
  readonly radio: WifiRadio;
  readonly espNow: EspNow;
  readonly heard: HeardFrame[];
  readonly sent: { readonly to: string; readonly isAcknowledged: boolean }[];
  readonly vanish: () => void;
}

/** Stations in range of each other, on channel 1, with ESP-NOW started and everybody as a peer of everybody. */
function stationsIn(network: VirtualNetwork, count: number): Station[] {
  return Array.from({ length: count }, (_, index) => {
    const mac = macOf(index);
    const bytes = Uint8Array.from(mac.split(":"), (digits) => Number.parseInt(digits, 16));
    const { radio, vanish } = network.attach({ name: `station ${index}`, mac: bytes });
    const { espNow } = radio;
    const station: Station = { mac, radio, espNow, heard: [], sent: [], vanish };
    radio.start(1);
    espNow.init();
    for (const peer of [BROADCAST, ...Array.from({ length: count }, (_, other) => macOf(other))])
      espNow.addPeer(peer);
    espNow.onReceived = (frame) => station.heard.push(frame);
    espNow.onSent = (to, isAcknowledged) => station.sent.push({ to, isAcknowledged });
    return station;
  });
}

describe("the virtual ESP-NOW", () => {
  let world: World;
  let network: VirtualNetwork;
  beforeEach(() => {
    world = new World({ seed: 1 });
    network = new VirtualNetwork({ world });
  });

  /** Sends the same frame so often, each as soon as the one before has left. */
  async function sendMany(from: Station, to: string, bytes: Uint8Array, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      from.espNow.send(to, bytes);
      const before = from.sent.length;
      await world.runUntil(() => from.sent.length > before, { limitMs: 1_000 });
    }
  }

  it("tells listeners who was to hear a frame, and whether they did", async () => {
    const [a, b, c] = stationsIn(network, 3);
    network.espNow.change({ rssi: (_, to) => (to === c!.mac ? undefined : -60) });
    const told: unknown[] = [];
    network.espNow.listeners.add(({ from, to }, who, isHeard) => told.push([from, to, who, isHeard]));
    a!.espNow.send(BROADCAST, frameOf(1));
    await world.runFor(100);
    expect(told, "who is out of range does not count").to.deep.equal([[a!.mac, BROADCAST, b!.mac, true]]);
    network.espNow.change({ loss: 1 });
    a!.espNow.send(BROADCAST, frameOf(1));
    await world.runFor(100);
    expect(told[1]).to.deep.equal([a!.mac, BROADCAST, b!.mac, false]);
  });

  it("brings a broadcast to everybody but its sender, whole, with sender and strength", async () => {
    const [a, b, c] = stationsIn(network, 3);
    network.espNow.change({ rssi: (_, to) => (to === b!.mac ? -60 : -70) });
    expect(a!.espNow.send(BROADCAST, frameOf(0x10, 1, 2))).to.equal("ESP_OK");
    await world.runFor(100);
    expect(b!.heard).to.deep.equal([{ from: a!.mac, to: BROADCAST, bytes: frameOf(0x10, 1, 2), rssi: -60 }]);
    expect(c!.heard.map(({ rssi }) => rssi)).to.deep.equal([-70]);
    expect(a!.heard).to.deep.equal([]);
    expect(a!.sent).to.deep.equal([{ to: BROADCAST, isAcknowledged: true }]);
  });

  it("brings a frame to one device to that one only, which acknowledges it", async () => {
    const [a, b, c] = stationsIn(network, 3);
    a!.espNow.send(b!.mac, frameOf(1));
    await world.runFor(100);
    expect([b!.heard.length, c!.heard.length]).to.deep.equal([1, 0]);
    expect(a!.sent).to.deep.equal([{ to: b!.mac, isAcknowledged: true }]);
  });

  it("acknowledges for firmware that has not started ESP-NOW, which gets nothing", async () => {
    const [a, b] = stationsIn(network, 2);
    b!.espNow.deinit();
    a!.espNow.send(b!.mac, frameOf(1));
    await world.runFor(100);
    expect(b!.heard).to.deep.equal([]);
    expect(a!.sent.map(({ isAcknowledged }) => isAcknowledged)).to.deep.equal([true]);
  });

  it("refuses frames of 0 and of 251 bytes, and takes those of 1 and of 250", () => {
    const [a] = stationsIn(network, 1);
    const lengths = [0, 1, 250, 251];
    expect(lengths.map((length) => a!.espNow.send(BROADCAST, new Uint8Array(length)))).to.deep.equal([
      "ESP_ERR_ESPNOW_ARG",
      "ESP_OK",
      "ESP_OK",
      "ESP_ERR_ESPNOW_ARG",
    ]);
  });

  it("sends to peers only, of which it takes twenty", () => {
    const [a] = stationsIn(network, 1);
    expect(a!.espNow.send("00:00:00:00:00:01", frameOf(1))).to.equal("ESP_ERR_ESPNOW_NOT_FOUND");
    const answers = Array.from({ length: 19 }, (_, i) => a!.espNow.addPeer(`00:00:00:00:00:${i + 10}`));
    expect(answers.slice(17)).to.deep.equal(["ESP_OK", "ESP_ERR_ESPNOW_FULL"]);
    expect(a!.espNow.addPeer(BROADCAST)).to.equal("ESP_ERR_ESPNOW_EXIST");
    expect(a!.espNow.deletePeer(BROADCAST)).to.equal("ESP_OK");
    expect(a!.espNow.send(BROADCAST, frameOf(1))).to.equal("ESP_ERR_ESPNOW_NOT_FOUND");
  });

  it("refuses what comes before it is started, without Wi-Fi, and more than its queue holds", () => {
    const [a] = stationsIn(network, 1);
    const answers = Array.from({ length: 9 }, () => a!.espNow.send(BROADCAST, frameOf(1)));
    expect(answers.slice(7)).to.deep.equal(["ESP_OK", "ESP_ERR_ESPNOW_NO_MEM"]);
    a!.radio.stop();
    expect(a!.espNow.send(BROADCAST, frameOf(1))).to.equal("ESP_ERR_ESPNOW_IF");
    a!.espNow.deinit();
    expect(a!.espNow.send(BROADCAST, frameOf(1))).to.equal("ESP_ERR_ESPNOW_NOT_INIT");
    expect(a!.espNow.deinit()).to.equal("ESP_ERR_ESPNOW_NOT_INIT");
  });

  it("never reports a frame that was waiting when Wi-Fi was stopped", async () => {
    const [a, b] = stationsIn(network, 2);
    a!.espNow.send(BROADCAST, frameOf(1));
    a!.radio.stop();
    await world.runFor(1_000);
    expect([a!.sent.length, b!.heard.length]).to.deep.equal([0, 0]);
  });

  it("tries a frame that nobody acknowledges seven times, which takes some 20 ms of the air", async () => {
    const [a] = stationsIn(network, 1);
    a!.espNow.addPeer("00:00:00:00:00:01");
    let endedMs = 0;
    let begunMs = 0;
    network.espNow.observers.add(() => {
      begunMs ||= world.nowMs;
      endedMs = world.nowMs;
    });
    a!.espNow.send("00:00:00:00:00:01", new Uint8Array(250).fill(3));
    await world.runFor(1_000);
    expect(a!.sent).to.deep.equal([{ to: "00:00:00:00:00:01", isAcknowledged: false }]);
    expect(network.espNow.count(3)).to.equal(7);
    expect(endedMs - begunMs + airTimeMs(250)).to.be.within(18, 26);
  });

  it("does to single frames what it was told: loses one, hands one over twice or late, keeps an acknowledgement back", async () => {
    const [a, b] = stationsIn(network, 2);
    const { fates } = network.espNow;
    fates.set(0, "lost").set(1, "twice").set(2, "late").set(4, "unacknowledged");
    for (let number = 0; number < 6; number++) await sendMany(a!, b!.mac, frameOf(number), 1);
    await world.runFor(1_000);
    // three frames overtake the third; all seven tries of the fifth are heard, since its sender does not learn that
    expect(b!.heard.map(({ bytes }) => bytes[0])).deep.equal([1, 1, 3, 4, 4, 4, 4, 4, 4, 4, 5, 2]);
    expect(a!.sent.map(({ isAcknowledged }) => isAcknowledged)).deep.equal([
      false,
      true,
      true,
      true,
      false,
      true,
    ]);
  });

  it("loses for each receiver by itself the share that it was told", async () => {
    const [a, b, c] = stationsIn(network, 3);
    network.espNow.change({ loss: 0.2 });
    await sendMany(a!, BROADCAST, frameOf(1), 2_000);
    const both = [b!, c!].map(({ heard }) => heard.length);
    expect(both[0]).to.be.within(1_540, 1_660);
    expect(both[1]).to.be.within(1_540, 1_660);
    expect(both[0]).not.equal(both[1]);
    // a broadcast that nobody heard counts as sent
    expect(a!.sent.every(({ isAcknowledged }) => isAcknowledged)).to.equal(true);
  });

  it("repeats a frame to one device that was lost, so that it may arrive twice, or arrive and count as lost", async () => {
    const [a, b] = stationsIn(network, 2);
    network.espNow.change({ loss: 0.5 });
    await sendMany(a!, b!.mac, frameOf(1), 400);
    const acknowledged = a!.sent.filter(({ isAcknowledged }) => isAcknowledged).length;
    // a try succeeds with 1/2 × 1/2: 1 − (3/4)^7 = 0.87
    expect(acknowledged).to.be.within(325, 370);
    expect(b!.heard.length).to.be.above(400);
    expect(network.espNow.count(1)).to.be.above(1_200);
  });

  it("duplicates the share that it was told", async () => {
    const [a, b] = stationsIn(network, 2);
    network.espNow.change({ duplication: 0.25 });
    await sendMany(a!, BROADCAST, frameOf(1), 400);
    expect(b!.heard.length).to.be.within(465, 535);
  });

  it("lets frames overtake each other within the delay that it was told", async () => {
    const [a, b] = stationsIn(network, 2);
    network.espNow.change({ delayMs: 40 });
    for (let i = 0; i < 100; i++) {
      a!.espNow.send(BROADCAST, frameOf(1, i));
      await world.runFor(25);
    }
    await world.runFor(1_000);
    const order = b!.heard.map(({ bytes }) => bytes[1]);
    expect(order).not.deep.equal([...order].sort((x, y) => x! - y!));
    expect([...order].sort((x, y) => x! - y!)).to.deep.equal(Array.from({ length: 100 }, (_, i) => i));
  });

  it("brings nothing to who is out of range, in one direction alone if that is so", async () => {
    const [a, b] = stationsIn(network, 2);
    network.espNow.change({ rssi: (from) => (from === a!.mac ? undefined : -90) });
    a!.espNow.send(b!.mac, frameOf(1));
    b!.espNow.send(BROADCAST, frameOf(2));
    await world.runFor(1_000);
    expect([a!.heard.length, b!.heard.length]).to.deep.equal([1, 0]);
    expect(a!.sent.map(({ isAcknowledged }) => isAcknowledged)).to.deep.equal([false]);
  });

  it("carries some 215 kbit/s of contents on a channel, from one sender or from ten", async () => {
    for (const count of [1, 10]) {
      world = new World({ seed: count });
      network = new VirtualNetwork({ world });
      const stations = stationsIn(network, count);
      for (const { espNow } of stations) {
        const again = () => espNow.send(BROADCAST, new Uint8Array(250).fill(7));
        espNow.onSent = again;
        again();
        again();
      }
      await world.runFor(20_000);
      const kilobits = (network.espNow.count(7) * 250 * 8) / 20_000;
      expect(kilobits, `${count} senders`).to.be.within(205, 225);
    }
  });

  it("gives everybody who waits the same share of the air, however much he has to send", async () => {
    const [a, b, c] = stationsIn(network, 3);
    const counts = new Map<string, number>();
    network.espNow.observers.add(({ from }) => counts.set(from, (counts.get(from) ?? 0) + 1));
    for (const [{ espNow }, depth] of [
      [a!, 1],
      [b!, 8],
    ] as const) {
      const again = () => espNow.send(BROADCAST, frameOf(1));
      espNow.onSent = again;
      for (let i = 0; i < depth; i++) again();
    }
    await world.runFor(10_000);
    expect(counts.get(a!.mac)! / counts.get(b!.mac)!).to.be.within(0.9, 1.1);
    expect(c!.heard.length).to.equal(counts.get(a!.mac)! + counts.get(b!.mac)!);
  });

  it("does not let channels disturb each other, and nobody hears a frame of another one", async () => {
    const [a, b, c] = stationsIn(network, 3);
    expect([b!, c!].map(({ radio }) => radio.setChannel(6))).to.deep.equal(["ESP_OK", "ESP_OK"]);
    a!.espNow.send(BROADCAST, frameOf(1));
    b!.espNow.send(BROADCAST, frameOf(2));
    b!.espNow.send(a!.mac, frameOf(3));
    await world.runFor(1_000);
    expect([a!, b!, c!].map(({ heard }) => heard.map(({ bytes }) => bytes[0]))).to.deep.equal([[], [], [2]]);
    expect(b!.sent.at(-1)).to.deep.equal({ to: a!.mac, isAcknowledged: false });
  });

  it("loses a frame whose sender has gone to another channel before its turn", async () => {
    const [a, b] = stationsIn(network, 2);
    a!.espNow.send(BROADCAST, frameOf(1));
    a!.radio.setChannel(6);
    await world.runFor(100);
    expect(b!.heard).to.deep.equal([]);
  });

  it("is on the channel of the network that was joined, and stays there when that is lost", async () => {
    const router = network.addAccessPoint({ ssid: "home", password: "secret12", channel: 9 });
    const [a] = stationsIn(network, 1);
    a!.espNow.isPowerSaving = false;
    a!.radio.connect({ ssid: "home", password: "secret12" });
    await world.runFor(10_000);
    expect(a!.radio.joined).not.equal(undefined);
    expect(a!.espNow.channel).to.equal(9);
    expect(a!.radio.setChannel(3)).to.equal("ESP_ERR_WIFI_STATE");
    router.setUp(false);
    await world.runFor(10_000);
    expect([a!.radio.joined, a!.espNow.channel]).to.deep.equal([undefined, 9]);
    expect(a!.radio.setChannel(3)).to.equal("ESP_OK");
    expect(a!.espNow.channel).to.equal(3);
  });

  it("hears nothing in a network while the radio sleeps between beacons", async () => {
    network.addAccessPoint({ ssid: "home", password: "secret12", channel: 1 });
    const [a, b] = stationsIn(network, 2);
    a!.radio.connect({ ssid: "home", password: "secret12" });
    await world.runFor(10_000);
    b!.espNow.send(BROADCAST, frameOf(1));
    await world.runFor(100);
    a!.espNow.isPowerSaving = false;
    b!.espNow.send(BROADCAST, frameOf(2));
    await world.runFor(100);
    expect(a!.heard.map(({ bytes }) => bytes[0])).to.deep.equal([2]);
  });

  it("hears nothing while it searches for networks, and what it sends then reaches nobody", async () => {
    const [a, b] = stationsIn(network, 2);
    let isFound = false;
    a!.radio.scan({ channel: 0 }, () => {
      isFound = true;
    });
    expect(a!.radio.setChannel(3)).to.equal("ESP_ERR_WIFI_STATE");
    b!.espNow.send(a!.mac, frameOf(1));
    a!.espNow.send(BROADCAST, frameOf(2));
    await world.runFor(500);
    expect([a!.heard.length, b!.heard.length, isFound]).to.deep.equal([0, 0, false]);
    expect(b!.sent).to.deep.equal([{ to: a!.mac, isAcknowledged: false }]);
    await world.runFor(3_000);
    b!.espNow.send(a!.mac, frameOf(3));
    await world.runFor(100);
    expect(a!.heard.map(({ bytes }) => bytes[0])).to.deep.equal([3]);
  });

  it("allows the channels of ESP-IDF's default country only", () => {
    const [a] = stationsIn(network, 1);
    expect([0, 1, 11, 12, 13, 14].map((channel) => a!.radio.setChannel(channel))).to.deep.equal([
      "ESP_ERR_INVALID_ARG",
      "ESP_OK",
      "ESP_OK",
      "ESP_ERR_INVALID_ARG",
      "ESP_ERR_INVALID_ARG",
      "ESP_ERR_INVALID_ARG",
    ]);
    a!.radio.stop();
    expect(a!.radio.setChannel(1)).to.equal("ESP_ERR_WIFI_NOT_STARTED");
  });

  it("forgets a device whose power has gone, with all that it was about to send", async () => {
    const [a, b, c] = stationsIn(network, 3);
    a!.espNow.send(BROADCAST, frameOf(1));
    c!.espNow.send(a!.mac, frameOf(2));
    a!.vanish();
    await world.runFor(1_000);
    expect([a!.heard.length, b!.heard.length, a!.sent.length]).to.deep.equal([0, 0, 0]);
    expect(c!.sent).to.deep.equal([{ to: a!.mac, isAcknowledged: false }]);
  });

  it("gives the same run for the same seed, and another for another", async () => {
    const trace = async (seed: number) => {
      world = new World({ seed });
      network = new VirtualNetwork({ world });
      network.espNow.change({ loss: 0.3, duplication: 0.1, delayMs: 20 });
      const [a, b] = stationsIn(network, 2);
      const seen: string[] = [];
      b!.espNow.onReceived = ({ bytes }) => seen.push(`${world.nowMs} ${bytes[0]}`);
      for (let i = 0; i < 20; i++) {
        a!.espNow.send(BROADCAST, frameOf(i));
        await world.runFor(20);
      }
      return seen;
    };
    const first = await trace(7);
    expect(first.length).to.be.above(5);
    expect(await trace(7)).to.deep.equal(first);
    expect(await trace(8)).not.deep.equal(first);
  });
});
