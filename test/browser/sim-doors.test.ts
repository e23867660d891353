// The ports of this computer that lead to the simulator's devices, used as people use them: a browser on a device's page, and espota over
// real sockets. Two devices, each at an address of its own.

import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { createServer as createHttpServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { expect } from "chai";
import type { Browser } from "playwright-core";
import { OWNER_TOKEN } from "../../host-sim/desk/desk.js";
import { type Sim, type SimDevice, startSim } from "../../host-sim/sim/sim.js";
import { imageOf, releaseOf } from "../journey/rig.js";
import { openBrowser, openPage, requireChromium } from "./browser.js";

const CONFIG = { trialSeconds: 10, checkSeconds: 3600 };
const SPEED = 20;

describe("the simulator's ports on this computer", function () {
  this.timeout(180_000);
  let server: Server;
  let sim: Sim;
  let running: Promise<boolean>;
  let isOver = false;
  let image: Uint8Array;
  const log: string[] = [];

  before(async () => {
    server = createHttpServer((_, response) => response.writeHead(503).end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    image = await imageOf("base", "1.1.0", "esp32", CONFIG);
    const old = await imageOf("base", "1.0.0", "esp32", CONFIG);
    sim = await startSim({
      devices: [
        { name: "device", image: old, id: "porch" },
        { name: "device-2", image: old },
      ],
      loopbackPort: (server.address() as AddressInfo).port,
      speed: SPEED,
      terminal: { note: say, done: say, warn: say, progress() {} },
    });
    running = sim.run(() => isOver);
    await until(() => sim.devices.every(isSetUp));
  });
  after(async () => {
    isOver = true;
    sim?.stop();
    sim?.stop(); // whoever runs it may be interrupted while it ends
    await running;
    server?.close();
    server?.closeAllConnections();
  });

  const say = (text: string) => void log.push(text);
  const one = (index: number): SimDevice => sim.devices[index]!;
  const isSetUp = ({ device }: SimDevice) =>
    device.network.deviceNamed(device.name)?.stack.interfaces[0]?.address.startsWith("192.168.1.") ?? false;

  async function until(done: () => boolean): Promise<void> {
    for (let tries = 0; !done(); tries++) {
      if (tries > 2_000) throw new Error(`not in time:\n${log.slice(-8).join("\n")}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  const ask = async (device: SimDevice, path: string, body?: object) => {
    const headers = { authorization: `Bearer ${OWNER_TOKEN}`, "content-type": "application/json" };
    const sent = body ? { method: "POST", headers, body: JSON.stringify(body) } : {};
    const answer = await fetch(`${device.portalUrl}${path}`, sent);
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };

  it("lead to the device that they were printed for, with the id that it was given", async () => {
    const ids = [one(0), one(1)].map(async (device) => (await ask(device, "/api/version")).body.deviceId);
    const [first, second] = await Promise.all(ids);
    expect(first).equal("porch");
    expect(second).match(/^base-[0-9a-f]{6}$/);
    expect(one(0).portalUrl).not.equal(one(1).portalUrl);
  });

  it("take an image by espota from a real client, for the device that it invites", async () => {
    const device = one(1);
    expect((await ask(device, "/api/settings", { acceptUnsigned: true })).status).equal(200);
    expect(await espota(device, image, OWNER_TOKEN)).equal("OK");
    await until(() => device.device.running?.label === "ota_0");
    expect(one(0).device.running?.label, "the other device").equal("factory");
  });

  it("let a browser send an image from the device's page", async function () {
    requireChromium(this);
    const device = one(0);
    if (device.problem !== undefined) {
      process.stdout.write(`    skipped: ${device.problem}\n`);
      this.skip();
    }
    const browser: Browser = await openBrowser();
    try {
      const { page, problems } = await openPage(browser, { viewport: { width: 390, height: 844 } });
      await page.goto(`${device.portalUrl}/`);
      await page.locator("#token").fill(OWNER_TOKEN);
      const file = (name: string, bytes: Uint8Array | string) => ({
        name,
        mimeType: "application/octet-stream",
        buffer: Buffer.from(bytes),
      });
      await page.locator("#image").setInputFiles(file("base-1.1.0.bin", image));
      await page.locator("#release").setInputFiles(file("base-1.1.0.jws", await releaseOf(image)));
      await page.getByRole("button", { name: "Send and install" }).click();
      await page.getByText("Installed. The device restarts").waitFor();
      // without the token the list of saved networks was refused; the challenge comes with a 401
      const expected = /\/api\/saved-networks|status of 401 .*:3232\/update"?$/;
      expect(problems.filter((problem) => !expected.test(problem))).deep.equal([]);
    } finally {
      await browser.close();
    }
    await until(() => device.device.running?.label === "ota_0");
  });
});

/** arduino-esp32 2.x, as in PlatformIO: invitation and MD5 challenge by UDP, the image by TCP in acknowledged pieces. */
async function espota(device: SimDevice, image: Uint8Array, password: string): Promise<string> {
  const md5 = (text: string | Uint8Array) => createHash("md5").update(text).digest("hex");
  const upload = createTcpServer();
  await new Promise<void>((resolve) => upload.listen(0, "127.0.0.1", resolve));
  const socket = createSocket("udp4");
  const { address, port } = device.espota;
  const said = (text: string) =>
    new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${text}`)), 20_000);
      socket.once("message", (message) => {
        clearTimeout(timer);
        resolve(message.toString());
      });
      socket.send(text, port, address);
    });
  try {
    const invitation = `0 ${(upload.address() as AddressInfo).port} ${image.length} ${md5(image)}\n`;
    const [word, nonce = ""] = (await said(invitation)).split(" ");
    expect(word).equal("AUTH");
    const clientNonce = md5("a client's own");
    const connected = new Promise<string>((resolve) => {
      upload.once("connection", (connection) => {
        let received = "";
        connection.on("error", () => connection.destroy());
        connection.on("data", (data) => {
          received += data;
          if (received.endsWith("OK")) resolve("OK");
        });
        connection.on("close", () => resolve(received.slice(-20)));
        connection.write(image);
      });
    });
    const proof = md5(`${md5(password)}:${nonce}:${clientNonce}`);
    expect(await said(`200 ${clientNonce} ${proof}\n`)).equal("OK");
    return await connected;
  } finally {
    socket.close();
    upload.close();
  }
}
