// Orders on the page of a device: sent, followed as the device answers, cancelled.

import { expect } from "chai";
import type { Locator, Page } from "playwright-core";
import type { NoUpdateResponse, OrderResult } from "../../firmware/core/wire.js";
import { overflowOf, PHONE } from "./browser.js";
import type { FleetStage } from "./fleet-stage.js";
import { type Operator, openOperator } from "./operator.js";

const DEVICE = "led-0a1b2c";

/** One story in steps: each continues from the previous one. */
describe("orders to a device, from the browser", function () {
  this.timeout(120_000);
  let operator: Operator;
  let stage: FleetStage;
  let page: Page;
  let orders: Locator;
  let token = "";

  before(async function () {
    operator = await openOperator(this);
    ({ stage, page } = operator);
    await check();
    await check();
    await check([], "led-000001", "");
    orders = page.getByRole("region", { name: "Orders" });
  });
  after(() => operator?.close());

  /** A check of the device. @returns the id of the first order in the answer */
  async function check(
    order_results: OrderResult[] = [],
    device_id = DEVICE,
    shown = token,
    abilities_digest?: string,
  ): Promise<number> {
    const body = {
      device_id,
      device_type: "led",
      current_version: "1.0.0",
      current_build: 0,
      slot_state: "valid",
      check_seconds: 120,
      ...(device_id === DEVICE ? { keeps_token: true } : {}),
      ...(order_results.length > 0 ? { order_results } : {}),
      ...(abilities_digest === undefined ? {} : { abilities_digest }),
    };
    const headers = {
      "content-type": "application/json",
      ...(shown ? { authorization: `Bearer ${shown}` } : {}),
    };
    const response = await fetch(`${stage.url}/api/ota/check`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as NoUpdateResponse;
    if (device_id === DEVICE) token = answer.device_token ?? token;
    return answer.orders?.[0]?.id ?? 0;
  }
  const line = (text: string | RegExp) => orders.getByRole("listitem").filter({ hasText: text });

  it("asks it to identify itself, and shows the progress live", async () => {
    await page.goto(`${stage.url}/devices/${DEVICE}`);
    await orders.getByText("it checks every 2 min").waitFor();
    await orders.getByRole("button", { name: "Identify" }).click();
    await line("Identify").getByText("waiting for its next check").waitFor();
    const id = await check();
    await line("Identify").getByText("sent, not done yet").waitFor();
    await check([{ id, result: "done" }]);
    await line("Identify").getByText("done", { exact: true }).waitFor();
    await page.getByText(`${DEVICE} has carried out the order to show which one it is`).waitFor();
  });

  it("says at once what is wrong with an order", async () => {
    await orders.getByText("Change settings").click();
    await orders.getByRole("combobox", { name: "Setting" }).fill("server");
    await orders.getByLabel("Value").fill("http://evil.test");
    await orders.getByRole("button", { name: "Send settings" }).click();
    await orders.getByRole("alert").filter({ hasText: "Server is reserved for the owner" }).waitFor();
  });

  it("changes settings, and shows why the device refuses", async () => {
    await orders.getByRole("combobox", { name: "Setting" }).fill("brightness");
    await orders.getByLabel("Value").fill("400");
    await orders.getByRole("button", { name: "Another setting" }).click();
    await orders.getByRole("combobox", { name: "Setting" }).nth(1).fill("pattern");
    await orders.getByLabel("Value").nth(1).fill("rainbow");
    await orders.getByRole("button", { name: "Send settings" }).click();
    await line("brightness = 400, pattern = rainbow").getByText("pending").waitFor();
    const reason = "Brightness: 400 is not a whole number from 1 to 100.";
    await check([{ id: await check(), result: "refused", reason }]);
    await line("brightness = 400").getByText(reason).waitFor();
  });

  it("offers what the device tells that it can do: its settings with limits and present values, nothing else", async () => {
    await check([], DEVICE, token, "1");
    const told = {
      ...{ device_id: DEVICE, digest: "1", orders: ["restart", "settings"] },
      fields: [
        { name: "brightness", label: "Brightness", hint: "In percent", type: "slider", least: 1, most: 100 },
        {
          name: "pattern",
          label: "Pattern",
          type: "choice",
          options: [
            ["solid", "Solid"],
            ["rainbow", "Rainbow"],
          ],
        },
        { name: "colour", label: "Colour", type: "colour" },
        { name: "note", label: "Note", type: "text", most: 20 },
      ],
      values: { brightness: 40, pattern: "solid", colour: "#00ff00", note: "" },
    };
    const answer = await fetch(`${stage.url}/api/ota/abilities`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(told),
    });
    expect(answer.status).to.equal(200);
    const brightness = orders.getByLabel("Brightness");
    await brightness.waitFor();
    expect(await brightness.inputValue()).to.equal("40");
    expect(await orders.getByLabel("Pattern").inputValue()).to.equal("solid");
    expect(await orders.getByLabel("Colour").inputValue()).to.equal("#00ff00");
    expect(await orders.getByRole("button", { name: "Identify" }).count()).to.equal(0);
    const send = orders.getByRole("button", { name: "Send settings" });
    expect(await send.isDisabled(), "nothing is changed").to.equal(true);
    await brightness.fill("400");
    await orders.getByText("Brightness: 400 is not a whole number from 1 to 100.").last().waitFor();
    expect(await send.isDisabled()).to.equal(true);
    await brightness.fill("80");
    await orders.getByLabel("Pattern").selectOption("Rainbow");
    await send.click();
    await line("brightness = 80, pattern = rainbow").getByText("pending").waitFor();
    await operator.ask("DELETE", `/api/devices/${DEVICE}/orders/${await check([], DEVICE, token, "1")}`);
  });

  it("offers many devices what one of them can do, and says how many can", async () => {
    await page.goto(`${stage.url}/devices?search=led-0`);
    await page.getByLabel("All of this page").check();
    const bulk = page.getByRole("region", { name: "Change the selected devices" });
    await bulk.getByLabel("Action").selectOption("Change settings");
    await bulk.getByLabel("Brightness").fill("50");
    await bulk.getByText(/^In percent. 1 to 100. 1 of \d+ have it$/).waitFor();
    await bulk.getByRole("combobox", { name: "Setting" }).waitFor();
    await page.getByLabel("All of this page").uncheck();
    await page.getByLabel(`Select ${DEVICE}`).check();
    await bulk.getByLabel("Brightness").waitFor();
    await bulk.getByRole("combobox", { name: "Setting" }).waitFor({ state: "detached" });
    await page.goto(`${stage.url}/devices/${DEVICE}`);
  });

  it("restarts it after a confirmation, and cancels that, on a phone", async () => {
    await page.setViewportSize(PHONE.viewport);
    await orders.getByRole("button", { name: "Restart" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Restart" }).click();
    await line("Restart").getByText("pending").waitFor();
    expect(await overflowOf(page)).to.equal(0);
    await orders.getByRole("button", { name: "Withdraw Restart" }).click();
    await line("Restart").getByText("withdrawn").waitFor();
    expect(await check()).to.equal(0);
  });

  it("shows what a client of another system says of itself, which takes no orders", async () => {
    await fetch(`${stage.url}/api/types/lamp`, {
      method: "PUT",
      headers: { "content-type": "application/json", authorization: `Bearer ${stage.adminToken}` },
      body: JSON.stringify({ kind: "legacy" }),
    });
    const said = {
      "x-esp32-sta-mac": "24:6f:28:00:00:01",
      "x-esp32-sdk-version": "v5.1.4",
      "x-esp32-chip-size": "4194304",
      "x-esp32-version": "1.0.0",
    };
    expect((await fetch(`${stage.url}/api/arduino/lamp`, { headers: said })).status).to.equal(304);
    await page.goto(`${stage.url}/devices/24:6F:28:00:00:01`);
    await page.getByText("What it says of itself").click();
    await page.getByText("v5.1.4").waitFor();
    await page.getByText("chip size").waitFor();
    expect(await overflowOf(page)).to.equal(0);
  });

  it("offers none for a device that has shown no token, and says so", async () => {
    await page.goto(`${stage.url}/devices/led-000001`);
    await orders.getByText("it has not authenticated with its own token").waitFor();
    expect(await orders.getByRole("button").count()).to.equal(0);
    expect(operator.problems).to.deep.equal([
      // the browser's own message about the order that was refused above
      `error Failed to load resource: the server responded with a status of 422 (Unprocessable Entity) at ${stage.url}/api/devices/${DEVICE}/orders`,
    ]);
  });
});
