// Chromium for the tests of pages and for the screenshots: headless, cut off from every network but this computer's loopback, and
// watched for every error that a page reports.

import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { findChromium, NO_CHROMIUM } from "./find-chromium.js";

/** An ordinary phone, held upright. */
export const PHONE = Object.freeze({
  viewport: Object.freeze({ width: 390, height: 844 }),
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
});

/** The first start on a cold, busy machine is slow. */
const LAUNCH_TIMEOUT_MS = 60_000;

/** The loopback port to which `host:80` is mapped. */
export type Hosts = Readonly<Record<string, number>>;

/** Skips the calling suite, and says why, where there is no browser. Call it in a `before`. */
export function requireChromium(context: Mocha.Context): void {
  if (findChromium() !== undefined) return;
  console.log(`      skipped: ${NO_CHROMIUM}`);
  context.skip();
}

/** This browser resolves only the names in `hosts`, like a phone in a setup network. */
export async function openBrowser(hosts: Hosts = {}): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(NO_CHROMIUM);
  const rules = Object.entries(hosts).map(([host, port]) => `MAP ${host} 127.0.0.1:${port}`);
  return chromium.launch({
    executablePath,
    timeout: LAUNCH_TIMEOUT_MS,
    args: [
      `--host-resolver-rules=${[...rules, "MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1", "EXCLUDE localhost"].join(", ")}`,
      "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable",
      "--disable-lcd-text",
    ],
  });
}

export interface WatchedPage {
  readonly page: Page;
  /** Uncaught errors, violations of the content security policy, and other errors on the console. */
  readonly problems: string[];
  close(): Promise<void>;
}

/** A page in a separate browser profile. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(`uncaught ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning")
      problems.push(`${message.type()} ${message.text()} at ${message.location().url}`);
  });
  await page.exposeFunction("reportViolation", (text: string) => problems.push(`policy: ${text}`));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
      const { reportViolation } = globalThis as unknown as { reportViolation: (text: string) => void };
      reportViolation(`${violatedDirective} forbids ${blockedURI}`);
    });
  });
  return { page, problems, close: () => context.close() };
}

/** Pixels by which a page is wider than its window. */
export const overflowOf = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Becomes the first administrator, `ada`, by the link that a new server prints. */
export async function becomeAdministrator(page: Page, setupUrl: string): Promise<void> {
  await page.goto(setupUrl);
  await page.getByLabel("Name").fill("ada");
  await page.getByLabel("New password").fill("correct horse battery");
  await page.getByRole("button", { name: "Create administrator" }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
}
