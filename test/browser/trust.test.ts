// What people see of trust: the roots and keys on the settings page, and on a device's page which root it has and since when it is frozen.

import { expect } from "chai";
import type { Page } from "playwright-core";
import { firstRoot } from "../release/root-holders.js";
import { violationsOf } from "./axe.js";
import { overflowOf, PHONE } from "./browser.js";
import type { FleetStage } from "./fleet-stage.js";
import { type Operator, openOperator } from "./operator.js";

const ID = "base-frozen";

describe("trust on the pages of the server", function () {
  this.timeout(120_000);
  let operator: Operator;
  let stage: FleetStage;
  let page: Page;

  before(async function () {
    operator = await openOperator(this);
    ({ stage, page } = operator);
  });
  after(() => operator?.close());

  const check = (more: object) =>
    fetch(`${stage.url}/api/ota/check`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        ...{ device_id: ID, device_type: "base", current_version: "1.0.0", current_build: 0 },
        ...more,
      }),
    });

  /** In both colour schemes, on a notebook and on a phone. */
  async function isFine(name: string): Promise<void> {
    for (const colorScheme of ["light", "dark"] as const)
      for (const viewport of [{ width: 1280, height: 900 }, PHONE.viewport]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize(viewport);
        expect(await overflowOf(page), `${name}, ${viewport.width} px`).to.equal(0);
        expect(await violationsOf(page), `${name}, ${colorScheme}, ${viewport.width} px`).to.deep.equal([]);
        const { SHOTS } = process.env;
        if (SHOTS)
          await page.screenshot({
            path: `${SHOTS}/${name}-${colorScheme}-${viewport.width}.png`,
            fullPage: true,
          });
      }
  }

  it("of a device without a root says nothing, and of the server that none is published", async () => {
    await check({});
    await page.goto(`${stage.url}/devices/${ID}`);
    await page.getByRole("heading", { name: "Timeline" }).waitFor();
    expect(await page.getByRole("region", { name: "Trust" }).count()).to.equal(0);
    await page.goto(`${stage.url}/settings?part=trust`);
    await page.getByText(/^None is published\. Devices trust the keys/).waitFor();
  });

  it("shows the root, its keys, and who is behind or frozen", async () => {
    const { text, root } = await firstRoot({ version: 2 });
    await operator.ask("POST", "/api/v1/roots", { root: text });
    await check({ root_version: 1, frozen: true });
    await page.goto(`${stage.url}/settings?part=trust`);
    await page.getByText(`Root ${root.version}, expires`).waitFor();
    await page.getByText("Devices ask for freshness, and this server has no key for it.").waitFor();
    expect(
      await page
        .getByRole("row")
        .filter({ hasText: /root|release|freshness/ })
        .count(),
    ).to.be.at.least(root.keys.length);
    await isFine("settings");
    await page.getByRole("link", { name: "1 device frozen" }).click();
    await page.getByRole("link", { name: ID }).first().click();
    const trust = page.getByRole("region", { name: "Trust" });
    await trust.getByText(/^frozen since .*it has had no statement for two weeks/).waitFor();
    await trust.getByText("the newest is 2").waitFor();
    await trust.getByText("none was asked for here").waitFor();
    await isFine("device");
    expect(operator.problems).to.deep.equal([]);
  });
});
