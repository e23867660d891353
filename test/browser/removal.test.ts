// Devices and releases are removed from the pages, and what was kept of a device is found again.

import { expect } from "chai";
import type { Page } from "playwright-core";
import { overflowOf, PHONE } from "./browser.js";
import type { FleetStage } from "./fleet-stage.js";
import { type Operator, openOperator } from "./operator.js";

/** One story in steps: each continues from the previous one. */
describe("what is removed, from the browser", function () {
  this.timeout(120_000);
  let operator: Operator;
  let stage: FleetStage;
  let page: Page;

  before(async function () {
    operator = await openOperator(this, {
      prepare: async (fleet) => {
        await fleet.register(4);
        await fleet.upload("1.1.0");
      },
    });
    ({ stage, page } = operator);
  });
  after(() => operator?.close());

  it("a device leaves the fleet, and its history is found under removed devices", async () => {
    await page.goto(`${stage.url}/devices/base-000001`);
    await page.getByRole("button", { name: "Remove" }).click();
    const dialog = page.getByRole("dialog", { name: "Remove base-000001?" });
    await dialog.getByText("can still be looked at").waitFor();
    await dialog.getByRole("button", { name: "Remove", exact: true }).click();
    await page.getByRole("heading", { name: "Removed devices" }).waitFor();
    await page.getByRole("link", { name: "base-000001" }).click();
    await page.getByText("removed", { exact: true }).waitFor();
    await page.getByText("base-000001 was removed").waitFor();
    await page.goto(`${stage.url}/devices`);
    await page.getByText("1–3 of 3").waitFor();
    await page.getByRole("link", { name: "Removed devices: 1" }).waitFor();
  });

  it("its history is erased later", async () => {
    await page.goto(`${stage.url}/devices/base-000001`);
    await page.getByRole("button", { name: "Erase its history" }).click();
    const dialog = page.getByRole("dialog", { name: "Erase the history of base-000001?" });
    await dialog.getByRole("button", { name: "Erase its history" }).click();
    await page.getByText("No device was removed").waitFor();
    await page.goto(`${stage.url}/devices/base-000001`);
    await page.getByText("Device base-000001 has never checked for updates here.").waitFor();
  });

  it("many devices are removed at once", async () => {
    await page.goto(`${stage.url}/devices`);
    await page.getByLabel("Select base-000002").check();
    await page.getByLabel("Select base-000003").check();
    const bulk = page.getByRole("region", { name: "Change the selected devices" });
    await bulk.getByLabel("Action").selectOption("Remove and erase history");
    await bulk.getByRole("button", { name: "Remove and erase history" }).click();
    const dialog = page.getByRole("dialog", { name: "Remove and erase history: 2 devices?" });
    await dialog.getByRole("button", { name: "Remove and erase history: 2 devices" }).click();
    await bulk.getByText("2 devices done").waitFor();
    await page.getByText("1–1 of 1").waitFor();
  });

  it("a release is deleted once it is inactive, or the page says what needs it", async () => {
    await page.goto(`${stage.url}/ota-management`);
    const row = page.getByRole("row", { name: /base 1\.1\.0/ });
    expect(await row.getByRole("button", { name: "Delete" }).count()).to.equal(0);
    const headers = { authorization: `Bearer ${stage.adminToken}`, "content-type": "application/json" };
    const body = JSON.stringify({ firmware_id: 1 });
    await fetch(`${stage.url}/api/rollouts`, { method: "POST", headers, body });
    await row.getByLabel("active").click();
    await page.getByRole("dialog").getByRole("button", { name: "Deactivate" }).click();
    await row.getByRole("button", { name: "Delete" }).click();
    const dialog = page.getByRole("dialog", { name: "Delete base 1.1.0 for good?" });
    await dialog.getByRole("button", { name: "Delete for good" }).click();
    await dialog.getByText("base 1.1.0 cannot be deleted: 1 rollout has not ended").waitFor();
    await fetch(`${stage.url}/api/rollouts/1/cancel`, { method: "POST", headers, body: "{}" });
    await dialog.getByRole("button", { name: "Delete for good" }).click();
    await page.getByText("No releases yet").waitFor();
  });

  it("fits a phone, and reports no errors but the refusals", async () => {
    await page.setViewportSize(PHONE.viewport);
    for (const path of ["/devices/base-000004", "/devices?removed=yes"]) {
      await page.goto(stage.url + path);
      await page.locator("main h1").first().waitFor();
      expect(await overflowOf(page), path).to.equal(0);
    }
    expect(operator.problems.filter((problem) => !/40[49]/.test(problem))).to.deep.equal([]);
  });
});
