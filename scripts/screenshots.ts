// Walks two journeys in a real browser, against real servers, and writes the pictures of the README: `npm run screenshots`, or with the
// names of some of them. By hand, with a Chromium installed: they look slightly different with another computer's fonts. It ends with an
// error where a step cannot be taken.
//
//   portal     the setup page of a device, on a phone
//   newcomer   an empty folder, the commands that the first page shows, a virtual device that has updated itself
//   operator   a fleet of 120: plan, start, a pause by the gate, resume, finish, and a device that is removed

import { mkdir, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { becomeAdministrator, openBrowser, openPage, PHONE } from "../test/browser/browser.js";
import { openFleetStage } from "../test/browser/fleet-stage.js";
import { openNewcomer, takeFirstSteps } from "../test/browser/newcomer.js";
import { openPortalStage, PROBE } from "../test/browser/portal-stage.js";

const FOLDER = join(dirname(dirname(fileURLToPath(import.meta.url))), "docs", "images");
const MAX_PICTURE_BYTES = 200 * 1024;
/** Of all together: who clones the repository has them. */
const MAX_SET_BYTES = 700 * 1024;
const DESK_SCREEN = { viewport: { width: 1240, height: 1000 }, deviceScaleFactor: 1.2 };
/** Of the newcomer's device: slow enough for a picture of a download. */
const SPEED = 6;
const PATIENCE_MS = 120_000;
const FLEET_COUNT = 120;
/** More than a gate of 2 % lets pass, and fewer than the tenth of a stage that may fail. */
const BROKEN_COUNT = 3;
/** So many turns of every device are enough for each part of a rollout. */
const MAX_TURN_COUNT = 40;

await mkdir(FOLDER, { recursive: true });
const journeys = { portal: takePortal, newcomer: walkAsNewcomer, operator: walkAsOperator };
const asked = process.argv.slice(2);
for (const [name, take] of Object.entries(journeys))
  if (asked.length === 0 || asked.includes(name)) await take();
await weigh();

async function takePortal(): Promise<void> {
  const stage = await openPortalStage({ speed: 4 });
  const browser = await openBrowser(stage.hosts);
  await visit(browser, PROBE, PHONE, async (page) => {
    await page.getByText(`${stage.visibleSsids.length} networks found`).waitFor({ state: "attached" });
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    await shoot(page, "portal");
  });
  await browser.close();
  stage.close();
}

async function walkAsNewcomer(): Promise<void> {
  const newcomer = await openNewcomer();
  const browser = await openBrowser();
  await visit(browser, newcomer.setupUrl, DESK_SCREEN, async (page) => {
    await takeFirstSteps(newcomer, page, { speed: SPEED, look: () => shoot(page, "first-steps") });
    await page.goto(newcomer.url);
    await page.getByRole("region", { name: /^Update to 1\.1\.0/ }).waitFor();
    await shoot(page, "dashboard");
    await page.getByRole("region", { name: "Update to 1.1.0: success" }).waitFor();
    console.log("newcomer: a virtual device has updated itself");
  });
  await browser.close();
  await newcomer.close();
}

async function walkAsOperator(): Promise<void> {
  const stage = await openFleetStage();
  let brokenCount = 0;
  await stage.register(FLEET_COUNT, () => (brokenCount > 0 && brokenCount-- > 0 ? "roll back" : "validate"));
  await stage.upload("1.1.0");
  const browser = await openBrowser();
  await visit(browser, stage.setupUrl, DESK_SCREEN, async (page) => {
    await becomeAdministrator(page, stage.setupUrl);
    await planAndStart(page, stage.url);
    const state = (name: string) => page.getByText(name, { exact: true });
    const actUntil = async (isThere: () => Promise<boolean>) => {
      for (let turn = 0; !(await isThere()); turn++) {
        if (turn === MAX_TURN_COUNT) throw new Error(`nothing more happened in ${turn} turns of all devices`);
        await stage.act();
      }
    };
    await actUntil(() => page.getByRole("listitem", { name: /^Stage 10 %: done/ }).isVisible());
    brokenCount = BROKEN_COUNT;
    await actUntil(() => state("paused").isVisible());
    await page.getByText("ROLLED_BACK").first().waitFor();
    await shoot(page, "rollout");
    await confirm(page, "Resume");
    await actUntil(() => state("finished").isVisible());
    await page.goto(`${stage.url}/devices/base-000001`);
    await confirm(page, "Remove");
    await page.getByRole("heading", { name: "Removed devices" }).waitFor();
    console.log("operator: the rollout has finished, and a device was removed");
  });
  await browser.close();
  await stage.close();
}

/** In careful stages that do not wait for an hour. */
async function planAndStart(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/ota-management`);
  await page
    .getByRole("row", { name: /base 1\.1\.0/ })
    .getByRole("link", { name: "Roll out" })
    .click();
  await page.getByLabel("Name").fill("Spring release");
  await page.getByLabel("Pace").selectOption("Careful");
  await page.getByText("Advanced: stages").click();
  for (const soak of await page.getByLabel("Soak time (min)").all()) await soak.fill("0");
  await page.getByRole("button", { name: "Show the plan" }).click();
  const plan = page.getByRole("region", { name: "The plan" });
  await plan.getByText(`${FLEET_COUNT} devices`, { exact: true }).waitFor();
  await plan.getByRole("button", { name: "Start" }).click();
  await page.getByText("running", { exact: true }).waitFor();
  await page.getByText("live", { exact: true }).waitFor();
}

async function confirm(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name, exact: true }).click();
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

async function weigh(): Promise<void> {
  const sizes = await Promise.all(
    (await readdir(FOLDER)).map(async (name) => (await stat(join(FOLDER, name))).size),
  );
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`all ${sizes.length}: ${Math.round(bytes / 1024)} KiB`);
  if (bytes > MAX_SET_BYTES) throw new Error(`at most ${MAX_SET_BYTES / 1024} KiB are wanted`);
}
