import { expect } from "chai";
import type { Browser } from "playwright-core";
import { becomeAdministrator, openBrowser, openPage, requireChromium, type WatchedPage } from "./browser.js";
import { type Newcomer, openNewcomer, takeFirstSteps } from "./newcomer.js";

/** An update with its trial takes a few seconds. */
const SPEED = 30;
const PATIENCE_MS = 120_000;

describe("the first run, in an empty folder", function () {
  this.timeout(400_000);
  let newcomer: Newcomer;
  let browser: Browser;

  before(async function () {
    requireChromium(this);
    browser = await openBrowser();
  });
  afterEach(() => newcomer?.close());
  after(() => browser?.close());

  const openFirstPage = async (): Promise<WatchedPage> => {
    const watched = await openPage(browser);
    watched.page.setDefaultTimeout(PATIENCE_MS);
    return watched;
  };

  it("leads by the commands that its first page shows to a virtual device that has updated itself", async () => {
    newcomer = await openNewcomer();
    const { page, problems, close } = await openFirstPage();
    const device = await takeFirstSteps(newcomer, page, { speed: SPEED });
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Dashboard" }).click();
    await page.getByRole("region", { name: "Update to 1.1.0: success" }).waitFor();
    expect(await page.getByRole("heading", { name: "Next steps" }).count(), "all are done").equal(0);
    expect(device.said()).contain("base 1.1.0 on esp32").and.not.contain("no connection");
    expect(problems).deep.equal([]);
    await close();
  });

  it("with --demo, signs in by the printed link, and moves a rollout that is started on its pages", async () => {
    newcomer = await openNewcomer("npx skyslot server --demo --port 0");
    const { page, problems, close } = await openFirstPage();
    await becomeAdministrator(page, newcomer.setupUrl);
    await page.goto(`${newcomer.url}/ota-management`);
    await page
      .getByRole("row", { name: /base 1\.3\.0/ })
      .getByRole("link", { name: "Roll out" })
      .click();
    await page.getByLabel("Pace").selectOption("All at once");
    await page.getByRole("button", { name: "Show the plan" }).click();
    await page.getByRole("region", { name: "The plan" }).getByRole("button", { name: "Start" }).click();
    await page.getByText("running", { exact: true }).waitFor();
    // A device that it was offered to: they check every two minutes, one after the other.
    await page
      .getByRole("row", { name: /^base-\S+ 100 % / })
      .first()
      .waitFor();
    expect(problems).deep.equal([]);
    await close();
  });
});
