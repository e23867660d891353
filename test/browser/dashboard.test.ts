import { expect } from "chai";
import type { Browser } from "playwright-core";
import { openBrowser, openPage, overflowOf, PHONE, requireChromium, type WatchedPage } from "./browser.js";
import { type DashboardStage, openDashboardStage } from "./dashboard-stage.js";

const SPEED = 8;
/** Timeout for a single expectation, in real time. */
const PATIENCE_MS = 60_000;
const STAGES = ["Offered", "Signature", "Download", "Image check", "Armed", "Trial", "Validated"];

describe("the dashboard in a browser", function () {
  this.timeout(180_000);
  let stage: DashboardStage;
  let browser: Browser;
  let watched: WatchedPage;

  before(async function () {
    requireChromium(this);
    browser = await openBrowser();
  });
  after(() => browser?.close());
  afterEach(async () => {
    await watched?.close();
    await stage?.close();
  });

  async function open(size: object): Promise<void> {
    stage = await openDashboardStage({ speed: SPEED });
    watched = await openPage(browser, size);
    watched.page.setDefaultTimeout(PATIENCE_MS);
    await watched.page.goto(stage.url);
  }

  it("shows a device and each stage of its update as it happens, without a reload", async () => {
    await open({ viewport: { width: 1280, height: 900 } });
    const { page, problems } = watched;
    await page.getByText("No device has checked for updates yet").waitFor();
    await watchStages();
    await stage.powerOn();
    const device = page.getByRole("article", { name: /^base-[0-9a-f]{6}$/ });
    await device.waitFor();
    await device.getByRole("region", { name: "Update to 1.1.0: success" }).waitFor();
    const seen = await stagesSeen();
    expect(seen).deep.equal(
      STAGES.filter((name) => seen.includes(name)),
      "in order, none twice",
    );
    expect(seen).include("Trial");
    expect(seen.length).above(2);
    expect(await device.locator(".stages .name").allTextContents()).deep.equal(STAGES);
    expect(await device.locator(".stages li.done").count()).equal(STAGES.length);
    await device.locator(".version strong").getByText("1.1.0", { exact: true }).waitFor();
    await device.locator(".version").getByText("base in ota_0").waitFor();
    expect(await page.locator(".log li").filter({ hasText: "update success" }).count()).equal(1);
    expect(problems).deep.equal([]);
  });

  it("fits a phone without scrolling sideways, before, during and after an update", async () => {
    await open(PHONE);
    const { page, problems } = watched;
    await page.getByText("No device has checked for updates yet").waitFor();
    expect(await overflowOf(page), "before").equal(0);
    await stage.powerOn();
    await page.getByRole("region", { name: "Update to 1.1.0" }).waitFor();
    expect(await overflowOf(page), "during").equal(0);
    await page.getByRole("region", { name: "Update to 1.1.0: success" }).waitFor();
    await page.setViewportSize({ width: 320, height: 700 });
    expect(await overflowOf(page), "after").equal(0);
    expect(problems).deep.equal([]);
  });

  /** Records each stage that becomes the current one. */
  const watchStages = () =>
    watched.page.evaluate(() => {
      const names: string[] = [];
      Object.assign(globalThis, { stageNames: names });
      new MutationObserver(() => {
        const name = document.querySelector("[aria-current=step] .name")?.textContent;
        if (name && names.at(-1) !== name) names.push(name);
      }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    });
  const stagesSeen = () =>
    watched.page.evaluate(() => (globalThis as unknown as { stageNames: string[] }).stageNames);
});
