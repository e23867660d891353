// What most tests of the server's pages begin with: a fleet, a browser, and in it the first administrator, who is signed in.

import type { BrowserContextOptions, Page } from "playwright-core";
import { becomeAdministrator, openBrowser, openPage, requireChromium } from "./browser.js";
import { type FleetStage, openFleetStage } from "./fleet-stage.js";

/** The screen of a small notebook. */
const SCREEN = Object.freeze({ viewport: Object.freeze({ width: 1280, height: 900 }) });
/** For one expectation; ten times what it takes. */
const PATIENCE_MS = 30_000;

export interface Operator {
  readonly stage: FleetStage;
  readonly page: Page;
  /** As in WatchedPage. */
  readonly problems: readonly string[];
  /** Calls the API as the local administrator. @param body a form is sent as it is, anything else as JSON */
  ask(method: string, path: string, body?: unknown): Promise<Response>;
  close(): Promise<void>;
}

interface OperatorOptions {
  /** Of the browser; a notebook's screen by default. */
  readonly screen?: BrowserContextOptions;
  /** Nobody is signed in, and the page is still blank. */
  readonly isSignedOut?: boolean;
  /** What is there before the first page is opened. */
  readonly prepare?: (stage: FleetStage) => Promise<unknown>;
}

/** Skips the calling suite where there is no browser. Call it in a `before`. */
export async function openOperator(context: Mocha.Context, options: OperatorOptions = {}): Promise<Operator> {
  requireChromium(context);
  const stage = await openFleetStage();
  await options.prepare?.(stage);
  const browser = await openBrowser();
  const { page, problems } = await openPage(browser, options.screen ?? SCREEN);
  page.setDefaultTimeout(PATIENCE_MS);
  if (!options.isSignedOut) await becomeAdministrator(page, stage.setupUrl);
  return {
    stage,
    page,
    problems,
    ask(method, path, body) {
      const isForm = body === undefined || body instanceof FormData;
      const headers = {
        authorization: `Bearer ${stage.adminToken}`,
        ...(isForm ? {} : { "content-type": "application/json" }),
      };
      return fetch(stage.url + path, {
        method,
        headers,
        ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
      });
    },
    async close() {
      await browser.close();
      await stage.close();
    },
  };
}
