import { expect } from "chai";
import { Phone, PhoneError } from "../../../host-sim/network/phone.js";
import type { World } from "../../../host-sim/world/world.js";
import { createWorld, startDevice } from "./stub-machine.js";

/** A minimal portal: every name resolves to it, one page redirects, a form is echoed. */
const PORTAL = `
import WiFi from "wifi";
import UDP from "embedded:io/socket/udp";
import Listener from "embedded:io/socket/listener";
import HTTPServer from "embedded:network/http/server";
const bytes = (text) => ArrayBuffer.fromString(text);
WiFi.mode = 1;
new WiFi(undefined, (message) => trace(message));
WiFi.accessPoint({ ssid: "setup", password: "12345678", station: true });
new UDP({ port: 53, onReadable(count) {
  while (count--) {
    const query = this.read(), length = query.byteLength;
    const answer = new Uint8Array(length + 16);
    answer.set(new Uint8Array(query));
    answer.set([0x84, 0x00], 2);
    answer.set([0, 1], 6);
    answer.set([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 168, 4, 1], length);
    this.write(answer, query.address, query.port);
  }
} });
const server = new HTTPServer({ io: Listener, port: 80, onConnect(connection) {
  connection.accept({
    onRequest(request) { this.request = request; this.body = ""; },
    onReadable(count) { this.body += String.fromArrayBuffer(this.read(count)); },
    onResponse(response) {
      const { method, path, headers } = this.request;
      if (path === "/generate_204") {
        response.status = 302;
        response.headers.set("location", "http://192.168.4.1/");
      }
      this.out = bytes(path === "/" ? "portal for " + headers.get("host") : method + " " + this.body);
      response.headers.set("content-length", this.out.byteLength);
      this.respond(response);
    },
    onWritable(count) {
      const part = this.out.slice(0, count);
      this.out = this.out.slice(part.byteLength);
      this.write(part);
    },
  });
} });
`;

/** Runs the world until the promise has settled. */
async function inWorld<T>(world: World, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settle = (): void => {
    isSettled = true;
  };
  promise.then(settle, settle);
  await world.runUntil(() => isSettled, { limitMs: 60_000 });
  return promise;
}

const rejection = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "fulfilled",
    (error: unknown) => (error instanceof PhoneError ? error.message : String(error)),
  );

describe("the simulated phone", () => {
  it("goes through a device's captive portal: joins, resolves, is redirected, sends the form", async () => {
    const { world, network } = createWorld();
    const device = startDevice(network, PORTAL);
    const phone = new Phone({ world, network });
    expect(await inWorld(world, phone.join("setup", "12345678"))).to.equal("192.168.4.2");
    expect(await inWorld(world, phone.resolve("connectivitycheck.example"))).to.equal("192.168.4.1");
    const page = await inWorld(world, phone.get("/generate_204", "connectivitycheck.example"));
    expect([page.status, page.text, page.url]).to.deep.equal([
      200,
      "portal for 192.168.4.1",
      "http://192.168.4.1/",
    ]);
    const form = await inWorld(world, phone.post("/save", "ssid=a+b&password=%25"));
    expect([form.status, form.text]).to.deep.equal([200, "POST ssid=a+b&password=%25"]);
    phone.leave();
    await world.runFor(100);
    expect(device.traces).to.deep.equal(["start", "station_connect", "station_disconnect"]);
  });

  it("sends a form larger than the device's window", async () => {
    const { world, network } = createWorld();
    startDevice(network, PORTAL);
    const phone = new Phone({ world, network });
    await inWorld(world, phone.join("setup", "12345678"));
    const body = "x".repeat(40_000);
    const answer = await inWorld(world, phone.post("/save", body));
    expect(answer.text).to.equal(`POST ${body}`);
  });

  it("gets the reason why it cannot join", async () => {
    const { world, network } = createWorld();
    startDevice(network, PORTAL);
    const phones = Array.from({ length: 5 }, (_, index) => {
      return new Phone({ world, network, name: `phone ${index}`, mac: `02:00:00:00:00:0${index}` });
    });
    const join = (index: number, password = "12345678", ssid = "setup"): Promise<string> => {
      return rejection((phones[index] as Phone).join(ssid, password));
    };
    expect(await inWorld(world, join(0, "wrong"))).to.equal('wrong password for "setup"');
    expect(await inWorld(world, join(0, "", "nothing"))).to.equal('no network named "nothing" in range');
    for (const index of [0, 1, 2, 3]) expect(await inWorld(world, join(index))).to.equal("fulfilled");
    expect(await inWorld(world, join(4))).to.equal('"setup" takes no more stations');
  });

  it("is interrupted while the device scans, and still gets its page", async () => {
    const { world, network } = createWorld();
    network.addAccessPoint({ ssid: "home" });
    const device = startDevice(
      network,
      `import Timer from "timer"; ${PORTAL} Timer.set(() => WiFi.scan({}, (item) => trace(item?.ssid)), 2000);`,
    );
    const phone = new Phone({ world, network });
    await inWorld(world, phone.join("setup", "12345678"));
    const timeOf = async (): Promise<number> => {
      const beganMs = world.nowMs;
      await inWorld(world, phone.get("/"));
      return world.nowMs - beganMs;
    };
    const undisturbedMs = await timeOf();
    await world.runFor(2001 - world.nowMs);
    const disturbedMs = await timeOf();
    expect(undisturbedMs).to.be.below(50);
    expect(disturbedMs).to.be.above(120);
    await world.runFor(3000);
    expect(device.traces.slice(-2)).to.deep.equal(["home", "undefined"]);
  });

  it("gets no answer from a device that has lost power", async () => {
    const { world, network } = createWorld();
    const device = startDevice(network, PORTAL);
    const phone = new Phone({ world, network });
    await inWorld(world, phone.join("setup", "12345678"));
    const asked = rejection(phone.get("/"));
    await world.runFor(3);
    device.powerOff();
    expect(await inWorld(world, asked)).to.match(/no answer within 15000 ms/);
    expect(phone.joinedSsid).to.equal(undefined);
  });

  it("gives up on a closed port", async () => {
    const { world, network } = createWorld();
    startDevice(network, PORTAL);
    const phone = new Phone({ world, network });
    await inWorld(world, phone.join("setup", "12345678"));
    expect(await inWorld(world, rejection(phone.get("/", "192.168.4.1:443")))).to.match(/refused/);
  });
});
