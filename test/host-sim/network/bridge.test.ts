import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { bridgeToLoopback, exposeOnLoopback } from "../../../host-sim/network/bridge.js";
import { VirtualNetwork } from "../../../host-sim/network/virtual-network.js";
import { World } from "../../../host-sim/world/world.js";
import { startDevice } from "./stub-machine.js";

const IMPORTS = `
import WiFi from "wifi";
import TCP from "embedded:io/socket/tcp";
import Listener from "embedded:io/socket/listener";
import HTTPClient from "embedded:network/http/client";
import HTTPServer from "embedded:network/http/server";
class Direct { resolve({ host, onResolved }) { onResolved(host, host); } }
`;

describe("bridges of a world in real time", () => {
  let stop: (() => void)[] = [];
  afterEach(() => {
    for (const one of stop) one();
    stop = [];
  });

  function realTime(): VirtualNetwork {
    const world = new World({ seed: 1, realTime: 20 });
    stop.push(() => world.stop());
    return new VirtualNetwork({ world });
  }

  it("lead a device to a real server on loopback", async () => {
    const server: Server = createServer((request, response) => {
      const body = Buffer.from(`real answer to ${request.url} for ${request.headers.host}`);
      response.writeHead(200, { "content-length": body.length }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    stop.push(() => server.close());
    const network = realTime();
    network.addAccessPoint({ ssid: "home" });
    const host = network.addHost("updates.example", "203.0.113.5");
    const realPort = (server.address() as AddressInfo).port;
    bridgeToLoopback({ world: network.world, host, port: 80, realPort });
    const device = startDevice(
      network,
      `${IMPORTS} new WiFi({ ssid: "home" }, (message) => { if (message === "gotIP")
        new HTTPClient({ host: "203.0.113.5", dns: { io: Direct }, socket: { io: TCP } }).request({ path: "/check",
          onReadable(count) { trace(String.fromArrayBuffer(this.read(count))); } }); });`,
    );
    await network.world.runUntil(() => device.traces.length > 0, { limitMs: 60_000 });
    expect(device.traces).to.deep.equal(["real answer to /check for 203.0.113.5"]);
  });

  it("let a browser reach a device's server", async () => {
    const network = realTime();
    const device = startDevice(
      network,
      `${IMPORTS} WiFi.accessPoint({ ssid: "setup" });
      new HTTPServer({ io: Listener, onConnect(connection) { connection.accept({
        onRequest(request) { this.path = request.path; this.body = ""; },
        onReadable(count) { this.body += String.fromArrayBuffer(this.read(count)); },
        onResponse(response) {
          this.out = ArrayBuffer.fromString("device says " + this.path + this.body);
          response.headers.set("content-length", this.out.byteLength);
          this.respond(response);
        },
        onWritable(count) {
          const part = this.out.slice(0, count);
          this.out = this.out.slice(part.byteLength);
          this.write(part);
        } }); } });`,
    );
    const door = await exposeOnLoopback({ network, device, devicePort: 80 });
    stop.push(() => door.close());
    let text = "";
    const url = `http://127.0.0.1:${door.port}`;
    const visit = fetch(`${url}/a`)
      .then((response) => response.text())
      .then((first) =>
        fetch(`${url}/b`, { method: "POST", body: "!".repeat(9000) }).then((r) => [first, r] as const),
      )
      .then(async ([first, response]) => {
        text = `${first} ${(await response.text()).length}`;
      });
    await network.world.runUntil(() => text !== "", { limitMs: 200_000 });
    await visit;
    expect(text).to.equal("device says /a 9014");
  });

  it("close the browser's connection while the device is off", async () => {
    const network = realTime();
    const door = await exposeOnLoopback({ network, device: { name: "nobody" }, devicePort: 80 });
    stop.push(() => door.close());
    let outcome = "";
    fetch(`http://127.0.0.1:${door.port}/`).catch(() => {
      network.world.post(() => {
        outcome = "failed";
      });
    });
    await network.world.runUntil(() => outcome !== "", { limitMs: 100_000 });
    expect(outcome).to.equal("failed");
  });
});
