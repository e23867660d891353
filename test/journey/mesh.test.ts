// painlessMesh over real TCP: programs that know nothing of the project take an image from a virtual gateway, and give one to a virtual node.

import { createHash, createHmac } from "node:crypto";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { CONFIG, LiveDevice } from "./live-device.js";
import { GivingGateway, TakingNode } from "./mesh-peer.js";
import { imageOf, releaseOf } from "./rig.js";

const MESH_PORT = 5555;
const GATEWAY_TABLE = fileURLToPath(new URL("../../partitions/8mb-gateway.csv", import.meta.url));
const CACHE_OFFSET = 0x620000;

/** 200 kB that nothing could have guessed. */
const IMAGE = Buffer.concat(
  Array.from({ length: 6_400 }, (_, index) => createHmac("sha256", "mesh").update(`${index}`).digest()),
).subarray(0, 200_003);
const MD5 = createHash("md5").update(IMAGE).digest("hex");

describe("a gateway of the mesh", () => {
  let gateway: LiveDevice;
  before(async () => {
    const image = { md5: MD5, hardware: "ESP32", role: "sensor", isForced: false, isBroadcast: false };
    const distribution = { image, sizeBytes: IMAGE.length };
    gateway = await LiveDevice.start([MESH_PORT], {
      partitions: GATEWAY_TABLE,
      image: await imageOf("mesh-gateway.ts", "1.0.0", "esp32", { ...CONFIG, distribution }),
      prepare: ({ flash }) => flash.bytes.set(IMAGE, CACHE_OFFSET),
    });
  });
  after(() => gateway?.close());

  it("gives 200 kB byte for byte to nodes that take them at the same time, and nothing to those of another role", async () => {
    const port = gateway.portOf(MESH_PORT);
    const nodes = [1, 2, 3].map((id) => new TakingNode(port, 1_000 + id, "sensor"));
    const other = new TakingNode(port, 2_000, "lamp");
    await gateway.until(() => nodes.every(({ image }) => image !== undefined));
    for (const { image, otherId } of nodes) {
      expect(image?.equals(IMAGE)).equal(true);
      expect(otherId).equal(Buffer.from(gateway.rig.desk.device.mac).readUInt32BE(2));
    }
    expect(other.received.some(({ type }) => type === 10)).equal(true);
    expect(other.received.some(({ type }) => type === 12)).equal(false);
    for (const node of [...nodes, other]) node.close();
  });

  it("closes who sends a message that is too long, and serves the others", async () => {
    const port = gateway.portOf(MESH_PORT);
    const node = new TakingNode(port, 3_000, "sensor");
    const endless = new TakingNode(port, 3_001, "sensor");
    await gateway.until(() => node.otherId !== 0 && endless.otherId !== 0);
    endless.send({ type: 9, dest: 5, msg: "x".repeat(10_000) });
    await gateway.until(() => endless.hasEnded && node.image !== undefined);
    expect(node.image?.equals(IMAGE)).equal(true);
    node.close();
  });
});

describe("a node of the mesh", () => {
  let node: LiveDevice;
  let update: Uint8Array;
  beforeEach(async () => {
    update = await imageOf("base", "1.1.0", "esp32", CONFIG);
    node = await LiveDevice.start([MESH_PORT], {
      image: await imageOf("mesh-node.ts", "1.0.0", "esp32", { ...CONFIG, role: "led" }),
    });
  });
  afterEach(() => node?.close());

  const giving = async (
    options: { readonly role?: string; readonly partBytes?: number; readonly more?: object } = {},
  ) => {
    const gateway = new GivingGateway(node.portOf(MESH_PORT), 77, update, { role: "led", ...options });
    await node.until(() => gateway.otherId !== 0);
    gateway.announce();
    return gateway;
  };

  it("takes an image with our release, proves it, and is validated", async () => {
    const gateway = await giving({ more: { release: await releaseOf(update) } });
    await node.until(() => node.isValidated("1.1.0 ota_0"));
    const count = Math.ceil(update.length / 1024);
    expect(gateway.sentParts).deep.equal(Array.from({ length: count }, (_, part) => part));
    const { flash, partitions } = node.rig.desk.device;
    const slot = partitions.find(({ label }) => label === "ota_0")!.offset;
    expect(Buffer.from(flash.read(slot, update.length)).equals(Buffer.from(update))).equal(true);
    gateway.close();
  });

  it("takes no image without a release while its owner has not allowed that", async () => {
    const gateway = await giving();
    await node.until(() => node.rig.trace.some((line) => line.includes("but it is not signed")));
    expect(gateway.sentParts).deep.equal([]);
    gateway.close();
  });

  it("takes one from any painlessMesh sender where unsigned images are accepted, in parts of any size", async () => {
    const { device, world } = node.rig.desk;
    expect(device.machine?.nvs?.set("skyslot", "push.unsigned", "str", "1")).equal("ESP_OK");
    const checkCount = node.rig.checks.length;
    world.post(() => {
      device.powerOff();
      device.powerOn();
    });
    await node.until(() => node.rig.checks.length > checkCount);
    const gateway = await giving({ partBytes: 3_000 });
    await node.until(() => node.isValidated("1.1.0 ota_0"));
    expect(gateway.sentParts).length(Math.ceil(update.length / 3_000));
    gateway.close();
  });
});
