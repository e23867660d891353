// The node app in a painlessMesh, and a gateway that is a program of this computer, written from the protocol alone, over real TCP.

import { expect } from "chai";
import { CONFIG, LiveDevice } from "../live-device.js";
import { GivingGateway } from "../mesh-peer.js";
import { padded } from "../padded.js";
import { imageOf, releaseOf } from "../rig.js";

const MESH_PORT = 5555;
const OWN = { ...CONFIG, type: "led", role: "led", link: "mesh" };

describe("the node app in a painlessMesh", () => {
  let node: LiveDevice;
  before(async () => {
    node = await LiveDevice.start([MESH_PORT], { image: await imageOf("node", "1.0.0", "esp32", OWN) });
  });
  after(() => node?.close());

  const giving = async (update: Uint8Array, role: string, more: object) => {
    const gateway = new GivingGateway(node.portOf(MESH_PORT), 77, update, { role, more });
    await node.until(() => gateway.otherId !== 0);
    gateway.announce();
    return gateway;
  };

  it("takes an image of 200 kB for its role byte for byte, and none for another", async () => {
    const update = padded(await imageOf("node", "1.1.0", "esp32", OWN), 200_000);
    const release = await releaseOf(update);
    const other = await giving(update, "pir", { release });
    const gateway = await giving(update, "led", { release });
    await node.until(() => node.isValidated("1.1.0 ota_0"));
    const count = Math.ceil(update.length / 1024);
    expect(gateway.sentParts).deep.equal(Array.from({ length: count }, (_, part) => part));
    expect(other.sentParts).deep.equal([]);
    const { flash, partitions } = node.rig.desk.device;
    const slot = partitions.find(({ label }) => label === "ota_0")!.offset;
    expect(Buffer.from(flash.read(slot, update.length)).equals(Buffer.from(update))).equal(true);
    for (const one of [gateway, other]) one.close();
  });
});
