// Nodes and their gateway through everything that the air, the gateway and the update server do to them.

import { expect } from "chai";
import { problem } from "../../../../firmware/core/radio/exchange-message.js";
import { randomStream } from "../../../../host-sim/world/random.js";
import { expectUpdated, field, holds, MINUTE_MS, OTHER, RELEASE, serverOf } from "./field-fixtures.js";
import { CHUNK_BYTES, makeRelease, text } from "./update-server.js";

/** Inside XS, which has no process and takes ten times as long, there are fewer rounds. */
const isNode = globalThis.process !== undefined;
const RESTART_STEP_MS = isNode ? 2_300 : 8_000;
const NODE_COUNT = isNode ? 6 : 3;
const SEED_COUNT = isNode ? Number(process.env.SKYSLOT_TEST_SEEDS ?? 6) : 1;

describe("a gateway and its nodes", () => {
  it(`update ${NODE_COUNT} nodes at 20 % loss, and fetch the image once`, () => {
    const some = field({ nodeCount: NODE_COUNT, loss: 0.2, duplication: 0.02, reorderingMs: 5 });
    expect(some.runUntilUpdated("1.1.0", 20 * MINUTE_MS)).equal(true);
    expectUpdated(some);
    expect(some.gateway.state.cache.fetchedBytes).at.most(1.05 * RELEASE.image.length);
  });

  // a page is 64 chunks: a megabyte takes half a minute in XS, where test/xs/large-release.test.ts has one
  if (isNode)
    it("take an image of several pages of digests", () => {
      const large = makeRelease(66 * CHUNK_BYTES + 4_112, 9);
      const one = field({ server: serverOf(large) });
      expect(one.runUntilUpdated("1.1.0", 20 * MINUTE_MS)).equal(true);
      expectUpdated(one, large);
      expect(one.gateway.state.cache.fetchedBytes).equal(large.image.length);
    });

  it("go on after the gateway has restarted, whenever that is, and fetch hardly anything twice", () => {
    for (let atMs = 1_000; atMs < 16_000; atMs += RESTART_STEP_MS) {
      const one = field({ seed: atMs, loss: 0.05 });
      one.air.runFor(atMs);
      one.gateway.restart();
      expect(one.runUntilUpdated("1.1.0", 20 * MINUTE_MS), `${atMs} ms`).equal(true);
      expectUpdated(one, RELEASE, `${atMs} ms`);
      const ranges = one.server.asked.filter(({ path }) => path.includes("download/7?"));
      expect(ranges.length, `${atMs} ms`).within(3, 4);
    }
  });

  it("go on after a node has restarted, whenever that is", () => {
    for (let atMs = 1_000; atMs < 16_000; atMs += RESTART_STEP_MS) {
      const two = field({ seed: atMs, loss: 0.05, nodeCount: 2 });
      two.air.runFor(atMs);
      two.node.restart();
      expect(two.runUntilUpdated("1.1.0", 20 * MINUTE_MS), `${atMs} ms`).equal(true);
      expectUpdated(two, RELEASE, `${atMs} ms`);
    }
  });

  it("wait for the gateway's network, and go on when it is back", () => {
    const one = field();
    one.air.runUntil(() => one.gateway.state.cache.fetchedBytes > 10_000, MINUTE_MS);
    one.gateway.loseNetwork();
    one.air.runFor(5 * MINUTE_MS);
    expect(one.node.body.version).equal("1.0.0");
    one.gateway.hasNetwork = true;
    expect(one.runUntilUpdated("1.1.0", 20 * MINUTE_MS)).equal(true);
    expectUpdated(one);
  });

  it("fetch a chunk again that was spoilt in the gateway's flash behind its check", () => {
    const one = field();
    one.air.runUntil(() => one.gateway.state.cache.right[1] === 1, MINUTE_MS);
    one.gateway.cache.bytes[CHUNK_BYTES + 77]! ^= 4;
    expect(one.runUntilUpdated("1.1.0", 20 * MINUTE_MS)).equal(true);
    expectUpdated(one);
    expect(one.server.asked.filter(({ headers }) => headers.range === "bytes=16384-32767")).length(2);
  });

  it("pass on one image after the other", () => {
    const server = serverOf(RELEASE, OTHER);
    server.releaseFor = (deviceId) =>
      deviceId === "node-1" ? RELEASE : deviceId === "node-2" ? OTHER : undefined;
    const two = field({ server, nodeCount: 2 });
    expect(two.runUntilUpdated("1.1.0", 20 * MINUTE_MS)).equal(true);
    expect(holds(two.nodes[0]!, RELEASE)).equal(true);
    expect(holds(two.nodes[1]!, OTHER)).equal(true);
  });

  it("leave a node as it is whose image is larger than the cache, and say why", () => {
    const one = field({ settings: { cacheBytes: 39_000 } });
    one.air.runFor(5 * MINUTE_MS);
    expect(one.node.runs("1.0.0")).equal(true);
    expect(one.server.asked.filter(({ path }) => path.includes("download/7?"))).deep.equal([]);
    expect(one.node.body.logs.join()).include("507");
  });

  it("let the leader of a system answer a member itself", () => {
    const answer = problem(503, "the system is not ready", 5);
    const one = field({
      settings: { member: ({ target }) => (target === "/api/ota/check" ? answer : undefined) },
    });
    one.air.runFor(MINUTE_MS);
    expect(one.server.asked.some(({ body }) => body.device_id === "node-1")).equal(false);
    expect(one.node.body.logs.join()).include("server answered 503");
    expect(one.gateway.asked).include(`${one.node.address} /api/ota/check`);
  });

  for (const status of [401, 429, 500, 302, 404])
    it(`survive a server that answers ${status} to every second request`, () => {
      const server = serverOf(RELEASE);
      let count = 0;
      server.lie = ({ path }, honest) =>
        path.includes("/check") || count++ % 2 === 1 ? honest : text(status, {}, { "retry-after": "3" });
      const one = field({ server, seed: status });
      expect(one.runUntilUpdated("1.1.0", 60 * MINUTE_MS), one.node.body.logs.slice(-3).join()).equal(true);
      expectUpdated(one);
    });

  it("end up updated after random faults, which are many, and never stuck", () => {
    let faultCount = 0;
    for (let seed = 0; seed < SEED_COUNT; seed++) {
      const random = randomStream(`field/${seed}`);
      const server = serverOf(RELEASE);
      const some = field({
        seed,
        server,
        nodeCount: 1 + Math.floor(random() * 3),
        loss: random() * 0.3,
        duplication: 0.05,
        reorderingMs: 10,
      });
      server.lie = (_asked, honest) => {
        const dice = random() * 10;
        if (dice < 8) return honest;
        faultCount += 1;
        if (dice < 8.4) return undefined;
        if (dice < 8.8) return text(503, {});
        if (dice < 9.2) return { ...honest, endsAfter: Math.floor(random() * honest.body.length) };
        if (dice < 9.6) return text(429, {}, { "retry-after": "2" });
        return { ...honest, body: honest.body.map((byte, at) => (at === 99 ? byte ^ 1 : byte)) };
      };
      for (let count = 0; count < 6; count++) {
        some.air.runFor(random() * 12_000);
        const dice = Math.floor(random() * 5);
        if (dice < 2) some.nodes[Math.floor(random() * some.nodes.length)]!.restart();
        else if (dice === 2) some.gateway.restart();
        else if (dice === 3) some.gateway.loseNetwork();
        else some.air.loss = 0.3 * random();
        faultCount += 1;
        if (dice === 3) some.air.after(random() * 20_000, () => some.gateway.restoreNetwork());
      }
      server.lie = (_asked, honest) => honest;
      some.gateway.restoreNetwork();
      const updated = some.runUntilUpdated("1.1.0", 12 * 60 * MINUTE_MS);
      expect(
        updated,
        `seed ${seed}: ${some.nodes.map(({ body }) => body.logs.slice(-4).join("; ")).join(" | ")}`,
      ).equal(true);
      expectUpdated(some, RELEASE, `seed ${seed}`);
    }
    expect(faultCount).above(6 * SEED_COUNT);
  });
});
