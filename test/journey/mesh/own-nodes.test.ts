// Nodes of ours, without a network, and their gateway: an order of the update server reaches them by blocks through the air.

import { expect } from "chai";
import { CRASHES, type Mesh, MINUTE_MS, nodeImage, setUpMesh, UPDATES } from "./field.js";

describe("a gateway and its own nodes", function () {
  this.timeout(300_000);
  let mesh: Mesh;
  afterEach(() => mesh?.close());

  /** All are there and have checked. */
  async function start(): Promise<void> {
    for (const device of [mesh.gateway, ...mesh.nodes]) device.powerOn();
    const areHeard = () => mesh.heard.size === mesh.nodes.length + 1;
    expect(await mesh.until(areHeard), mesh.lines("node 1").join("\n")).equal(true);
  }

  async function open(rule: "each" | "all", image: Uint8Array): Promise<unknown> {
    const firmware_id = await mesh.upload(image);
    return (await mesh.server.admin("POST", UPDATES, { firmware_id, rule })).id;
  }

  it("update five nodes at once at 20 % loss, and fetch the image once", async () => {
    mesh = await setUpMesh({ nodeCount: 5, conditions: { loss: 0.2 } });
    await start();
    const update = await nodeImage("1.1.0");
    const order = await open("each", update);
    const ended = await mesh.end(order);
    expect(ended, mesh.lines("gateway").join("\n")).include({
      status: "completed",
      error_message: "5 of 5 nodes have it",
    });
    for (const node of mesh.nodes) expect(node.running?.label).equal("ota_0");
    expect(mesh.sentBytes()).within(update.length, update.length * 1.05);
  });

  const hasLine = (device: string, words: string) => mesh.lines(device).some((line) => line.includes(words));
  /** The node that is ahead has so much of the image. */
  const areAt = (bytes: number) => () =>
    hasLine("node 1", `resuming at byte ${bytes} `) || hasLine("node 2", `resuming at byte ${bytes} `);

  it("start the image together where all or none are to have it", async () => {
    mesh = await setUpMesh({ nodeCount: 2, conditions: { loss: 0.1 } });
    await start();
    const order = await open("all", await nodeImage("1.1.0"));
    expect(await mesh.until(() => hasLine("node 1", "is staged") && hasLine("node 2", "is staged"))).equal(
      true,
    );
    for (const node of mesh.nodes) expect(node.running?.label).equal("factory");
    expect(await mesh.end(order)).include({ status: "completed", rule: "all" });
    for (const node of mesh.nodes) expect(node.running?.label).equal("ota_0");
  });

  it("keep what they have where one of all has vanished", async () => {
    mesh = await setUpMesh({ nodeCount: 2 });
    await start();
    const order = await open("all", await nodeImage("1.1.0"));
    expect(await mesh.until(areAt(65_536))).equal(true);
    const [kept, gone] = hasLine("node 1", "resuming at byte 65536 ") ? [1, 0] : [0, 1];
    mesh.nodes[gone]!.powerOff();
    const ended = await mesh.end(order);
    expect(ended).include({ status: "failed" });
    expect(ended.error_message).contain("has fallen silent");
    expect(await mesh.until(() => hasLine(`node ${kept + 1}`, "given up"))).equal(true);
    mesh.nodes[gone]!.powerOn();
    await mesh.desk.world.runFor(5 * MINUTE_MS);
    for (const node of mesh.nodes) expect(node.running?.label).equal("factory");
  });

  it("go on where they were when the gateway's power was cut", async () => {
    mesh = await setUpMesh({ nodeCount: 2 });
    await start();
    const update = await nodeImage("1.1.0");
    const order = await open("each", update);
    expect(await mesh.until(areAt(65_536))).equal(true);
    mesh.gateway.powerOff();
    await mesh.desk.world.runFor(10_000);
    mesh.gateway.powerOn();
    const ended = await mesh.end(order);
    expect(ended, mesh.lines("gateway").join("\n")).include({ status: "completed" });
    expect(hasLine("gateway", "continues the distribution of pir 1.1.0")).equal(true);
    for (const node of mesh.nodes) expect(node.running?.label).equal("ota_0");
    expect(mesh.sentBytes()).within(update.length, update.length * 1.05);
  });

  it("have it where each is to, although one is off and the gateway's power is cut in the middle", async () => {
    mesh = await setUpMesh({ nodeCount: 5, conditions: { loss: 0.1 } });
    await start();
    const off = mesh.nodes[4]!;
    off.powerOff();
    const update = await nodeImage("1.1.0");
    const order = await open("each", update);
    expect(await mesh.until(areAt(65_536))).equal(true);
    mesh.gateway.powerOff();
    await mesh.desk.world.runFor(5_000);
    mesh.gateway.powerOn();
    expect(await mesh.end(order)).include({ status: "completed", error_message: "4 of 4 nodes have it" });
    off.powerOn();
    await mesh.desk.world.runFor(5_000);
    for (const node of mesh.nodes) expect(node.running?.label).equal(node === off ? "factory" : "ota_0");
    expect(mesh.sentBytes()).within(update.length, update.length * 1.05);
  });

  it("all go back where the image crashes, and say so", async () => {
    mesh = await setUpMesh({ nodeCount: 5, conditions: { loss: 0.1 } });
    await start();
    const order = await open("all", await nodeImage("1.1.0", {}, CRASHES));
    const ended = await mesh.end(order);
    expect(ended.status).equal("failed");
    expect(ended.error_message).match(/^pir-\w+: the new firmware threw .*; the others have gone back$/);
    for (const node of mesh.nodes) expect(node.running?.label).equal("factory");
    const logs = mesh.nodes.map((_, index) => mesh.lines(`node ${index + 1}`).join("\n"));
    // the one that is named by itself; the others by themselves too, or because they are told
    expect(logs.filter((log) => log.includes("rolled back")).length).at.least(1);
  });

  it("stop when the order is cancelled", async () => {
    mesh = await setUpMesh({ nodeCount: 2 });
    await start();
    const order = await open("all", await nodeImage("1.1.0"));
    expect(await mesh.until(areAt(65_536))).equal(true);
    await mesh.server.admin("DELETE", `${UPDATES}/${order}`);
    expect(await mesh.until(() => hasLine("gateway", "pir 1.1.0 (order 1): "))).equal(true);
    await mesh.desk.world.runFor(10 * MINUTE_MS);
    for (const node of mesh.nodes) expect(node.running?.label).equal("factory");
  });
});
