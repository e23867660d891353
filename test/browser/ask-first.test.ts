// Selects and checkboxes that would reach the whole fleet ask first, and the audit page takes back what gave more than there was.

import { expect } from "chai";
import type { Page } from "playwright-core";
import { overflowOf, PHONE } from "./browser.js";
import type { FleetStage } from "./fleet-stage.js";
import { type Operator, openOperator } from "./operator.js";

const DEVICE_COUNT = 7;

/** One story in steps: each continues from the previous one. */
describe("changes that ask first, in the browser", function () {
  this.timeout(120_000);
  let operator: Operator;
  let stage: FleetStage;
  let page: Page;

  before(async function () {
    operator = await openOperator(this, {
      prepare: async (fleet) => {
        await fleet.register(DEVICE_COUNT);
        await fleet.upload("1.1.0");
      },
    });
    ({ stage, page } = operator);
    await operator.ask("POST", "/api/users", { name: "bob", role: "viewer" });
  });
  after(() => operator?.close());

  const kindOf = async (): Promise<unknown> => {
    const answer = await operator.ask("GET", "/api/types");
    const { types } = (await answer.json()) as { types: { name: string; kind: string }[] };
    return types.find(({ name }) => name === "base")?.kind;
  };

  it("changes nothing by an arrow key before the question is answered, and keeps the focus", async () => {
    await page.goto(`${stage.url}/settings?part=types`);
    const select = page.getByLabel("Firmware of base");
    await select.focus();
    await page.keyboard.press("ArrowDown");
    const dialog = page.getByRole("dialog", { name: "Accept unsigned firmware for base?" });
    await dialog.getByText(`${DEVICE_COUNT} devices of this type`).waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(await select.inputValue()).to.equal("signed");
    expect(await kindOf()).to.equal(undefined);
    expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).to.equal(
      "Firmware of base",
    );
    await page.keyboard.press("ArrowDown");
    await dialog.getByRole("button", { name: "Accept unsigned firmware" }).click();
    await page.getByRole("row", { name: /^base/ }).getByText("not signed").waitFor();
    expect(await kindOf()).to.equal("legacy");
  });

  it("asks before a role changes", async () => {
    await page.getByRole("link", { name: "Users" }).click();
    await page.getByLabel("Role of bob").selectOption("admin");
    const dialog = page.getByRole("dialog", { name: "Make bob an administrator?" });
    await dialog.getByText("They can do everything").waitFor();
    await dialog.getByRole("button", { name: "Make an administrator" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.waitForFunction(
      () => document.querySelector<HTMLSelectElement>('[aria-label="Role of bob"]')?.value === "admin",
    );
  });

  it("says to how many devices a stable release goes", async () => {
    await page.goto(`${stage.url}/ota-management`);
    const row = page.getByRole("row", { name: /base 1\.1\.0/ });
    await row.getByLabel("stable").focus();
    await page.keyboard.press("Space");
    const dialog = page.getByRole("dialog", { name: "Offer base 1.1.0 to every device?" });
    await dialog.getByText(`${DEVICE_COUNT} devices are offered it at the next check`).waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
    expect(await row.getByLabel("stable").isChecked()).to.equal(false);
    await page.keyboard.press("Space");
    await dialog.getByRole("button", { name: "Make it stable" }).click();
    await page.waitForFunction(() => document.querySelector<HTMLInputElement>("td .check input")?.checked);
  });

  it("takes all of it back from the audit page", async () => {
    await page.goto(`${stage.url}/audit`);
    for (const [name, outcome] of [
      ["Undo firmware.changed of firmware/1", "Then base 1.1.0 is not stable again: only rollouts offer it."],
      ["Undo user.role of user/bob", "Then bob is a viewer again."],
      ["Undo type.changed of type/base", "Then type base is signed again"],
    ] as const) {
      await page.getByRole("button", { name }).click();
      const dialog = page.getByRole("dialog", { name: "Undo this change?" });
      await dialog.getByText(outcome).waitFor();
      await dialog.getByRole("button", { name: "Undo" }).click();
      await page.getByRole("button", { name }).waitFor({ state: "detached" });
    }
    expect(await kindOf()).to.equal("signed");
    expect(await page.getByRole("button", { name: /^Undo/ }).count()).to.equal(0);
  });

  it("fits a phone, and reports no errors", async () => {
    await page.setViewportSize(PHONE.viewport);
    for (const path of ["/audit", "/settings", "/settings?part=types", "/ota-management"]) {
      await page.goto(stage.url + path);
      await page.getByText("live", { exact: true }).waitFor();
      expect(await overflowOf(page), path).to.equal(0);
    }
    await page.getByLabel("stable").click();
    await page.getByRole("dialog").getByText("devices are offered it").waitFor();
    expect(await overflowOf(page)).to.equal(0);
    expect(operator.problems).to.deep.equal([]);
  });
});
