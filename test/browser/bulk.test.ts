// Bulk operations on devices: selected across all pages of the list, confirmed with their number, and counted by result.

import { expect } from "chai";
import type { Locator, Page } from "playwright-core";
import { overflowOf, PHONE } from "./browser.js";
import type { FleetStage } from "./fleet-stage.js";
import { type Operator, openOperator } from "./operator.js";

/** More than one page of the list. */
const DEVICE_COUNT = 63;

/** One story in steps: each continues from the previous one. */
describe("many devices at once, from the browser", function () {
  this.timeout(120_000);
  let operator: Operator;
  let stage: FleetStage;
  let page: Page;
  let bulk: Locator;

  before(async function () {
    operator = await openOperator(this, { prepare: (fleet) => fleet.register(DEVICE_COUNT) });
    ({ stage, page } = operator);
    bulk = page.getByRole("region", { name: "Change the selected devices" });
  });
  after(() => operator?.close());

  const confirm = async (name: string, count: string) => {
    await bulk.getByRole("button", { name, exact: true }).click();
    const dialog = page.getByRole("dialog", { name: `${name}: ${count}?` });
    await dialog.getByRole("button", { name: `${name}: ${count}` }).click();
  };
  const countOf = async (query: string): Promise<number> => {
    const answer = await operator.ask("GET", `/api/devices?${query}`);
    return ((await answer.json()) as { total: number }).total;
  };

  it("labels all that match, on every page of the list", async () => {
    await page.goto(`${stage.url}/devices`);
    const box = await page.getByLabel("All of this page").boundingBox();
    expect([box?.width, box?.height]).to.deep.equal([24, 24]);
    await page.getByLabel("All of this page").check();
    await bulk.getByText("50 devices selected").waitFor();
    await bulk.getByRole("button", { name: `Select all ${DEVICE_COUNT} devices that match` }).click();
    await bulk.getByLabel("Action").selectOption("Add a tag");
    expect(await bulk.getByRole("button", { name: "Add a tag" }).isDisabled()).to.equal(true);
    await bulk.getByRole("combobox", { name: "Tag" }).fill("lab");
    await confirm("Add a tag", `${DEVICE_COUNT} devices`);
    await bulk.getByText(`${DEVICE_COUNT} devices done`).waitFor();
    expect(await countOf("tag=lab")).to.equal(DEVICE_COUNT);
    await bulk.getByRole("button", { name: "Done" }).click();
    await bulk.waitFor({ state: "detached" });
  });

  it("says how many were unchanged, and why", async () => {
    await page.getByLabel("Select base-000001").check();
    await page.getByLabel("Select base-000002").check();
    await bulk.getByText("2 devices selected").waitFor();
    await confirm("Restart", "2 devices");
    await bulk.getByText("0 devices done").waitFor();
    await bulk.getByText("2 unchanged").waitFor();
    await bulk.getByText(/device base-000001 has shown no token of its own/).waitFor();
    await bulk.getByRole("button", { name: "Done" }).click();
  });

  it("goes on at the server when the page is left", async () => {
    await page.getByLabel("All of this page").check();
    await bulk.getByRole("button", { name: `Select all ${DEVICE_COUNT} devices that match` }).click();
    await bulk.getByLabel("Action").selectOption("Add a tag");
    await bulk.getByRole("combobox", { name: "Tag" }).fill("later");
    const ordered = page.waitForResponse(
      (response) => response.url().endsWith("/api/bulk-jobs") && response.status() === 201,
    );
    await confirm("Add a tag", `${DEVICE_COUNT} devices`);
    await ordered;
    await page.goto("about:blank");
    while ((await countOf("tag=later")) < DEVICE_COUNT) await new Promise((later) => setTimeout(later, 100));
    await page.goto(`${stage.url}/devices`);
    await page.getByText(`1–50 of ${DEVICE_COUNT}`).waitFor();
  });

  it("applies to what the filters find, and clears the selection when they change", async () => {
    await page.getByLabel("Search").fill("base-00003");
    await page.getByText("1–16 of 16").waitFor();
    await page.getByLabel("All of this page").check();
    await bulk.getByText("16 devices selected").waitFor();
    expect(await bulk.getByRole("button", { name: /Select all/ }).count()).to.equal(0);
    await page.getByLabel("Search").fill("");
    await page.getByText(`1–50 of ${DEVICE_COUNT}`).waitFor();
    expect(await bulk.count()).to.equal(0);
  });

  it("are found again by a saved view, which is a link", async () => {
    await page.goto(`${stage.url}/devices?tag=lab`);
    await page.getByRole("button", { name: "Version", exact: true }).click();
    await page.getByRole("button", { name: "Save this view" }).click();
    await page.getByLabel("Name of the view").fill("the lab");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    const view = page.getByRole("link", { name: "the lab" });
    await view.waitFor();
    await page.goto(`${stage.url}/devices`);
    await view.click();
    await page.waitForURL(/order=version&tag=lab/);
    expect(await page.getByLabel("Order").inputValue()).to.equal("version");
    await page.getByRole("button", { name: "Delete view the lab" }).click();
    await view.waitFor({ state: "detached" });
    await page.goto(`${stage.url}/devices`);
  });

  it("fits a phone", async () => {
    await page.setViewportSize(PHONE.viewport);
    await page.getByLabel("All of this page").check();
    await bulk.getByLabel("Action").selectOption("Change settings");
    await bulk.getByRole("combobox", { name: "Setting" }).fill("brightness");
    await bulk.getByRole("textbox", { name: "Value" }).fill("40");
    expect(await overflowOf(page)).to.equal(0);
    await confirm("Change settings", "50 devices");
    await bulk.getByText("50 unchanged").waitFor();
    expect(await overflowOf(page)).to.equal(0);
    expect(operator.problems).to.deep.equal([]);
  });
});
