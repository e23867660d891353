import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { HOME } from "../../host-sim/desk/desk.js";
import { openBrowser, openPage, overflowOf, PHONE, requireChromium, type WatchedPage } from "./browser.js";
import { openPortalStage, type PortalStage } from "./portal-stage.js";

const SPEED = 20;
/** Timeout for a single expectation, in real time; ten times what it takes. */
const PATIENCE_MS = 40_000;
const STRIP_PIN = 13;
const TOKEN = "green-gate-open-4";

describe("the settings page in a phone's browser", function () {
  this.timeout(180_000);
  let stage: PortalStage;
  let browser: Browser;
  let phone: WatchedPage;
  let page: Page;

  before(async function () {
    requireChromium(this);
    stage = await openPortalStage({ speed: SPEED, app: "led" });
    browser = await openBrowser(stage.hosts);
    phone = await openPage(browser, PHONE);
    page = phone.page;
    page.setDefaultTimeout(PATIENCE_MS);
  });
  after(async () => {
    await browser?.close();
    stage?.close();
  });

  /** Waits until the strip shows the change. */
  async function shows(wanted: (pixels: Uint8Array) => boolean, pin = STRIP_PIN): Promise<void> {
    const begun = Date.now();
    while (!wanted(stage.strips.get(pin) ?? new Uint8Array())) {
      if (Date.now() - begun > PATIENCE_MS) throw new Error(`the strip shows ${stage.strips.get(pin)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  const saved = (id: string) => page.locator(`#${id}`).getByText("Saved.").waitFor();
  const everyPixel =
    (...colour: number[]) =>
    (pixels: Uint8Array) =>
      pixels.length > 0 && pixels.every((value, i) => value === colour[i % 3]);

  it("opens from the setup page while the device has no owner yet, and the strip can be set up", async () => {
    await page.goto("http://192.168.4.1/");
    await page.getByRole("link", { name: "Other settings" }).tap();
    await page.getByRole("heading", { name: "LED strip" }).waitFor();
    await page.getByLabel("Pattern").selectOption("Solid");
    await saved("app-say");
    await page.getByLabel("Colour").fill("#00ff00");
    await page.getByLabel("Brightness").fill("100");
    await shows(everyPixel(0, 254, 0));
    expect(await page.getByRole("region", { name: "Firmware" }).count()).equal(0);
  });

  it("fits a narrow phone, and links back to the setup page", async () => {
    for (const width of [320, PHONE.viewport.width]) {
      await page.setViewportSize({ ...PHONE.viewport, width });
      expect(await overflowOf(page), `${width} px`).equal(0);
    }
    await page.getByRole("link", { name: "Wi-Fi setup" }).tap();
    await page.locator("#list button").filter({ hasText: HOME.ssid }).tap();
  });

  it("belongs to the owner once the device has joined", async () => {
    await page.getByLabel("Password", { exact: true }).fill(HOME.password);
    await page.getByLabel("Owner’s token", { exact: true }).fill(TOKEN);
    await page.getByRole("button", { name: "Connect" }).tap();
    await page.getByRole("heading", { name: `Connected to ${HOME.ssid}` }).waitFor();
    stage.desk.person.phone.leave();
    while (!stage.trace.includes("info: setup portal closed"))
      await new Promise((resolve) => setTimeout(resolve, 50));
    await page.goto(`${stage.url}/`);
    await page.getByLabel("Pattern").selectOption("Chase");
    await page.locator("#app-say").getByText("This needs the owner’s token.").waitFor();
    expect(stage.strips.get(STRIP_PIN)!.length).equal(24);
    expect([...stage.strips.get(STRIP_PIN)!].every((value, i) => value === [0, 254, 0][i % 3])).equal(true);
  });

  it("shows a change on the strip at once", async () => {
    await page.getByLabel("Owner’s token", { exact: true }).fill(TOKEN);
    await page.getByLabel("LEDs on the strip").fill("5");
    await page.getByLabel("LEDs on the strip").blur();
    await shows((pixels) => pixels.length === 15);
    await page.getByLabel("Pin of the data line (GPIO)").selectOption("4");
    await shows((pixels) => pixels.length === 15, 4);
    await page.getByLabel("Colour").fill("#ff0000");
    await shows(everyPixel(254, 0, 0), 4);
    await page.getByLabel("LEDs on the strip").fill("301");
    await page.getByLabel("LEDs on the strip").blur();
    await page.getByText("301 is not a whole number from 1 to 300").waitFor();
  });

  it("lists the device's network, changes the token, and says what unsigned updates mean", async () => {
    const networks = page.getByRole("region", { name: "Saved networks" });
    await networks.getByText("in use").waitFor();
    expect(await networks.getByRole("listitem").textContent()).equal(`${HOME.ssid}in use`);
    expect(await page.getByLabel("Accept unsigned local updates").isChecked()).equal(false);
    await page.getByLabel("Accept unsigned local updates").check();
    await page.getByRole("button", { name: "Save" }).tap();
    await saved("settings-say");
    await page.getByLabel("New token").fill("another-one-8");
    await page.getByRole("button", { name: "Change the token" }).tap();
    await page.getByText("The token is now another-one-8").waitFor();
  });

  it("resets the device after two confirmations, and it opens its setup network again", async () => {
    await page.getByRole("button", { name: "Factory reset" }).tap();
    await page.getByText("Erase all networks, settings and the owner’s token?").waitFor();
    await page.getByRole("button", { name: "Yes, erase everything" }).tap();
    await page.getByText("This cannot be undone.").waitFor();
    const before = stage.trace.length;
    await page.getByRole("button", { name: "Reset now" }).tap();
    await page.locator("#reset-say").getByText("The device erases everything").waitFor();
    while (!stage.trace.slice(before).some((line) => line.includes("setup portal open")))
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(stage.homeAddress()).equal(undefined);
  });

  it("has reported no errors but the expected refusals", () => {
    const refusals = phone.problems.filter((text) => /status of (400|401)/.test(text));
    // each change is answered 401 with a challenge before it is proved
    expect(refusals.length).within(3, 12);
    expect(phone.problems.filter((text) => !refusals.includes(text) && !/ERR_/.test(text))).deep.equal([]);
  });
});
