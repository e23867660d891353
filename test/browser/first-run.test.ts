import { expect } from "chai";
import type { Browser } from "playwright-core";
import { openBrowser, openPage, requireChromium, type WatchedPage } from "./browser.js";
import { type Newcomer, openNewcomer, takeFirstSteps } from "./newcomer.js";

describe("the first run, in an empty folder", function () {
  this.timeout(180_000);
  let newcomer: Newcomer;
  let browser: Browser;
  let watched: WatchedPage;

  before(async function () {
    requireChromium(this);
    newcomer = await openNewcomer();
    browser = await openBrowser();
    watched = await openPage(browser);
    watched.page.setDefaultTimeout(60_000);
  });
  after(async () => {
    await browser?.close();
    await newcomer?.close();
  });

  it("leads by the commands that its first page shows to a virtual device that has updated itself", async () => {
    const { page, problems } = watched;
    const device = await takeFirstSteps(newcomer, page);
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Dashboard" }).click();
    await page.getByRole("article").getByText("1.0.0", { exact: true }).waitFor();
    expect(await page.getByRole("heading", { name: "Next steps" }).count(), "all are done").equal(0);
    await page.getByRole("region", { name: "Update to 1.1.0: success" }).waitFor();
    expect(device.said()).contain("base 1.1.0 on esp32").and.not.contain("no connection");
    expect(problems).deep.equal([]);
  });
});
