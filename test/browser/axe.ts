// axe-core in a page: what keeps people from reading or using it. It changes nothing on the page.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults, RunOptions } from "axe-core";
import type { Page } from "playwright-core";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** All that axe-core enables by default, and targets of at least 24 px, which WCAG 2.2 requires. */
const ALL: RunOptions = { rules: { "target-size": { enabled: true } } };
/** What another colour scheme can change. */
const COLOURS: RunOptions = { runOnly: { type: "rule", values: ["color-contrast", "link-in-text-block"] } };

/** One sentence per rule and element. @param which `colours`: only what depends on the colour scheme */
export async function violationsOf(page: Page, which: "all" | "colours" = "all"): Promise<readonly string[]> {
  await drawn(page);
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(SOURCE);
  const options = { resultTypes: ["violations" as const], ...(which === "all" ? ALL : COLOURS) };
  const { violations } = await page.evaluate((given): Promise<AxeResults> => {
    const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
    return axe.run(document, given);
  }, options);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(
      ({ html, failureSummary = "" }) => `${id}: ${html.slice(0, 160)} ${failureSummary.slice(0, 240)}`,
    ),
  );
}

/** What follows a change of the window's size is drawn in the frame after: its observers tell the components, which are then rendered again. */
const drawn = (page: Page): Promise<void> =>
  page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(() => resolve())));
      }),
  );
