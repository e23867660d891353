// The gateway app and a painlessMesh node that is a program of this computer, written from the protocol alone, over real TCP. The orders
// come from the real update server.

import { createHmac } from "node:crypto";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { buildFirmwareImage } from "../../../host-sim/hardware/image/firmware-image.js";
import { CONFIG, LiveDevice } from "../live-device.js";
import { TakingNode } from "../mesh-peer.js";
import { ADMIN_TOKEN } from "../open-server.js";
import { imageOf } from "../rig.js";

const MESH_PORT = 5555;
const GATEWAY_TABLE = fileURLToPath(new URL("../../../partitions/8mb-gateway.csv", import.meta.url));
/** 200 kB that nothing could have guessed, of another maker. */
const IMAGE = Buffer.from(
  buildFirmwareImage({
    chip: "esp32",
    version: "esp-idf: v4.4.7",
    project: "arduino-lib-builder",
    bundle: Array.from({ length: 3_100 }, (_, index) =>
      createHmac("sha256", "mesh").update(`${index}`).digest("hex"),
    ).join(""),
  }),
);

const UPDATES = "/api/v1/ota/updates";

// what a test names it has
// biome-ignore lint/suspicious/noExplicitAny: answers of several routes
type Answer = any;

/** Asks until the answer is this. */
async function until(ask: () => Promise<Answer>, is: (answer: Answer) => boolean): Promise<Answer> {
  for (let tries = 0; ; tries++) {
    const answer = await ask();
    if (is(answer)) return answer;
    if (tries > 1_500) throw new Error(`not in time: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("the gateway app", () => {
  let gateway: LiveDevice;
  beforeEach(async () => {
    gateway = await LiveDevice.start([MESH_PORT], {
      partitions: GATEWAY_TABLE,
      image: await imageOf("gateway", "1.0.0", "esp32", {
        ...CONFIG,
        type: "gateway",
        gatewayToken: ADMIN_TOKEN,
      }),
    });
  });
  afterEach(() => gateway?.close());

  const orderOf = (id: unknown) => () => gateway.rig.server.admin("GET", `${UPDATES}/${id}`);

  it("fetches an order's image, gives it to nodes of its role byte for byte, and tells the server", async () => {
    const id = await gateway.rig.server.uploadForNodes(IMAGE, "sensor", "1.0.1");
    const { id: order } = await gateway.rig.server.admin("POST", UPDATES, { firmware_id: id });
    const node = new TakingNode(gateway.portOf(MESH_PORT), 1_001, "sensor");
    await gateway.until(() => node.image !== undefined);
    expect(node.image!.equals(IMAGE)).equal(true);
    node.close();
    // it restarts and comes back, as the library's nodes do
    const again = new TakingNode(gateway.portOf(MESH_PORT), 1_001, "other");
    const ended = await until(orderOf(order), ({ status }) => status === "completed");
    expect(ended.error_message).equal("1 of 1 nodes have it");
    expect(ended.nodes).length(1);
    expect(ended.nodes[0]).include({ node_id: "1001", status: "completed", current_part: ended.part_count });
    again.close();
  });

  it("tells nodes that an order was cancelled: they give up what they have begun", async () => {
    const id = await gateway.rig.server.uploadForNodes(IMAGE, "sensor", "1.0.1");
    const { id: order } = await gateway.rig.server.admin("POST", UPDATES, { firmware_id: id });
    const node = new TakingNode(gateway.portOf(MESH_PORT), 1_002, "sensor", { stopAt: 50 });
    await gateway.until(() => node.isStopped);
    await gateway.rig.server.admin("DELETE", `${UPDATES}/${order}`);
    // by its next question for orders or by the answer to a report, whichever comes first
    const isTold = (line: string) =>
      /\(order 1\): (it was cancelled|the update server has closed it)/.test(line);
    await gateway.until(() => gateway.rig.trace.some(isTold));
    node.goOn();
    await gateway.until(() => node.isRefused);
    expect(node.image).equal(undefined);
    node.close();
  });
});
