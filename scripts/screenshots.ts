// Regenerates the pictures of the README: `npx tsx scripts/screenshots.ts`, by hand, with a Chromium installed. Real pages of a virtual
// device and of a real server, in docs/images. They look slightly different with another computer's fonts.

import { mkdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { openBrowser, openPage, PHONE } from "../test/browser/browser.js";
import { openDashboardStage } from "../test/browser/dashboard-stage.js";
import { openFleetStage } from "../test/browser/fleet-stage.js";
import { openPortalStage, PROBE } from "../test/browser/portal-stage.js";

const FOLDER = join(dirname(dirname(fileURLToPath(import.meta.url))), "docs", "images");
const MAX_PICTURE_BYTES = 200 * 1024;
const DESK_SCREEN = { viewport: { width: 1240, height: 880 }, deviceScaleFactor: 1.25 };
const SPEED = 20;
/** Slow enough for a picture of a download, in bytes a second of the device's time. */
const SLOW_LINK = 6_000;
const PATIENCE_MS = 120_000;

await mkdir(FOLDER, { recursive: true });
await takePortal();
await takeSettings();
await takeDashboard();
await takeRollout();

async function takePortal(): Promise<void> {
  const stage = await openPortalStage({ speed: 4 });
  const browser = await openBrowser(stage.hosts);
  for (const colorScheme of ["light", "dark"] as const) {
    await visit(browser, PROBE, { ...PHONE, colorScheme }, async (page) => {
      await page.getByText(`${stage.visibleSsids.length} networks found`).waitFor({ state: "attached" });
      await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
      await shoot(page, colorScheme === "dark" ? "portal-dark" : "portal");
    });
  }
  await browser.close();
  stage.close();
}

/** The settings page of a new led device, which opens from its portal. */
async function takeSettings(): Promise<void> {
  const stage = await openPortalStage({ speed: 4, app: "led" });
  const browser = await openBrowser(stage.hosts);
  await visit(browser, "http://192.168.4.1/settings", PHONE, async (page) => {
    await page.getByLabel("Pattern").selectOption("Chase");
    await page.locator("#app-say").getByText("Saved.").waitFor();
    await page.locator("#app").evaluate((section) => section.scrollIntoView());
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    await shoot(page, "settings");
  });
  await browser.close();
  stage.close();
}

/** One device whose first update was rolled back and whose second is validated, and one that is downloading. */
async function takeDashboard(): Promise<void> {
  const stage = await openDashboardStage({ speed: SPEED, releases: [["throws-later.ts", "1.1.0"]] });
  const browser = await openBrowser();
  await stage.powerOn({ seed: 1 });
  await visit(browser, stage.url, DESK_SCREEN, async (page) => {
    await page
      .locator(".log")
      .getByText(/ROLLED_BACK/)
      .first()
      .waitFor();
    await stage.release("base", "1.1.1");
    await page.getByRole("region", { name: "Update to 1.1.1: success" }).waitFor();
    await stage.powerOn({ seed: 2, policyOf: () => ({ bytesPerSecond: SLOW_LINK }) });
    await page.waitForFunction(() => {
      const bar = document.querySelector("progress");
      return bar !== null && bar.value > 0.4 * bar.max;
    });
    await shoot(page, "dashboard");
    await visit(browser, stage.url, PHONE, async (phone) => {
      await phone.getByRole("article").first().waitFor();
      await shoot(phone, "dashboard-phone");
    });
  });
  await browser.close();
  await stage.close();
}

/** A rollout that has paused by itself in its second stage, and the list of devices on a phone. */
async function takeRollout(): Promise<void> {
  const stage = await openFleetStage();
  let isBroken = false;
  let endedCount = 0;
  await stage.register(120, () => (isBroken && endedCount++ % 3 === 0 ? "roll back" : "validate"));
  const ask = async (path: string, body: string | FormData): Promise<{ readonly id: number }> => {
    const headers = {
      authorization: `Bearer ${stage.adminToken}`,
      ...(typeof body === "string" ? { "content-type": "application/json" } : {}),
    };
    const answer = await fetch(stage.url + path, { method: "POST", headers, body });
    if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as { readonly id: number };
  };
  const form = new FormData();
  const { release, image } = await stage.signed("1.1.0");
  form.set("release", release);
  form.set("is_stable", "false");
  form.set("file", new Blob([new Uint8Array(image)]), "base-1.1.0.bin");
  const firmware = await ask("/api/ota/admin/upload", form);
  const stages = [25, 60, 100].map((percent) => ({
    percent,
    soak_seconds: 0,
    min_validated: percent === 25 ? 5 : 20,
  }));
  const { id } = await ask(
    "/api/rollouts",
    JSON.stringify({ firmware_id: firmware.id, name: "Spring release", stages }),
  );
  await ask(`/api/rollouts/${id}/start`, "{}");
  await stage.act(4);
  isBroken = true;
  await stage.act(4);
  const browser = await openBrowser();
  await visit(browser, stage.setupUrl, DESK_SCREEN, async (page) => {
    await page.getByLabel("Name").fill("ada");
    await page.getByLabel("New password").fill("correct horse battery");
    await page.getByRole("button", { name: "Create administrator" }).click();
    await page.getByRole("heading", { name: "Rollouts" }).waitFor();
    await page.goto(`${stage.url}/ota-management/rollouts/${id}`);
    await page.getByRole("listitem", { name: /^Stage 60 %/ }).waitFor();
    await page.getByText("live", { exact: true }).waitFor();
    await page.getByText("ROLLED_BACK").first().waitFor();
    await shoot(page, "rollout");
    await page.setViewportSize(PHONE.viewport);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.goto(`${stage.url}/ota-management`);
    await page.getByRole("listitem", { name: /^Stage 60 %/ }).waitFor();
    await page.getByText("live", { exact: true }).waitFor();
    await shoot(page, "updates-phone");
  });
  await browser.close();
  await stage.close();
}

async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions,
  look: (page: Page) => Promise<void>,
): Promise<void> {
  const { page, close } = await openPage(browser, {
    colorScheme: "light",
    reducedMotion: "reduce",
    ...options,
  });
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(url);
  await look(page);
  await close();
}

async function shoot(page: Page, name: string): Promise<void> {
  const path = join(FOLDER, `${name}.png`);
  await page.screenshot({ path, animations: "disabled" });
  const { size } = await stat(path);
  const isTooLarge = size > MAX_PICTURE_BYTES;
  console.log(`${name}.png ${Math.round(size / 1024)} KiB${isTooLarge ? ", that is too large" : ""}`);
  if (isTooLarge) process.exitCode = 1;
}
