// A whole device without a network behind a whole gateway: it checks, reports and is updated as any device.

import { expect } from "chai";
import { GATEWAY_KEY } from "../../../../firmware/core/radio/gateway-search.js";
import { Field, GATEWAY } from "./field.js";
import { expectUpdated, field, MINUTE_MS, RELEASE, serverOf } from "./field-fixtures.js";
import { UpdateServer } from "./update-server.js";

describe("a device without a network", () => {
  it("checks through its gateway as itself, and names its gateway", () => {
    const server = new UpdateServer();
    field({ server }).air.runFor(10_000);
    const check = server.asked.find(({ body }) => body.device_id === "node-1")!;
    expect(check.path).equal("/api/ota/check");
    expect(check.headers).deep.include({
      "x-skyslot-gateway": "gateway-1",
      "content-type": "application/json",
    });
    expect(check.body).include({ address: GATEWAY, rssi: -60, current_version: "1.0.0" });
  });

  it("shows its own token, which its gateway keeps none of", () => {
    const server = serverOf(RELEASE);
    const one = new Field({ seed: 1, server });
    one.node.body.stored["server.token"] = "http://updates.test:8080 secret-of-node-1";
    one.start().runUntilUpdated("1.1.0", 10 * MINUTE_MS);
    expectUpdated(one);
    const asked = server.asked.filter(
      ({ body, path }) => body.device_id === "node-1" || path.includes("download"),
    );
    expect(asked.length).above(3);
    for (const { headers, path } of asked)
      expect(headers.authorization, path).equal("Bearer secret-of-node-1");
    expect(JSON.stringify(one.gateway.body.stored)).not.include("secret-of-node-1");
  });

  it("is updated in blocks, tries the image, keeps it and tells so", () => {
    const one = field();
    expect(one.runUntilUpdated("1.1.0", 5 * MINUTE_MS)).equal(true);
    expectUpdated(one);
    one.air.runFor(10_000);
    expect(one.server.reports("node-1").at(-1)).equal("success");
    expect(one.node.body.restartCount).equal(1);
    expect(one.gateway.state.cache.fetchedBytes).equal(RELEASE.image.length);
  });

  it("lets nothing come into its slot while it pauses after a chunk that was wrong", () => {
    const one = field();
    const { slot } = one.node.body;
    const write = slot.write.bind(slot);
    let spoiltCount = 0;
    slot.write = (offset, bytes) =>
      write(offset, offset === 224 && spoiltCount++ === 0 ? bytes.map((byte) => byte ^ 1) : bytes);
    one.air.runUntil(() => one.node.state.device.update.phase === "waiting", MINUTE_MS);
    expect(one.node.state.device.update.phase).equal("waiting");
    expect(one.node.state.blocks).equal(undefined);
    expect(one.runUntilUpdated("1.1.0", 5 * MINUTE_MS)).equal(true);
    expectUpdated(one);
    expect(spoiltCount).equal(2);
  });

  it("keeps its gateway over restarts", () => {
    const one = field();
    one.air.runFor(5_000);
    expect(one.node.body.stored[GATEWAY_KEY]).equal(`${GATEWAY} 6`);
    one.node.restart();
    const before = one.air.counts.get(0x29);
    one.air.runFor(5_000);
    expect(one.node.state.link.search.phase).equal("linked");
    expect(one.air.counts.get(0x29)! - before!).equal(1);
  });

  it("goes on with its work while no gateway is there, and finds it when it comes", () => {
    const one = new Field({ seed: 1, server: serverOf(RELEASE) });
    one.node.boot("power-on");
    one.air.runFor(10 * MINUTE_MS);
    expect(one.node.state.device.update).include({ online: false, phase: "idle" });
    one.gateway.boot("power-on");
    expect(one.runUntilUpdated("1.1.0", 5 * MINUTE_MS)).equal(true);
  });

  it("is rolled back when its new image does not reach the server", () => {
    const one = field();
    expect(one.air.runUntil(() => one.node.body.version === "1.1.0", 5 * MINUTE_MS)).equal(true);
    one.gateway.off();
    expect(one.air.runUntil(() => one.node.body.version === "1.0.0", 10 * MINUTE_MS)).equal(true);
    one.server.releaseFor = () => undefined;
    one.gateway.boot("power-on");
    one.air.runFor(2 * MINUTE_MS);
    expect(one.server.reports("node-1").at(-1)).equal("failed");
    expect(one.node.runs("1.0.0")).equal(true);
  });
});
