import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Browser } from "playwright-core";
import { Desk } from "../../host-sim/desk/desk.js";
import { type RunningServer, startServer } from "../../server/start.js";
import { imageOf, releaseOf } from "../journey/rig.js";
import { chooseUrl, type Nginx, nginxOrSkip, startNginx } from "../services/nginx.js";
import { openBrowser, openPage, requireChromium, type WatchedPage } from "./browser.js";
import { keepGoing } from "./portal-stage.js";

const PATIENCE_MS = 60_000;
/** Settings of the device's build: nginx is its server, and the trial is short. */
const BUILD = { server: "http://updates.skyslot.test:8080/ota", trialSeconds: 8 };
const PASSWORD = "correct horse battery";

describe("a browser and a device behind nginx that keeps the prefix in what it passes on", function () {
  this.timeout(180_000);
  let folder: string;
  let server: RunningServer;
  let nginx: Nginx;
  let browser: Browser;
  let watched: WatchedPage | undefined;
  let endDevice: (() => void) | undefined;

  before(async function () {
    nginxOrSkip(this);
    requireChromium(this);
    browser = await openBrowser();
    folder = await mkdtemp(join(tmpdir(), "skyslot-proxy-"));
    const url = await chooseUrl();
    const settings = { publicUrl: url, openReads: false, trustedProxies: ["127.0.0.1"] };
    server = await startServer({ dataDir: folder, port: 0, settings });
    const { port } = server.app.server.address() as AddressInfo;
    nginx = await startNginx(url, [port], { keepsPrefix: true });
  });
  after(async () => {
    endDevice?.();
    await watched?.close();
    await browser?.close();
    await nginx?.close();
    await server?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it("shows every page at its own address, signs in, and follows an update live", async () => {
    const image = await imageOf("base", "1.1.0", "esp32", BUILD);
    const form = new FormData();
    form.set("release", await releaseOf(image, {}, { created: Math.floor(Date.now() / 1000) }));
    form.set("file", new Blob([Buffer.from(image)]), "firmware.bin");
    const headers = { authorization: `Bearer ${server.adminToken}` };
    const sent = await fetch(`${nginx.url}/api/ota/admin/upload`, { method: "POST", headers, body: form });
    expect(sent.status).equal(201);

    expect(server.setupUrl).to.match(new RegExp(`^${nginx.url}/setup#`));
    watched = await openPage(browser, { viewport: { width: 1280, height: 900 } });
    const { page, problems } = watched;
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(server.setupUrl ?? "");
    await page.getByLabel("Name").fill("grace");
    await page.getByLabel("New password").fill(PASSWORD);
    await page.getByRole("button", { name: "Create administrator" }).click();
    await page.getByText("No device has checked for updates yet").waitFor();
    expect(page.url()).equal(`${nginx.url}/`);

    const desk = new Desk({
      image: await imageOf("base", "1.0.0", "esp32", BUILD),
      server: { loopbackPort: Number(new URL(nginx.url).port) },
      realTime: 20,
    });
    const pace = keepGoing(desk.world);
    desk.device.powerOn();
    endDevice = () => {
      pace.stop();
      desk.device.powerOff();
    };
    // By the live stream alone: nothing reloads the page.
    const device = page.getByRole("article", { name: /^base-[0-9a-f]{6}$/ });
    await device.getByRole("region", { name: "Update to 1.1.0: success" }).waitFor();

    await page.getByRole("link", { name: "Devices", exact: true }).click();
    await page
      .getByRole("link", { name: /^base-/ })
      .first()
      .click();
    await page.getByRole("heading", { name: /^base-/ }).waitFor();
    expect(page.url()).to.match(new RegExp(`^${nginx.url}/devices/base-`));
    // The same address, typed.
    await page.reload();
    await page.getByRole("heading", { name: /^base-/ }).waitFor();
    for (const [name, path] of [
      ["Updates", "/ota-management"],
      ["Displays", "/content-admin"],
      ["Settings", "/settings"],
    ] as const) {
      await page.getByRole("link", { name, exact: true }).click();
      await page.waitForURL(`${nginx.url}${path}`);
      await page.locator("nav [aria-current=page]", { hasText: name }).waitFor();
    }
    await page.goBack();
    expect(page.url()).equal(`${nginx.url}/content-admin`);
    expect(problems).deep.equal([]);
    await page.goto(`${nginx.url}/api/docs`);
    await page.getByText("Over-the-air updates for ESP32 devices").waitFor();
  });
});
