import { expect } from "chai";
import type { Browser } from "playwright-core";
import { openBrowser, openPage, overflowOf, PHONE, requireChromium, type WatchedPage } from "./browser.js";
import { type DashboardStage, openDashboardStage } from "./dashboard-stage.js";

const PATIENCE_MS = 60_000;
const PASSWORD = "correct horse battery";

describe("signing in with a browser", function () {
  this.timeout(180_000);
  let stage: DashboardStage;
  let browser: Browser;
  const pages: WatchedPage[] = [];

  before(async function () {
    requireChromium(this);
    browser = await openBrowser();
    stage = await openDashboardStage({ speed: 1, releases: [], isGuarded: true });
  });
  after(async () => {
    for (const page of pages) await page.close();
    await browser?.close();
    await stage?.close();
  });

  /** A separate browser, with its own cookies. */
  async function open(url: string, size: object = PHONE): Promise<WatchedPage> {
    const watched = await openPage(browser, size);
    pages.push(watched);
    watched.page.setDefaultTimeout(PATIENCE_MS);
    await watched.page.goto(url);
    return watched;
  }

  it("makes the first administrator by the link that the server prints, once", async () => {
    const { page, problems } = await open(stage.setupUrl);
    await page.getByRole("heading", { name: "First administrator" }).waitFor();
    expect(await overflowOf(page)).equal(0);
    await page.getByLabel("Name").and(page.locator(":focus")).waitFor();
    await page.getByLabel("Name").fill("Ada");
    await page.getByLabel("New password").fill("ada and the sea");
    await page.getByRole("button", { name: "Create administrator" }).click();
    await page.getByRole("alert").getByText("The password contains the user's name.").waitFor();
    await page.getByLabel("New password").fill(PASSWORD);
    await page.getByText("The password contains").waitFor({ state: "hidden" });
    await page.getByLabel("New password").fill("password123456");
    await page.getByRole("button", { name: "Create administrator" }).click();
    await page
      .getByRole("alert")
      .getByText("a common word and characters in a row. Take several words")
      .waitFor();
    await page.getByLabel("New password").fill(PASSWORD);
    await page.getByRole("button", { name: "Create administrator" }).click();
    await page.getByText("No device has checked for updates yet").waitFor();
    await page.getByText("ada", { exact: true }).waitFor();
    expect(problems.filter((problem) => !/422/.test(problem))).deep.equal([]);

    const again = await open(stage.setupUrl);
    await again.page.getByText("This link was used already, or has expired.").waitFor();
  });

  it("takes name and password, keeps nothing where scripts can read it, and ends at sign-out", async () => {
    const { page, problems } = await open(stage.url);
    await page.getByLabel("Name").fill("ada");
    await page.getByLabel("Password", { exact: true }).fill("not the password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("This name and this password do not fit.").waitFor();
    await page.getByRole("button", { name: "Show" }).click();
    expect(await page.getByLabel("Password", { exact: true }).getAttribute("type")).equal("text");
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByLabel("Password", { exact: true }).press("Enter");
    await page.getByText("No device has checked for updates yet").waitFor();
    expect(await overflowOf(page)).equal(0);
    const reachable = await page.evaluate(
      () => document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage }),
    );
    expect(reachable).equal("{}");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    // the browser itself notes the refused password
    expect(problems.filter((problem) => !/401/.test(problem))).deep.equal([]);
  });

  it("continues automatically when only the access token has expired", async () => {
    const { page, problems } = await open(stage.url);
    await page.getByLabel("Name").fill("ada");
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("No device has checked for updates yet").waitFor();
    await page.context().clearCookies({ name: "skyslot_access" });
    await page.reload();
    await page.getByText("No device has checked for updates yet").waitFor();
    const names = (await page.context().cookies()).map(({ name }) => name).sort();
    expect(names).deep.equal(["skyslot_access", "skyslot_browser", "skyslot_refresh"]);
    expect(problems).deep.equal([]);
  });
});
