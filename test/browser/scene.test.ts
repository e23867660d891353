// The drawing of many devices in a real browser: what it shows, that fifty nodes fit, that the table says the same, and its controls.

import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import type { Action } from "../../host-sim/sim/web-view/action.js";
import type { Scene, SceneDevice } from "../../host-sim/sim/web-view/scene-reader.js";
import type { UpdateState } from "../../host-sim/sim/web-view/update-state.js";
import { openView, type Shown, type View } from "../../host-sim/sim/web-view/view.js";
import { openBrowser, openPage, overflowOf, PHONE, requireChromium, type WatchedPage } from "./browser.js";

const DESKTOP = Object.freeze({ viewport: Object.freeze({ width: 1280, height: 900 }) });
const BYTES = 400_000;

const update = (state: UpdateState["state"], doneBytes = 0): UpdateState => ({
  state,
  version: state === "none" ? "" : "1.1.0",
  doneBytes,
  totalBytes: state === "receiving" ? BYTES : 0,
});

const device = (name: string, changes: Partial<SceneDevice> = {}): SceneDevice => ({
  name,
  type: name.split("-")[0]!,
  chip: "esp32",
  power: "running",
  version: "1.0.0",
  update: update("none"),
  ...changes,
});

/** Fifty nodes behind a gateway, one of each kind among them. */
function mesh(): Scene {
  const nodes = Array.from({ length: 50 }, (_, index) =>
    device(`node-${index + 1}`, { update: update("receiving", 100_000) }),
  );
  nodes[0] = device("node-1", { version: "1.1.0", update: update("done") });
  nodes[1] = device("node-2", { version: "1.1.0", update: update("trial") });
  nodes[2] = device("node-3", { update: update("failed") });
  nodes[3] = device("node-4", { power: "off" });
  return {
    seconds: 3_723,
    speed: 10,
    isPaused: false,
    step: "until node runs 1.1.0",
    end: "",
    offers: ["node 1.1.0"],
    devices: [device("gateway"), ...nodes, device("lonely")],
    links: [
      { from: "server", to: "gateway", medium: "wifi", isUp: true, traffic: 1, missed: 0 },
      ...nodes.map(({ name, power }) => ({
        from: "gateway",
        to: name,
        medium: "espnow" as const,
        isUp: power === "running",
        traffic: power === "running" ? 80 : 0,
        missed: power === "running" ? 0.2 : 0,
      })),
    ],
  };
}

const shownOf = ({ name, version, power }: SceneDevice): Shown => ({
  ...{ name, version, state: power, pages: "", app: "node", slot: "factory", chip: "esp32" },
  ...{ bootCount: 1, addresses: [], seconds: 3_723 },
});

describe("the drawing of many devices in a browser", function () {
  this.timeout(120_000);
  let scene: Scene;
  const acted: Action[] = [];
  let view: View;
  let browser: Browser;

  before(async function () {
    requireChromium(this);
    scene = mesh();
    view = await openView({
      facts: () => scene.devices.map(shownOf),
      scene: () => scene,
      act: (action) => acted.push(action),
    });
    browser = await openBrowser();
  });
  beforeEach(() => {
    scene = mesh();
    acted.splice(0);
  });
  after(async () => {
    await browser?.close();
    view?.close();
  });

  async function open(options: Parameters<typeof openPage>[1]): Promise<WatchedPage> {
    const shown = await openPage(browser, options);
    await shown.page.goto(view.url);
    await shown.page.locator(".tile").nth(51).waitFor();
    return shown;
  }

  for (const [name, options] of [
    ["a desk's screen", { ...DESKTOP, colorScheme: "light" }],
    ["a phone", { ...PHONE, colorScheme: "dark" }],
  ] as const)
    it(`fits fifty nodes on ${name}: nothing lies over another, and every text fits`, async () => {
      const { page, problems, close } = await open(options);
      expect(await overflowOf(page)).equal(0);
      const boxes = await page
        .locator(".tile .box")
        .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().toJSON() as DOMRect));
      expect(boxes).length(53);
      for (const [index, one] of boxes.entries())
        for (const other of boxes.slice(index + 1))
          expect(
            one.right <= other.left ||
              other.right <= one.left ||
              one.bottom <= other.top ||
              other.bottom <= one.top,
          ).equal(true);
      const tooWide = await page.locator(".tile").evaluateAll(
        (tiles) =>
          tiles.flatMap((tile) => {
            const { right } = tile.querySelector(".box")!.getBoundingClientRect();
            return [...tile.querySelectorAll("text")].filter(
              (text) => text.getBoundingClientRect().right > right - 4,
            );
          }).length,
      );
      expect(tooWide).equal(0);
      expect(problems).deep.equal([]);
      await close();
    });

  it("says of each device what it runs and how far it is, in the drawing and in the table", async () => {
    const { page, close } = await open(DESKTOP);
    const textOf = (name: string) =>
      page
        .locator(".tile", { has: page.locator(`text:text-is("${name}")`) })
        .locator("text")
        .allTextContents();
    expect(await textOf("node-1")).deep.equal(["node-1", "1.1.0", "✓ updated"]);
    expect(await textOf("node-2")).deep.equal(["node-2", "1.1.0", "? on trial"]);
    expect(await textOf("node-3")).deep.equal(["node-3", "1.0.0", "✕ rolled back"]);
    expect(await textOf("node-4")).deep.equal(["node-4", "1.0.0", "off"]);
    expect(await textOf("node-5")).deep.equal(["node-5", "1.0.0", "↓ 25 %"]);
    expect(await textOf("update server")).deep.equal(["update server", "node 1.1.0", ""]);
    expect(await page.locator(".medium").allTextContents()).deep.equal([
      "ESP-NOW, 80 frames/s to each, 20 % missed",
      "Wi-Fi",
    ]);
    await page.locator("#table summary").press("Enter");
    const row = (name: string) =>
      page
        .getByRole("row")
        .filter({ has: page.getByRole("button", { name, exact: true }) })
        .locator("td")
        .allTextContents();
    expect(await row("gateway")).deep.equal(["gateway", "1.0.0", "–", "server, Wi-Fi", "1 open", "–"]);
    expect(await row("node-3")).deep.equal([
      "node",
      "1.0.0",
      "rolled back from 1.1.0",
      "gateway, ESP-NOW",
      "80 frames/s",
      "20 %",
    ]);
    expect(await row("node-4")).deep.equal([
      "node",
      "off",
      "–",
      "gateway, ESP-NOW (silent)",
      "0 frames/s",
      "0 %",
    ]);
    expect(await row("node-5")).deep.equal([
      "node",
      "1.0.0",
      "receives 1.1.0: 25 %",
      "gateway, ESP-NOW",
      "80 frames/s",
      "20 %",
    ]);
    expect(await row("lonely")).deep.equal(["lonely", "1.0.0", "–", "nobody yet", "–", "–"]);
    const drawing = page.getByRole("img", { name: "Devices and their links" });
    const about = await drawing.evaluate(
      (svg) => document.getElementById(svg.getAttribute("aria-describedby")!)!.textContent,
    );
    expect(about).equal(
      "52 devices: 1 updated, 1 on trial, 46 receiving, 1 rolled back. The table says the same.",
    );
    await close();
  });

  it("follows what changes, and who hangs on whom", async () => {
    const { page, close } = await open(DESKTOP);
    const { devices, links } = scene;
    const [gateway, ...others] = devices;
    scene = {
      ...scene,
      end: "good",
      step: "all that is expected holds",
      devices: [gateway!, ...others.slice(0, 3).map((one) => ({ ...one, update: update("done") }))],
      links: links
        .slice(0, 4)
        .map((link) => (link.medium === "wifi" ? link : { ...link, medium: "tcp" as const })),
    };
    await page.getByText("✓ all that is expected holds").waitFor();
    expect(await page.locator(".tile").count()).equal(5);
    expect(await page.locator(".medium").allTextContents()).deep.equal(["painlessMesh, TCP 5555"]);
    expect(await page.locator("#totals-text").textContent()).equal("3 updated");
    expect(await page.getByRole("button", { name: "Pause" }).isDisabled()).equal(true);
    await close();
  });

  it("has controls of the clock that work by keyboard, and a way to each board", async () => {
    const { page, close } = await open(DESKTOP);
    expect(await page.locator("#clock").textContent()).equal("01:02:03");
    await page.getByRole("button", { name: "Pause" }).press("Enter");
    await expectActed({ type: "pause" });
    scene = { ...scene, isPaused: true };
    await page.getByRole("button", { name: "Go on" }).press("Enter");
    await expectActed({ type: "resume" });
    await page.getByLabel("Speed").selectOption("as fast as it can");
    await expectActed({ type: "speed", speed: null });
    expect(await page.locator("#board-node-7").isVisible(), "fifty boards are not in the way").equal(false);
    await page.locator("#table summary").press("Enter");
    await page.getByRole("button", { name: "node-7", exact: true }).press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).equal("board-node-7");
    await close();

    async function expectActed(action: Action): Promise<void> {
      await page.waitForFunction(
        (count) =>
          performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/act")).length >=
          count,
        acted.length || 1,
      );
      expect(acted.at(-1)).deep.equal(action);
    }
  });

  it("moves nothing for whoever wants it still", async () => {
    const still = await open({ ...DESKTOP, reducedMotion: "reduce" });
    const moving = await open({ ...DESKTOP, reducedMotion: "no-preference" });
    const animationOf = (page: Page) =>
      page
        .locator(".wire.espnow.busy")
        .first()
        .evaluate((wire) => getComputedStyle(wire).animationName);
    expect([await animationOf(still.page), await animationOf(moving.page)]).deep.equal(["none", "flow"]);
    await still.close();
    await moving.close();
  });
});

describe("what a device hears, in a browser", function () {
  this.timeout(60_000);
  const lamp = device("lamp");
  const acted: Action[] = [];
  let view: View;
  let browser: Browser;

  before(async function () {
    requireChromium(this);
    view = await openView({ facts: () => [shownOf(lamp)], act: (action) => acted.push(action) });
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    view?.close();
  });

  it("has a hand at each pin, and at the climate around a sensor", async () => {
    view.sense("lamp", { type: "input", pin: 27, level: 1 });
    const { page, problems } = await openPage(browser, { ...PHONE, colorScheme: "light" });
    await page.goto(view.url);
    const answered = page.waitForResponse(/\/act$/);
    await page.getByRole("button", { name: "Pin 27: high", pressed: true }).press("Enter");
    await answered;
    expect(acted.splice(0)).deep.equal([{ type: "drive", device: "lamp", pin: 27, level: 0 }]);
    view.sense("lamp", { type: "input", pin: 27, level: 0 });
    await page.getByRole("button", { name: "Pin 27: low", pressed: false }).waitFor();

    view.sense("lamp", { type: "climate", pin: 25, temperatureC: 20.52, humidityPercent: 46 });
    const temperature = page.getByLabel("DHT on pin 25, °C");
    await temperature.waitFor();
    expect(await temperature.inputValue()).equal("20.5");
    await temperature.fill("-3.2");
    view.sense("lamp", { type: "climate", pin: 25, temperatureC: 20.6, humidityPercent: 46 });
    const set = page.waitForResponse(/\/act$/);
    await page.getByRole("button", { name: "Set" }).click();
    await set;
    expect(acted).deep.equal([{ type: "surround", device: "lamp", temperatureC: -3.2, humidityPercent: 46 }]);
    expect(await overflowOf(page)).equal(0);
    expect(problems).deep.equal([]);
  });
});
