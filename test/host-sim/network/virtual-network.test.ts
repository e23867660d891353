import { expect } from "chai";
import type { HttpHandler, HttpRequest } from "../../../host-sim/network/http-host.js";
import type { LinkPolicy } from "../../../host-sim/network/link-policy.js";
import { createWorld, type StubDevice, startDevice } from "./stub-machine.js";

const JOIN_AND_GET = `
import WiFi from "wifi";
import Net from "net";
import TCP from "embedded:io/socket/tcp";
import UDP from "embedded:io/socket/udp";
import HTTPClient from "embedded:network/http/client";
import Resolver from "embedded:network/dns/resolver/udp";
import Timer from "timer";
const get = (host, path, log) => {
  const dns = { io: Resolver, servers: Net.get("DNS"), socket: { io: UDP } };
  const client = new HTTPClient({ host, port: 80, dns, socket: { io: TCP }, onError: (e) => log("error " + e) });
  let length = 0, sum = 0;
  client.request({ path,
    onHeaders(status, headers) { log("status " + status + " " + headers.get("content-length")); },
    onReadable(count) {
      const bytes = new Uint8Array(this.read(count));
      length += bytes.length;
      for (let i = 0; i < bytes.length; i += 97) sum += bytes[i];
    },
    onDone(error) { log("done " + (error === null) + " " + length); } });
  return client;
};
const online = (then) => new WiFi({ ssid: "home" }, (message) => { if (message === "gotIP") then(); });
`;

const SIZE_BYTES = 100_000;
/** CONFIG_LWIP_TCP_WND_DEFAULT. */
const WINDOW_BYTES = 16_384;

const serveBytes: HttpHandler = async ({ path }) => ({
  status: path === "/image" ? 200 : 404,
  headers: { "content-type": "application/octet-stream" },
  body: path === "/image" ? new Uint8Array(SIZE_BYTES).fill(7) : new TextEncoder().encode("no"),
});

async function download(options: {
  policies?: readonly (LinkPolicy | undefined)[];
  path?: string;
  handler?: HttpHandler;
  ms?: number;
}): Promise<{ device: StubDevice; nowMs: number }> {
  const { world, network } = createWorld();
  network.addAccessPoint({ ssid: "home" });
  const host = network.addHost("updates.example", "203.0.113.5");
  network.serveHttp(host, 80, options.handler ?? serveBytes, ({ index }) => options.policies?.[index]);
  const path = options.path ?? "/image";
  const device = startDevice(
    network,
    `${JOIN_AND_GET} online(() => get("updates.example", "${path}", trace));`,
  );
  const isOver = (): boolean =>
    device.traces.some((text) => text.startsWith("done") || text.startsWith("error"));
  await world.runUntil(isOver, { limitMs: options.ms ?? 60_000 });
  return { device, nowMs: world.nowMs };
}

describe("an HTTP host of the virtual network", () => {
  it("is resolved by the router's DNS server and answers by a function", async () => {
    const { device } = await download({});
    expect(device.traces).to.deep.equal([`status 200 ${SIZE_BYTES}`, `done true ${SIZE_BYTES}`]);
  });

  it("answers after a time that depends on the world alone", async () => {
    const slow: HttpHandler = async (request) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return serveBytes(request);
    };
    const [fast, held] = [await download({}), await download({ handler: slow })];
    expect(held.nowMs).to.equal(fast.nowMs);
  });

  it("answers 500 for a handler that fails", async () => {
    const { device } = await download({ handler: () => Promise.reject(new Error("broken")) });
    expect(device.traces[0]).to.match(/^status 500/);
  });

  it("sees the request as the device wrote it", async () => {
    const seen: HttpRequest[] = [];
    const handler: HttpHandler = async (request) => {
      seen.push(request);
      return { status: 204 };
    };
    const { device } = await download({ handler, path: "/a?b=c" });
    expect(device.traces).to.deep.equal(["status 204 0", "done true 0"]);
    expect(seen[0]?.method).to.equal("GET");
    expect(seen[0]?.path).to.equal("/a?b=c");
    expect(seen[0]?.headers.host).to.equal("updates.example");
    expect(seen[0]?.remoteAddress).to.equal("192.168.1.100");
  });
});

describe("faults of a connection", () => {
  it("close it after a number of bytes", async () => {
    const { device } = await download({ policies: [{ closeAfterBytes: 50_000 }] });
    expect(device.traces[1]).to.match(/^done false 49\d\d\d$/);
  });

  it("reset it after a number of bytes", async () => {
    const { device } = await download({ policies: [{ closeAfterBytes: 50_000, closeWith: "reset" }] });
    expect(device.traces[1]).to.match(/^done false 49\d\d\d$/);
  });

  it("stall it forever", async () => {
    const { device } = await download({ policies: [{ stallAfterBytes: 50_000 }] });
    expect(device.traces).to.deep.equal([`status 200 ${SIZE_BYTES}`]);
  });

  it("refuse it", async () => {
    const { device } = await download({ policies: [{ refuse: true }] });
    expect(device.traces).to.deep.equal(["done false 0", "error undefined"]);
  });

  it("swallow its SYN: lwIP repeats it", async () => {
    const [healthy, late] = [await download({}), await download({ policies: [{ ignore: true }] })];
    expect(late.device.traces).to.deep.equal(healthy.device.traces);
    expect(late.nowMs - healthy.nowMs).to.be.closeTo(3000, 1);
  });

  it("limit its speed", async () => {
    const [healthy, slow] = [await download({}), await download({ policies: [{ bytesPerSecond: 10_000 }] })];
    expect(slow.device.traces).to.deep.equal(healthy.device.traces);
    expect(slow.nowMs - healthy.nowMs).to.be.above(9000);
  });

  it("make it no slower than its line, or than a window in each round trip", async () => {
    const latencyMs = 50;
    const roundTripMs = 2 * latencyMs;
    const { nowMs: healthyMs } = await download({});
    const extraMs = async (bytesPerSecond: number) =>
      (await download({ policies: [{ latencyMs, bytesPerSecond }] })).nowMs - healthyMs;
    // one for the request with its answer
    expect(await extraMs(50_000)).to.be.closeTo(roundTripMs + (SIZE_BYTES * 1000) / 50_000, roundTripMs);
    const windowCount = Math.ceil(SIZE_BYTES / WINDOW_BYTES);
    expect(await extraMs(10_000_000)).to.be.closeTo(roundTripMs + windowCount * roundTripMs, roundTripMs);
  });

  it("cut the stream into small pieces", async () => {
    const { device } = await download({ policies: [{ pieceBytesMax: 7 }] });
    expect(device.traces).to.deep.equal([`status 200 ${SIZE_BYTES}`, `done true ${SIZE_BYTES}`]);
  });

  it("flip one bit on the way", async () => {
    const handler: HttpHandler = async () => ({ status: 200, body: new TextEncoder().encode("0123456789") });
    const head = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n".length;
    const { world, network } = createWorld();
    network.addAccessPoint({ ssid: "home" });
    const host = network.addHost("updates.example", "203.0.113.5");
    network.serveHttp(host, 80, handler, () => ({ flipBitAt: head + 3 }));
    const device = startDevice(
      network,
      `${JOIN_AND_GET} online(() => {
        const dns = { io: class { resolve({ host, onResolved }) { onResolved(host, host); } } };
        const client = new HTTPClient({ host: "203.0.113.5", dns, socket: { io: TCP } });
        const onReadable = function (count) { trace(String.fromArrayBuffer(this.read(count))); };
        client.request({ onReadable });
        client.request({ onReadable });
      });`,
    );
    await world.runFor(10_000);
    expect(device.traces).to.deep.equal(["0122456789", "0123456789"]);
  });
});

describe("a device on a virtual LAN", () => {
  it("sees a reset when its peer is another boot now", async () => {
    const { world, network } = createWorld();
    network.addAccessPoint({ ssid: "home" });
    const serve = `${JOIN_AND_GET} import Listener from "embedded:io/socket/listener";
      let kept;
      online(() => new Listener({ port: 80, onReadable() { kept = new TCP({ from: this.read() }); } }));`;
    const server = startDevice(network, serve, { name: "server", macEnd: 8 });
    await world.runFor(5000);
    const client = startDevice(
      network,
      `${JOIN_AND_GET} online(() => {
        const tcp = new TCP({ address: "192.168.1.100", port: 80,
          onWritable() { if (!this.isOpen) { this.isOpen = true; trace("open"); } }, onError() { trace("error"); } });
        tcp.isOpen = false;
        Timer.set(() => tcp.write(ArrayBuffer.fromString("hello")), 20000);
      });`,
    );
    await world.runFor(10_000);
    expect(client.traces).to.deep.equal(["open"]);
    server.powerOff();
    startDevice(network, serve, { name: "server", macEnd: 8 });
    await world.runFor(30_000);
    expect(client.traces).to.deep.equal(["open", "error"]);
  });

  it("times out when its peer is gone for good", async () => {
    const { world, network } = createWorld();
    network.addAccessPoint({ ssid: "home" });
    const device = startDevice(
      network,
      `${JOIN_AND_GET} online(() => new TCP({ address: "192.168.1.77", port: 80, onError() { trace("error"); } }));`,
    );
    await world.runFor(15_000);
    expect(device.traces).to.deep.equal([]);
    await world.runFor(15_000);
    expect(device.traces).to.deep.equal(["error"]);
  });

  it("continues after the router was away for a while", async () => {
    const { world, network } = createWorld();
    const router = network.addAccessPoint({ ssid: "home" });
    const host = network.addHost("updates.example", "203.0.113.5");
    network.serveHttp(host, 80, serveBytes, () => ({ bytesPerSecond: 20_000 }));
    const device = startDevice(
      network,
      `${JOIN_AND_GET} online(() => get("updates.example", "/image", trace));`,
    );
    await world.runFor(5000);
    router.setUp(false);
    await world.runFor(3000);
    router.setUp(true);
    await world.runFor(20_000);
    expect(device.traces).to.deep.equal([`status 200 ${SIZE_BYTES}`, `done true ${SIZE_BYTES}`]);
  });

  for (const policy of [
    { bytesPerSecond: 50_000, latencyMs: 50 },
    { pieceBytesMax: 700, latencyMs: 50 },
  ] as const)
    it(`sends again in order what was lost on its way, ${JSON.stringify(policy)}`, async () => {
      const { world, network } = createWorld();
      const home = network.addAccessPoint({ ssid: "home" });
      const host = network.addHost("updates.example", "203.0.113.5");
      const body = Uint8Array.from({ length: SIZE_BYTES }, (_, at) => (at * 31) ^ (at >> 8));
      network.serveHttp(
        host,
        80,
        async () => ({ status: 200, body }),
        () => policy,
      );
      const device = startDevice(
        network,
        `${JOIN_AND_GET.replace("sum += bytes[i]", "sum = (sum * 33 + bytes[i]) % 1000003").replace("length); }", 'length + " " + sum); }').replace("i += 97", "i++")} online(() => get("updates.example", "/image", trace));`,
      );
      for (let at = 2_900; at < 4_500; at += 130) {
        world.schedule(at, () => home.setUp(false));
        world.schedule(at + 15, () => home.setUp(true));
      }
      await world.runUntil(() => device.traces.some((text) => text.startsWith("done")), { limitMs: 300_000 });
      const sum = body.reduce((all, byte) => (all * 33 + byte) % 1_000_003, 0);
      expect(device.traces.at(-1)).to.equal(`done true ${SIZE_BYTES} ${sum}`);
    });

  it("finds another's service, and that its name is taken, by multicast DNS", async () => {
    const { world, network } = createWorld();
    network.addAccessPoint({ ssid: "home" });
    const base = `${JOIN_AND_GET} import DNSSD from "embedded:network/dnssd";`;
    startDevice(
      network,
      `${base} online(() => { const dnssd = new DNSSD({ socket: { io: UDP } });
        dnssd.claim({ host: "lamp", onReady() { dnssd.advertise(
          { serviceType: "_skyslot._tcp", host: "lamp", name: "Lamp", port: 80, txt: ["v=1", "flag"] }); } }); });`,
      { name: "lamp", macEnd: 8 },
    );
    await world.runFor(2600);
    const finder = startDevice(
      network,
      `${base} online(() => { const dnssd = new DNSSD({ socket: { io: UDP } });
        dnssd.claim({ host: "lamp", onReady() { trace("ready"); }, onError() { trace("taken"); } });
        dnssd.discover({ serviceType: "_skyslot._tcp", onFound(it) {
          trace([it.name, it.host, it.address, it.port, [...it.txt].join("/")].join()); } });
      });`,
      { name: "finder", macEnd: 4 },
    );
    await world.runFor(10_000);
    expect(finder.traces.sort()).to.deep.equal(["Lamp,lamp.local,192.168.1.100,80,v,1/flag,", "taken"]);
  });
});
