// A phone's browser that shows the setup page: jsdom with a clock moved by hand, whose requests are answered by the real portal
// (firmware/core/wifi/portal.ts) and the real API of the device beside it (local/api.ts). Nothing waits in real time; the radio link can be cut.

import { JSDOM } from "jsdom";
import type { Effect } from "../../../firmware/core/effect.js";
import type { Event, Network, Raise } from "../../../firmware/core/event.js";
import { localApiStep, takesRequest } from "../../../firmware/core/local/api.js";
import { initialLocalApi, type LocalApiState } from "../../../firmware/core/local/api-state.js";
import { initialPortal, portalStep } from "../../../firmware/core/wifi/portal.js";
import type { PortalState } from "../../../firmware/core/wifi/portal-state.js";
import { setupPage } from "../../../firmware/portal/setup-page.js";
import { BOOTED } from "../core/events.js";
import { carriedOut, purposesOf } from "../core/saves.js";

/** A secured network on channel 1. */
export const network = (ssid: string, rssi: number, secured = true): Network => ({
  ssid,
  rssi,
  secured,
  channel: 1,
  bssid: "02:00:00:00:00:01",
});

/** What a scan at home finds. */
export const HOME: readonly Network[] = [
  network("home", -50),
  network("café", -60, false),
  network("far", -80),
];

interface Timer {
  readonly id: number;
  readonly dueMs: number;
  readonly action: () => void;
}

interface Options {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface PortalRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

export class PhoneBrowser {
  portal: PortalState = initialPortal({
    deviceName: "Lamp",
    type: "led",
    version: "1.2.3",
    deviceId: "led-a1b2c3",
    page: setupPage,
  });
  local: LocalApiState = initialLocalApi;
  /** Events that the portal raised, but for what it tells of the device as it starts. */
  readonly raised: Event[] = [];
  readonly requests: PortalRequest[] = [];
  readonly errors: unknown[] = [];
  /** `down`: requests fail at once. `deaf`: they arrive, the answers are lost. */
  link: "up" | "down" | "deaf" = "up";
  #dom: JSDOM | undefined;
  #nowMs = 0;
  #timers: Timer[] = [];
  #timerCount = 0;

  /** The device starts, from what it has stored. */
  constructor(stored: Readonly<Record<string, string>> = {}) {
    const identity = { ...BOOTED.identity, deviceId: "led-a1b2c3" };
    this.send({ ...BOOTED, identity, resetReason: "software", stored: { layout: "1", ...stored } });
  }

  /** Loads the page and lets its first requests settle. */
  async open(): Promise<void> {
    this.#dom = new JSDOM(setupPage, {
      url: "http://192.168.4.1/",
      runScripts: "dangerously",
      beforeParse: (window) => {
        window.addEventListener("error", (event) => this.errors.push(event.error ?? event.message));
        Object.assign(window, {
          scrollTo: () => undefined,
          Response: class {
            readonly #file: { readonly bytes: Uint8Array };
            constructor(file: { readonly bytes: Uint8Array }) {
              this.#file = file;
            }
            arrayBuffer = async () => new Uint8Array(this.#file.bytes).buffer;
          },
          fetch: (path: string, options: Options) => this.#fetch(path, options),
          setTimeout: (action: () => void, delayMs: number) => this.#setTimeout(action, delayMs),
          clearTimeout: (id: number) => {
            this.#timers = this.#timers.filter((timer) => timer.id !== id);
          },
        });
      },
    });
    await settle();
  }

  /** Like open, after the scan. */
  async opened(networks: readonly Network[] = HOME): Promise<void> {
    this.scanned(networks);
    await this.open();
  }

  close(): void {
    this.#dom?.window.close();
  }

  send(event: Event): readonly (Effect | Raise)[] {
    const stamped = { ...event, at: this.#nowMs, random: 0, freeHeapBytes: 0 };
    const isLocal = stamped.type === "requestReceived" && takesRequest(this.local, stamped);
    const [portal, portalEffects] = isLocal ? [this.portal, []] : portalStep(this.portal, stamped);
    const [local, localEffects] = localApiStep(this.local, stamped);
    this.portal = portal;
    this.local = local;
    const effects = carriedOut([...portalEffects, ...localEffects]);
    for (const effect of effects)
      if (effect.type === "raise" && effect.event.type !== "abilitiesChanged") this.raised.push(effect.event);
    return [
      ...effects,
      ...purposesOf(localEffects).flatMap((purpose) => this.send({ type: "saved", purpose })),
    ];
  }

  scanned(networks: readonly Network[]): void {
    this.send({ type: "scanCompleted", attempt: this.portal.scanAttempt, networks });
  }

  /** Moves the page's clock; each timer that is due runs, and what follows from it settles. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    for (;;) {
      const next = this.#timers
        .filter(({ dueMs }) => dueMs <= endMs)
        .sort((a, b) => a.dueMs - b.dueMs || a.id - b.id)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = next.dueMs;
      next.action();
      await settle();
    }
    this.#nowMs = endMs;
  }

  get document(): Document {
    if (!this.#dom) throw new Error("the page is not open");
    return this.#dom.window.document;
  }

  element<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
    const found = this.document.getElementById(id);
    if (!found) throw new Error(`the page has no element "${id}"`);
    return found as Kind;
  }

  input(id: string): HTMLInputElement {
    return this.element<HTMLInputElement>(id);
  }

  text(id: string): string {
    return this.element(id).textContent ?? "";
  }

  /** The view that is shown. */
  view(): string {
    const shown = ["choose", "enter", "progress", "done"].filter((id) => !this.element(id).hidden);
    return shown.join("+");
  }

  rows(): HTMLButtonElement[] {
    return [...this.document.querySelectorAll<HTMLButtonElement>("#list button")];
  }

  async click(target: string | HTMLElement): Promise<void> {
    (typeof target === "string" ? this.element(target) : target).click();
    await settle();
  }

  /** Fills the form in and sends it, as a finger on its button does. */
  async submit(values: {
    readonly ssid?: string;
    readonly password?: string;
    readonly owner?: string;
    readonly "device-name"?: string;
    readonly "authority-text"?: string;
  }): Promise<void> {
    for (const [id, value] of Object.entries(values)) this.input(id).value = value;
    const button = this.document.querySelector<HTMLButtonElement>("#form .main");
    button?.click();
    await settle();
  }

  choose(id: "authority", bytes?: Uint8Array): void {
    Object.defineProperty(this.element(id), "files", { value: bytes ? [{ bytes }] : [], configurable: true });
  }

  async #fetch(path: string, options: Options): Promise<unknown> {
    if (this.link === "down") throw new TypeError("Failed to fetch");
    const request = { method: options.method, path, body: options.body ?? "" };
    this.requests.push(request);
    const contentType = options.headers["content-type"];
    const from = { connection: 1, host: "192.168.4.1", contentType };
    const effects = this.send({ type: "requestReceived", ...from, ...request });
    const answer = effects.find((effect) => effect.type === "respond");
    if (!answer) throw new Error(`the portal did not answer ${request.method} ${path}`);
    if (this.link === "deaf") throw new TypeError("Load failed");
    const { status, headers, body } = answer.response;
    return { status, headers: new Headers(headers), json: async () => JSON.parse(body) };
  }

  #setTimeout(action: () => void, delayMs: number): number {
    const id = ++this.#timerCount;
    this.#timers.push({ id, dueMs: this.#nowMs + delayMs, action });
    return id;
  }
}

/** Lets promise jobs and jsdom's own tasks run out. */
async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((done) => setImmediate(done));
}
