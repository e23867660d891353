// Nodes in their roles, on virtual hardware: somebody presses a button, walks past, opens a window; lights, other nodes and the server hear of it. By
// radio in virtual time, and in a painlessMesh over real TCP.

import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { groupOf } from "../../../firmware/core/radio/beacon.js";
import type { VirtualDevice } from "../../../host-sim/device/device.js";
import type { AirConditions } from "../../../host-sim/network/espnow-air.js";
import { CONFIG, LiveDevice } from "../live-device.js";
import { GivingGateway } from "../mesh-peer.js";
import { ADMIN_TOKEN } from "../open-server.js";
import { imageOf, type Rig, readJson, setUpRig } from "../rig.js";
import { nodeImage } from "./field.js";

const GATEWAY_TABLE = fileURLToPath(new URL("../../../partitions/8mb-gateway.csv", import.meta.url));
const ROLES = ["pir", "button", "button2", "dht", "led", "watcher"] as const;
const INPUT_PIN = 27;
const LIGHT_PIN = 26;
const MESH_PORT = 5555;

describe("nodes in their roles, by radio", function () {
  this.timeout(60_000);
  let rig: Rig;
  let nodes: Record<(typeof ROLES)[number], VirtualDevice>;
  /** Levels of the light, in order. */
  const light: number[] = [];
  const watched: string[] = [];
  const heard = new Set<string>();

  before(async () => {
    const images = await Promise.all(ROLES.map((role) => nodeImage("1.0.0", { type: role, role })));
    rig = await setUpRig({
      devices: [
        {
          name: "gateway",
          partitions: GATEWAY_TABLE,
          image: await imageOf("gateway", "1.0.0", "esp32", { type: "gateway", gatewayToken: ADMIN_TOKEN }),
        },
        ...ROLES.map((name, index) => ({ name, image: images[index] })),
      ],
      lie: async (request, honest) => {
        if (request.path === "/api/ota/check") heard.add(readJson(request.body).device_type);
        return honest();
      },
      onLight: (shown, name) => {
        if (name === "led" && shown.type === "pin" && shown.pin === LIGHT_PIN) light.push(shown.level);
      },
      onTrace: (line, name) => {
        if (name === "watcher" && line.includes(": ")) watched.push(line);
      },
    });
    const { devices, world } = rig.desk;
    nodes = Object.fromEntries(ROLES.map((role, index) => [role, devices[index + 1]])) as typeof nodes;
    nodes.dht.surroundWith({ temperatureC: -3.24, humidityPercent: 81 });
    for (const device of devices) device.powerOn();
    expect(await world.runUntil(() => heard.size === ROLES.length + 1, { limitMs: 30 * 60_000 })).equal(true);
  });
  after(async () => {
    for (const device of rig.desk.devices) device.powerOff();
    await rig.close();
  });
  beforeEach(() => {
    light.splice(0);
    watched.splice(0);
  });

  /** Of each device that the server knows, by type. */
  async function temperatures(): Promise<Readonly<Record<string, number | null>>> {
    const { devices } = (await rig.server.admin("GET", "/api/devices")) as {
      readonly devices: readonly { readonly device_type: string; readonly temperature_c: number | null }[];
    };
    return Object.fromEntries(devices.map(({ device_type, temperature_c }) => [device_type, temperature_c]));
  }
  const wait = (ms: number) => rig.desk.world.runFor(ms);
  const change = (conditions: Partial<AirConditions>) => rig.desk.network.espNow.change(conditions);

  /** Contacts that bounce for some milliseconds. */
  async function press(button: VirtualDevice, heldMs = 300): Promise<void> {
    for (const level of [0, 1, 0, 1, 0] as const) {
      button.pins.drive(INPUT_PIN, level);
      await wait(2);
    }
    await wait(heldMs);
    button.pins.drive(INPUT_PIN, undefined);
    await wait(1_000);
  }

  it("a button toggles the light, once however much it bounces, and a second one puts it out", async () => {
    await press(nodes.button);
    expect(light).deep.equal([1]);
    await press(nodes.button);
    await press(nodes.button);
    expect(light).deep.equal([1, 0, 1]);
    await press(nodes.button2);
    expect(light).deep.equal([1, 0, 1, 0]);
    const lines = watched.filter((line) => line.includes("button"));
    expect(lines.map((line) => line.replace(/^.*?(button2?: )/, "$1"))).deep.equal([
      ...Array(3).fill(["button: button 1", "button: button 0"]).flat(),
      "button2: button2 1",
      "button2: button2 0",
    ]);
  });

  it("the light is on while somebody moves, though a fifth of the frames is lost", async () => {
    change({ loss: 0.2 });
    nodes.pir.pins.drive(INPUT_PIN, 1);
    await wait(1_000);
    expect(light).deep.equal([1]);
    nodes.pir.pins.drive(INPUT_PIN, 0);
    await wait(1_000);
    expect(light).deep.equal([1, 0]);
    change({ loss: 0 });
  });

  it("the climate reaches the server with the node's next check, and the watcher at once", async () => {
    await wait(3 * 60_000);
    const nobody = Object.fromEntries([...ROLES, "gateway"].map((type) => [type, null]));
    expect(await temperatures()).deep.equal({ ...nobody, dht: -3.2 });
    expect(watched.filter((line) => line.endsWith("dht: temperature -3.2, humidity 81")).length).within(2, 4);
  });

  it("a sensor that is gone is no reading, and said once", async () => {
    nodes.dht.surroundWith({ hasSensor: false });
    await wait(3 * 60_000);
    expect((await temperatures()).dht).equal(null);
    const lines = rig.trace.filter((line) => line.includes("the DHT cannot be read: pin 25: no answer"));
    expect(lines.length).equal(1);
  });

  it("what comes from another group, or is none, changes nothing", async () => {
    const other = Buffer.from('{"role":"button","button":1}');
    const frame = Buffer.concat([Buffer.from([0x40, 1, 9, 9, 9, 9, 0, 0]), other]);
    const station = rig.desk.network.attach({ name: "stranger", mac: Uint8Array.of(2, 0, 0, 0, 0, 9) });
    station.radio.start(1);
    expect(station.radio.setChannel(rig.desk.home.channel)).equal("ESP_OK");
    station.radio.espNow.init();
    station.radio.espNow.addPeer("ff:ff:ff:ff:ff:ff");
    for (const bytes of [frame, frame.subarray(0, 9), Buffer.alloc(250, 0x40)])
      station.radio.espNow.send("ff:ff:ff:ff:ff:ff", bytes);
    await wait(1_000);
    expect(light).deep.equal([]);
    frame.writeUInt32LE(groupOf("mesh"), 2);
    station.radio.espNow.send("ff:ff:ff:ff:ff:ff", frame);
    await wait(1_000);
    station.vanish();
    expect(light, "of their own group it does").deep.equal([1]);
  });
});

describe("nodes in their roles, in a painlessMesh", () => {
  const own = (role: string) => ({ ...CONFIG, type: role, role, link: "mesh" });
  let node: LiveDevice;
  let peer: GivingGateway;
  const lights: number[] = [];

  async function start(role: string): Promise<void> {
    const image = await imageOf("node", "1.0.0", "esp32", own(role));
    node = await LiveDevice.start([MESH_PORT], {
      image,
      onLight: (shown) => {
        if (shown.type === "pin" && shown.pin === LIGHT_PIN) lights.push(shown.level);
      },
    });
    peer = new GivingGateway(node.portOf(MESH_PORT), 77, new Uint8Array(1), { role, more: {} });
    await node.until(() => peer.otherId !== 0);
  }
  afterEach(async () => {
    peer?.close();
    await node?.close();
  });

  const said = () => peer.received.filter(({ type }) => type === 8).map(({ msg }) => msg);

  it("say what happens as broadcasts, which any node of the library hears", async () => {
    await start("button");
    const { device, world } = node.rig.desk;
    world.post(() => device.pins.drive(INPUT_PIN, 0));
    await node.until(() => said().length === 1);
    world.post(() => device.pins.drive(INPUT_PIN, undefined));
    await node.until(() => said().length === 2);
    expect(said()).deep.equal(['{"role":"button","button":1}', '{"role":"button","button":0}']);
    const [message] = peer.received.filter(({ type }) => type === 8);
    expect(message).deep.include({ type: 8, dest: 0, from: peer.otherId });
  });

  it("do what a broadcast or a message to them says, and nothing about other texts", async () => {
    await start("led");
    lights.splice(0);
    const say = (type: number, dest: number, msg: unknown) => peer.send({ type, dest, from: 77, msg });
    say(8, 0, "hello");
    say(8, 0, { role: "button", button: 1 });
    say(9, 4711, '{"role":"button","button":1}');
    say(8, 0, '{"role":"pir","motion":1}');
    await node.until(() => lights.length === 1);
    say(9, peer.otherId, '{"role":"button","button":1}');
    await node.until(() => lights.length === 2);
    expect(lights).deep.equal([1, 0]);
  });
});
