// The page of a device with sensors and a panel: what it says over time, and what it shows.

import { expect } from "chai";
import type { Page } from "playwright-core";
import { violationsOf } from "./axe.js";
import { overflowOf, PHONE } from "./browser.js";
import type { FleetStage } from "./fleet-stage.js";
import { type Operator, openOperator } from "./operator.js";

const HOUR_MS = 3_600_000;
const ID = "cms-1";

describe("the page of a device with sensors and a panel", function () {
  this.timeout(120_000);
  let operator: Operator;
  let stage: FleetStage;
  let page: Page;

  before(async function () {
    operator = await openOperator(this);
    ({ stage, page } = operator);
  });
  after(() => operator?.close());

  it("draws readings over time, and says them in words", async () => {
    await check();
    await page.route("**/api/devices/cms-1/readings?*", (route) =>
      route.fulfill({ json: { device_id: ID, hourly_days: 3, samples: samples() } }),
    );
    await page.goto(`${stage.url}/devices/${ID}`);
    const readings = page.getByRole("region", { name: "Readings" });
    await readings.getByRole("img", { name: /^Temperature since .*: 18 to 24 °C, last 21 °C$/ }).waitFor();
    await readings.getByRole("img", { name: /^Battery since / }).waitFor();
    expect(await readings.getByRole("img", { name: /^Humidity/ }).count(), "it has no such sensor").to.equal(
      0,
    );
    const lines = readings.getByRole("img", { name: /^Temperature/ }).locator("polyline");
    expect(await lines.count(), "broken where it was silent").to.equal(2);
    await readings.getByLabel("Of the last").selectOption("A year");
    await page.waitForRequest(/days=365/, { timeout: 5000 }).catch(() => {});
  });

  it("shows the panel's picture and when it was fetched", async () => {
    const form = new FormData();
    form.set("name", "hall");
    const rows = Buffer.from(Array.from({ length: 25 * 200 }, (_, at) => (at % 50 < 25 ? 0xf0 : 0x0f)));
    form.set("file", new Blob([Buffer.concat([Buffer.from("P4\n200 200\n"), rows])]), "hall.pbm");
    const image = (await (await operator.ask("POST", "/api/content-admin/images", form)).json()) as {
      id: number;
    };
    await operator.ask("POST", "/api/content-admin/assignments", {
      image_id: image.id,
      target: { kind: "device", name: ID },
    });
    expect((await fetch(`${stage.url}/api/content/${ID}`)).status).to.equal(200);
    await page.reload();
    const panel = page.getByRole("region", { name: "Panel" });
    await panel.getByRole("img", { name: "Picture hall" }).waitFor();
    await panel.getByText(/^hall, fetched/).waitFor();
    for (const colorScheme of ["light", "dark"] as const)
      for (const viewport of [{ width: 1280, height: 900 }, PHONE.viewport]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize(viewport);
        expect(await overflowOf(page)).to.equal(0);
        expect(await violationsOf(page), `${colorScheme} ${viewport.width}`).to.deep.equal([]);
        const { SHOTS } = process.env;
        if (SHOTS)
          await page.screenshot({
            path: `${SHOTS}/device-${colorScheme}-${viewport.width}.png`,
            fullPage: true,
          });
      }
    expect(operator.problems).to.deep.equal([]);
  });

  const check = () =>
    fetch(`${stage.url}/api/ota/check`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        ...{ device_id: ID, device_type: "cms", current_version: "1.0.0", current_build: 0 },
        ...{ temperature_c: 21, battery_percent: 80 },
      }),
    });

  /** Two days by the hour, with a gap of six hours. */
  function samples() {
    const end = Date.now() - (Date.now() % HOUR_MS);
    return Array.from({ length: 48 }, (_, at) => at)
      .filter((at) => at < 20 || at > 26)
      .map((at) => ({
        time: new Date(end - (47 - at) * HOUR_MS).toISOString(),
        temperature_c: at === 47 ? 21 : 21 + Math.round(3 * Math.sin(at / 4) * 10) / 10,
        humidity_percent: null,
        battery_percent: 100 - at / 2,
        rssi: -60 - (at % 5),
      }));
  }
});
