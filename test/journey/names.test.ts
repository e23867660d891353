// Three devices of one type whose factory addresses end in the same three bytes, in one home: each of them has a name of its own there, is
// answered by it, and tells it. All of them start at once when the power comes back.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { HOME, OWNER_TOKEN } from "../../host-sim/desk/desk.js";
import { Person } from "../../host-sim/desk/person.js";
import { VirtualDevice } from "../../host-sim/device/device.js";
import { Phone } from "../../host-sim/network/phone.js";
import { VirtualNetwork } from "../../host-sim/network/virtual-network.js";
import { World } from "../../host-sim/world/world.js";
import { imageOf } from "./rig.js";

const MINUTE_MS = 60_000;
const TABLE = readFileSync(fileURLToPath(new URL("../../partitions/8mb.csv", import.meta.url)), "utf8");

describe("a device whose router repeats what it sends", () => {
  it("keeps its name", async () => {
    const world = new World({ seed: 5 });
    const network = new VirtualNetwork({ world });
    const home = network.addAccessPoint(HOME);
    const repeater = network.addHost("repeater", `${home.segment.prefix}.250`);
    let count = 0;
    const socket = repeater.bindUdp(5353, ({ bytes, address }) => {
      if (address.endsWith(".250")) return;
      count++;
      socket?.send(bytes, "224.0.0.251", 5353);
    });
    socket?.groups.add("224.0.0.251");
    const mac = Uint8Array.of(0x24, 0x6f, 1, 0xa1, 0xb2, 0xc3);
    let trace = "";
    const device = new VirtualDevice({
      world,
      network,
      name: "device",
      chip: "esp32",
      mac,
      onTrace: (text) => {
        trace += text;
      },
    });
    device.flashFactory(TABLE, await imageOf("base", "1.0.0"));
    device.powerOn();
    await world.runFor(5_000);
    void new Person({ world, network, wifi: HOME, token: OWNER_TOKEN }).setUp("Skyslot base-a1b2c3");
    await world.runFor(5 * MINUTE_MS);
    const phone = new Phone({ world, network, name: "laptop", mac: "02:00:00:00:00:77" });
    void phone.join(HOME.ssid, HOME.password);
    await world.runFor(1_000);
    const asked = phone.get("/api/version", device.machine?.radio.stationAddress);
    await world.runFor(5_000);
    expect(JSON.parse((await asked).text).hostName).equal("base-a1b2c3.local");
    expect(trace).contain("setup portal closed").and.not.contain("another device is called");
    expect(count).above(3);
    device.powerOff();
  });
});

describe("devices of one name", () => {
  const world = new World({ seed: 4 });
  const network = new VirtualNetwork({ world });
  const devices: VirtualDevice[] = [];
  let phone: Phone;

  before(async () => {
    network.addAccessPoint({ ...HOME, domain: "fritz.box" });
    for (const number of [1, 2, 3]) {
      const mac = Uint8Array.of(0x24, 0x6f, number, 0xa1, 0xb2, 0xc3);
      const device = new VirtualDevice({ world, network, name: `device ${number}`, chip: "esp32", mac });
      device.flashFactory(TABLE, await imageOf("base", "1.0.0"));
      devices.push(device);
      device.powerOn();
      await world.runFor(5_000);
      const person = new Person({ world, network, wifi: HOME, token: OWNER_TOKEN });
      void person.setUp("Skyslot base-a1b2c3");
      await world.runFor(3 * MINUTE_MS);
    }
    phone = new Phone({ world, network, name: "laptop", mac: "02:00:00:00:00:77" });
    void phone.join(HOME.ssid, HOME.password);
    await world.runFor(1_000);
  });
  after(() => {
    for (const device of devices) device.powerOff();
  });

  const addressOf = (device: VirtualDevice) => device.machine?.radio.stationAddress ?? "nowhere";

  /** The answer to a request to this device that names it so. */
  async function ask(device: VirtualDevice, path: string, host: string) {
    const asked = phone.get(path, addressOf(device), { headers: { host } });
    await world.runFor(5_000);
    return asked;
  }
  const nameOf = async (device: VirtualDevice): Promise<string> =>
    JSON.parse((await ask(device, "/api/version", addressOf(device))).text).hostName;

  it("get the names -2 and -3, and answer by them", async () => {
    const names = [];
    for (const device of devices) names.push(await nameOf(device));
    expect(names).deep.equal(["base-a1b2c3.local", "base-a1b2c3-2.local", "base-a1b2c3-3.local"]);
    for (const [index, device] of devices.entries()) {
      const name = names[index] ?? "";
      for (const host of [name, name.replace(".local", ".fritz.box"), name.toUpperCase()])
        expect((await ask(device, "/api/health", host)).status, host).equal(200);
      expect((await ask(device, "/api/health", "attacker.example")).text).contain(`http://${name}/`);
    }
  });

  it("tell their router what they are called, whose name server leads there", async () => {
    const asked = phone.fetch("http://base-a1b2c3.fritz.box/api/health");
    await world.runFor(5_000);
    const { link } = JSON.parse((await asked).text);
    expect(devices.map(addressOf)).contain(link.address);
  });

  it("have different names after a power cut of the whole house", async () => {
    for (const device of devices) device.powerOff();
    for (const device of devices) device.powerOn();
    await world.runFor(4 * MINUTE_MS);
    const names = new Set<string>();
    for (const device of devices) {
      const name = await nameOf(device);
      names.add(name);
      expect((await ask(device, "/api/health", name)).status, name).equal(200);
    }
    expect(names.size).equal(3);
    expect(devices.map(({ bootCount }) => bootCount)).deep.equal([2, 2, 2]);
  });
});
