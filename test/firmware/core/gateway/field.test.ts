// Whole devices without a network behind a whole gateway: their checks, reports and updates, through everything that the air, the gateway and
// the update server do to them.

import { expect } from "chai";
import { problem } from "../../../../firmware/core/radio/exchange-message.js";
import { GATEWAY_KEY } from "../../../../firmware/core/radio/gateway-search.js";
import { randomStream } from "../../../../host-sim/world/random.js";
import { Field, type FieldOptions, GATEWAY, type NodeStation } from "./field.js";
import { CHUNK_BYTES, makeRelease, type TestRelease, text, UpdateServer } from "./update-server.js";

const RELEASE = makeRelease(40_000);
const OTHER = makeRelease(36_000, 8);
const MINUTE_MS = 60_000;

/** Runs the offered version already: the gateway. */
function serverOf(...releases: TestRelease[]): UpdateServer {
  const server = new UpdateServer(...releases);
  server.releaseFor = (deviceId) => (deviceId.startsWith("node") ? releases[0] : undefined);
  return server;
}

function field(options: Partial<FieldOptions> = {}): Field {
  return new Field({ seed: 1, server: serverOf(RELEASE), ...options }).start();
}

const holds = ({ body }: NodeStation, { image }: TestRelease): boolean =>
  Buffer.from(body.slot.bytes.slice(0, image.length)).equals(image);

/** Each node runs the new version for good, from the image that was signed. */
function expectUpdated({ nodes }: Field, release = RELEASE, what = ""): void {
  for (const node of nodes) {
    expect(node.runs(release.version), `${what} ${node.deviceId}: ${node.body.logs.at(-1)}`).equal(true);
    expect(holds(node, release), `${what} ${node.deviceId} holds the image`).equal(true);
  }
}

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

describe("a gateway and its nodes", () => {
  it("update ten nodes at 20 % loss, and fetch the image once", () => {
    const ten = field({ nodeCount: 10, loss: 0.2, duplication: 0.02, reorderingMs: 5 });
    expect(ten.runUntilUpdated("1.1.0", 20 * MINUTE_MS)).equal(true);
    expectUpdated(ten);
    expect(ten.gateway.state.cache.fetchedBytes).at.most(1.05 * RELEASE.image.length);
  });

  it("take an image of several pages of digests", () => {
    const large = makeRelease(66 * CHUNK_BYTES + 4_112, 9);
    const one = field({ server: serverOf(large) });
    expect(one.runUntilUpdated("1.1.0", 20 * MINUTE_MS)).equal(true);
    expectUpdated(one, large);
    expect(one.gateway.state.cache.fetchedBytes).equal(large.image.length);
  });

  it("go on after the gateway has restarted, whenever that is, and fetch hardly anything twice", () => {
    for (let atMs = 1_000; atMs < 16_000; atMs += 2_300) {
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
    for (let atMs = 1_000; atMs < 16_000; atMs += 2_300) {
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
    const seedCount = Number(process.env.SKYSLOT_TEST_SEEDS ?? 6);
    let faultCount = 0;
    for (let seed = 0; seed < seedCount; seed++) {
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
    expect(faultCount).above(6 * seedCount);
  });
});
