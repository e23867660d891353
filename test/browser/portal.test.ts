import { join } from "node:path";
import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { HOME } from "../../host-sim/desk/desk.js";
import { makeAuthority } from "../journey/authority.js";
import { openBrowser, openPage, overflowOf, PHONE, requireChromium, type WatchedPage } from "./browser.js";
import { HOSTILE_SSID, openPortalStage, type PortalStage, PROBE } from "./portal-stage.js";

/** The SDK's five tries with a wrong password take 25 s of the device's time. */
const SPEED = 8;
/** Timeout for a single expectation, in real time; ten times what it takes. */
const PATIENCE_MS = 40_000;

const SHOTS = process.env.SKYSLOT_SHOTS;

type Watched = typeof window & { copied?: string };

/** In the page: what goes to the clipboard. */
function listenForCopies(): void {
  const watched = window as Watched;
  watched.copied = "";
  document.addEventListener("copy", () => {
    const { activeElement } = document;
    if (activeElement instanceof HTMLTextAreaElement)
      watched.copied = activeElement.value.slice(activeElement.selectionStart, activeElement.selectionEnd);
  });
}

describe("the setup page in a phone's browser", function () {
  this.timeout(180_000);
  let stage: PortalStage;
  let browser: Browser;
  let phone: WatchedPage;
  let page: Page;
  let token = "";

  before(async function () {
    requireChromium(this);
    stage = await openPortalStage({ speed: SPEED, moreSsids: [HOSTILE_SSID] });
    browser = await openBrowser(stage.hosts);
    phone = await openPage(browser, PHONE);
    page = phone.page;
    page.setDefaultTimeout(PATIENCE_MS);
  });
  after(async () => {
    await browser?.close();
    stage?.close();
  });

  const copied = () => page.evaluate(() => (window as Watched).copied);
  const network = (ssid: string) =>
    page.locator("#list button").filter({ has: page.getByText(ssid, { exact: true }) });

  it("is where a phone's connectivity probe leads", async () => {
    await page.goto(PROBE);
    expect(page.url()).equal("http://192.168.4.1/");
    await page.getByRole("heading", { level: 1, name: "Skyslot base" }).waitFor();
  });

  it("lists the networks in range, strongest first, with lock and strength, names as plain text", async () => {
    await network(HOME.ssid).waitFor();
    const rows = page.locator("#list button");
    const names = await rows.locator(".name").allTextContents();
    expect([...names].sort()).deep.equal([...stage.visibleSsids].sort());
    expect(await network(HOSTILE_SSID).getAttribute("data-bars")).equal("2");
    expect(await network("Café Zürich").locator(".lock").count()).equal(0);
    expect(await network(HOME.ssid).locator(".lock").count()).equal(1);
    const bars = await rows.evaluateAll((all) => all.map((row) => Number(row.dataset.bars)));
    expect(bars).deep.equal([...bars].sort((a, b) => b - a));
  });

  it("fits a narrow phone without scrolling sideways", async () => {
    for (const width of [320, PHONE.viewport.width]) {
      await page.setViewportSize({ ...PHONE.viewport, width });
      expect(await overflowOf(page), `${width} px`).equal(0);
    }
  });

  it("suggests a token to the owner of the new device", async () => {
    await network(HOME.ssid).tap();
    const field = page.getByLabel("Owner’s token", { exact: true });
    const suggested = await field.inputValue();
    await page.getByRole("button", { name: "Suggest a token" }).tap();
    token = await field.inputValue();
    expect(token)
      .match(/^[a-z2-9]{4}(-[a-z2-9]{4}){2}$/)
      .not.equal(suggested);
    expect(await overflowOf(page)).equal(0);
  });

  it("offers a name for the new device, beside the token, and stores it", async () => {
    const field = page.getByLabel("Name of the device", { exact: true });
    expect(await field.inputValue()).match(/^Skyslot base-[0-9a-f]{6}$/);
    await field.fill("Küchenlicht");
    expect(await overflowOf(page)).equal(0);
    if (SHOTS) await page.screenshot({ path: join(SHOTS, "setup-name.png"), fullPage: true });
  });

  it("takes the authority of a server of the owner's own, pasted", async () => {
    const field = page.getByLabel("Certificate of the authority", { exact: true });
    expect(await field.isVisible()).equal(false);
    await page.getByText("Your own update server", { exact: true }).tap();
    const { certificate } = makeAuthority(Math.floor(Date.now() / 1000));
    const lines = certificate.replace(/.{64}/g, "$&\n");
    await field.fill(`-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`);
    expect(await overflowOf(page)).equal(0);
    if (SHOTS) await page.screenshot({ path: join(SHOTS, "setup-authority.png"), fullPage: true });
  });

  it("copies the token, over plain http too, and by keyboard", async () => {
    expect(await page.evaluate(() => [isSecureContext, typeof navigator.clipboard])).deep.equal([
      false,
      "undefined",
    ]);
    const button = page.locator("#copy");
    for (const press of [() => button.tap(), () => button.press("Enter")]) {
      await page.evaluate(listenForCopies);
      await press();
      await page.getByRole("button", { name: "Copied" }).waitFor();
      expect(await copied()).equal(token);
      expect(await button.evaluate((one) => one === document.activeElement)).equal(true);
      await page.getByRole("button", { name: "Copy token" }).waitFor();
    }
    expect(await page.getByLabel("Owner’s token", { exact: true }).inputValue()).equal(token);
    expect(await page.locator("textarea.sr").count()).equal(0);
    for (const width of [320, PHONE.viewport.width]) {
      await page.setViewportSize({ ...PHONE.viewport, width });
      expect(await overflowOf(page), `${width} px`).equal(0);
    }
    if (SHOTS) await page.screenshot({ path: join(SHOTS, "setup-token.png"), fullPage: true });
  });

  it("shows the true reason when the password is wrong", async () => {
    await page.getByLabel("Password", { exact: true }).fill("correct horse");
    await page.getByRole("button", { name: "Connect" }).tap();
    await page.getByRole("heading", { name: `Joining ${HOME.ssid}` }).waitFor();
    const alert = page.getByRole("alert").filter({ visible: true });
    await alert.waitFor();
    expect(await alert.textContent()).match(/^Could not join Home \+ Garden\s*The password was not accepted/);
    expect(stage.trace.join("\n")).includes(`warn: Wi-Fi "${HOME.ssid}" failed: wrong-password. The network`);
    expect(stage.homeAddress()).equal(undefined);
  });

  it("joins with the correct one and shows the device's new address and name", async () => {
    await page.getByLabel("Password", { exact: true }).fill(HOME.password);
    await page.getByRole("button", { name: "Show password" }).tap();
    expect(await page.getByLabel("Password", { exact: true }).inputValue()).equal(HOME.password);
    await page.getByRole("button", { name: "Connect" }).tap();
    await page.getByRole("heading", { name: `Connected to ${HOME.ssid}` }).waitFor();
    const address = stage.homeAddress();
    expect(address).match(/^192\.168\.1\.\d+$/);
    expect(await page.locator("#address").textContent()).equal(address);
    expect(await page.locator("#host-name").textContent()).match(/^base-[0-9a-f]{6}\.local$/);
    expect(await page.getByRole("heading", { level: 1 }).textContent()).equal("Küchenlicht");
    const stored = await page.evaluate(
      async () =>
        (await (await fetch("/api/settings")).json()) as { deviceName: string; hasAuthority: boolean },
    );
    expect(stored).include({ deviceName: "Küchenlicht", hasAuthority: true });
    expect(stage.desk.home.stationCount).equal(1);
  });

  it("shows the token again: from now on the device accepts changes only with it", async () => {
    expect(await page.locator("#made").textContent()).equal(token);
    await page.evaluate(listenForCopies);
    await page.getByRole("button", { name: "Copy token" }).tap();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    expect(await copied()).equal(token);
    await page.setViewportSize({ ...PHONE.viewport, width: 320 });
    expect(await overflowOf(page)).equal(0);
    if (SHOTS) await page.screenshot({ path: join(SHOTS, "setup-done.png"), fullPage: true });
    await page.setViewportSize(PHONE.viewport);
    const taken = await page.evaluate(async () => {
      const settings = (await (await fetch("/api/settings")).json()) as { hasToken: boolean };
      const options = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
      return [settings.hasToken, (await fetch("/api/factory-reset", options)).status];
    });
    expect(taken).deep.equal([true, 401]);
    phone.problems.splice(0, 1); // the browser itself logs an answer 401
  });

  it("has loaded nothing from other hosts and reported no errors", () => {
    expect(phone.problems).deep.equal([]);
  });
});
