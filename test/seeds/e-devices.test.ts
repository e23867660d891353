// System E, its devices: the three calls of docs/mesh.md as they stand there, in apps of their own. A gateway and a node of the library's protocol, the
// operator with curl; everything over real sockets.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { DESK_SERVER, Desk } from "../../host-sim/desk/desk.js";
import { buildImage } from "../../host-sim/image-build/image.js";
import { type Door, exposeOnLoopback } from "../../host-sim/network/bridge.js";
import { readDocument } from "../docs/document.js";
import { readBlocks } from "../docs/markdown.js";
import { CONFIG, LiveDevice } from "../journey/live-device.js";
import { GivingGateway, TakingNode } from "../journey/mesh-peer.js";
import { releaseKeys, releaseOf } from "../journey/rig.js";
import { requireCurl, Seed } from "./seed.js";

const MESH_PORT = 5555;
const UPDATES = "/api/v1/ota/updates";
const SPEED = 20;
const GATEWAY_TABLE = fileURLToPath(new URL("../../partitions/8mb-gateway.csv", import.meta.url));
const FIRMWARE = fileURLToPath(new URL("../../firmware/apps/", import.meta.url));
const IMPORTS: Readonly<Record<string, string>> = {
  OTAGateway: "gateway/ota-gateway.js",
  enableOTAReceive: "node/ota-node.js",
};

describe("system E, on the devices", function () {
  this.timeout(120_000);
  let folder: string;
  /** What the document shows: a gateway's app, and a node's. */
  const [block] = readBlocks(readDocument("docs/mesh.md")).filter(({ language }) => language === "ts");
  const apps = block!.text.split("\n\n");

  before(async function () {
    requireCurl.call(this);
    folder = await mkdtemp(join(tmpdir(), "skyslot-apps-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** An app that has these lines and the import that they need. */
  async function imageOf(lines: string, version: string, config: object): Promise<Uint8Array> {
    const used = Object.entries(IMPORTS).filter(([name]) => lines.includes(name));
    const imports = used.map(
      ([name, path]) => `import { ${name} } from ${JSON.stringify(FIRMWARE + path)};\n`,
    );
    const app = join(folder, `${used[0]![0]}.ts`);
    await writeFile(app, imports.join("") + lines);
    const { kid, x, y } = (await releaseKeys()).publicKey;
    const trusted = { server: DESK_SERVER, keys: [{ kid: kid!, x: x!, y: y! }] };
    return buildImage({ app, version, chip: "esp32", config: { ...trusted, ...CONFIG, ...config } });
  }

  it("a gateway of three lines distributes what the operator orders with curl", async () => {
    const seed = await Seed.open({ settings: { openGateways: true }, legacyTypes: ["sensor"] });
    let desk: Desk | undefined;
    let door: Door | undefined;
    let running: Promise<boolean> | undefined;
    let isOver = false;
    const trace: string[] = [];
    try {
      const { body: firmware } = await seed.upload("/api/v1/firmware/upload", {
        ...{ node_type: "sensor", version: "1.0.1", release_notes: "Sleeps longer" },
      });
      const order = { firmware_id: firmware.id, force_update: false };
      const { body: created } = await seed.json(UPDATES, order, ...seed.asAdmin);
      expect(created.status).equal("pending");

      desk = new Desk({
        server: { loopbackPort: Number(new URL(seed.server.url).port) },
        image: await imageOf(apps[0]!, "1.0.0", { type: "gateway" }),
        partitions: GATEWAY_TABLE,
        realTime: SPEED,
        onTrace: (line) => trace.push(line),
      });
      const { network, device, world } = desk;
      door = await exposeOnLoopback({ network, device, devicePort: MESH_PORT, isHttp: false });
      device.powerOn();
      running = world.runUntil(() => isOver, { limitMs: 3_600_000 });
      const shown = async () => (await seed.curl(...seed.asAdmin, seed.url(`${UPDATES}/${created.id}`))).body;
      await until(() => trace.some((line) => line.includes("distributes sensor 1.0.1")));
      const node = new TakingNode(door.port, 1_001, "sensor");
      await until(() => node.image !== undefined);
      expect(node.image!.equals(await readFile(seed.image))).equal(true);
      node.close();
      // it restarts and comes back, as the library's nodes do
      const again = new TakingNode(door.port, 1_001, "other");
      await until(async () => (await shown()).status === "completed");
      again.close();
      const { nodes, part_count } = await shown();
      expect(nodes).length(1);
      expect(nodes[0]).include({ node_id: "1001", status: "completed", current_part: part_count });
    } finally {
      isOver = true;
      desk?.world.stop();
      await running;
      door?.close();
      desk?.device.powerOff();
      await seed.close();
    }
  });

  it("a node of one line takes the image for its role from a gateway", async () => {
    const own = { type: "led", link: "mesh", lightPin: 26 };
    const node = await LiveDevice.start([MESH_PORT], { image: await imageOf(apps[1]!, "1.0.0", own) });
    try {
      const update = await imageOf(apps[1]!, "1.1.0", own);
      const more = { release: await releaseOf(update, { type: "led" }) };
      const gateway = new GivingGateway(node.portOf(MESH_PORT), 77, update, { role: "led", more });
      await node.until(() => gateway.otherId !== 0);
      gateway.announce();
      await node.until(() => node.isValidated("1.1.0 ota_0"));
      gateway.close();
    } finally {
      await node.close();
    }
  });
});

async function until(is: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await is()); tries++) {
    if (tries > 1_000) throw new Error("not in time");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
