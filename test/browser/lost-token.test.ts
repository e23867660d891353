// The page of a device that was flashed again: its refusal, and how to reset its token.

import { expect } from "chai";
import type { Page } from "playwright-core";
import type { CheckResponse } from "../../firmware/core/wire.js";
import { overflowOf, PHONE } from "./browser.js";
import type { FleetStage } from "./fleet-stage.js";
import { type Operator, openOperator } from "./operator.js";

const DEVICE = "led-0a1b2c";
const FLASHED = "led-0a1b2d";
const CLAIMED = "led-0a1b2e";

/** One story in steps: each continues from the previous one. */
describe("a device that has lost its token, from the browser", function () {
  this.timeout(120_000);
  let operator: Operator;
  let stage: FleetStage;
  let page: Page;

  before(async function () {
    operator = await openOperator(this, { screen: PHONE });
    ({ stage, page } = operator);
  });
  after(() => operator?.close());

  /** A check of a device with this token. */
  async function check(
    id: string,
    token?: string,
    keepsToken = true,
  ): Promise<{ readonly status: number; readonly answer: CheckResponse }> {
    const response = await fetch(`${stage.url}/api/ota/check`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      body: JSON.stringify({
        device_id: id,
        device_type: "led",
        current_version: "1.0.0",
        current_build: 0,
        slot_state: "factory",
        check_seconds: 120,
        keeps_token: keepsToken,
      }),
    });
    return { status: response.status, answer: (await response.json()) as CheckResponse };
  }
  const notice = () => page.getByText("It was refused after it was last seen");

  it("shows nothing when another client uses the name of a device that still has its token", async () => {
    const { device_token } = (await check(DEVICE)).answer;
    await check(DEVICE, device_token);
    expect((await check(DEVICE)).status).to.equal(401);
    await check(DEVICE, device_token);
    await page.goto(`${stage.url}/devices/${DEVICE}`);
    await page.getByText(`${DEVICE} has a token and came without it`).waitFor();
    await page.getByRole("button", { name: "Renew token" }).waitFor();
    expect(await notice().count()).to.equal(0);
  });

  it("warns when a client has claimed a device that had no token, and the device is refused since", async () => {
    const claim = page.getByText("One of the two is not the device");
    await check(CLAIMED, undefined, false);
    const { device_token } = (await check(CLAIMED)).answer;
    await check(CLAIMED, device_token);
    await page.goto(`${stage.url}/devices/${CLAIMED}`);
    await page.getByText("a client at 127.0.0.1 has begun to use one").waitFor();
    expect(await claim.count()).to.equal(0);
    expect((await check(CLAIMED, undefined, false)).status).to.equal(401);
    await claim.waitFor();
    expect(await overflowOf(page)).to.equal(0);
  });

  it("shows live that the device is refused, and the likely reason", async () => {
    const { device_token } = (await check(FLASHED)).answer;
    await check(FLASHED, device_token);
    await page.goto(`${stage.url}/devices/${FLASHED}`);
    await page.getByRole("button", { name: "Renew token" }).waitFor();
    expect(await notice().count()).to.equal(0);
    expect((await check(FLASHED)).status).to.equal(401);
    await notice().waitFor();
    expect(await overflowOf(page)).to.equal(0);
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/lost-token.png` });
  });

  it("resets its token after a confirmation, and accepts the device again", async () => {
    await page.getByRole("button", { name: "Forget its token" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("The next client that uses its id is trusted").waitFor();
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/lost-token-dialog.png` });
    await dialog.getByRole("button", { name: "Forget its token" }).click();
    await notice().waitFor({ state: "detached" });
    const { status, answer } = await check(FLASHED);
    expect(status).to.equal(200);
    expect((await check(FLASHED, answer.device_token)).status).to.equal(200);
    await page.getByRole("button", { name: "Renew token" }).waitFor();
    expect(await notice().count()).to.equal(0);
    expect(operator.problems).to.deep.equal([]);
  });
});
