// The status page's script in jsdom: its requests are answered by the real device (firmware/core/device.ts), and what it uploads is
// caught by a fake XMLHttpRequest. Time is moved by hand.

import { JSDOM } from "jsdom";
import { step } from "../../../firmware/core/device.js";
import { type DeviceState, initialDevice } from "../../../firmware/core/device-state.js";
import type { Effect } from "../../../firmware/core/effect.js";
import type { Booted, Event } from "../../../firmware/core/event.js";
import { statusPage } from "../../../firmware/portal/status-page.js";
import { BOOTED, stamped } from "../core/events.js";
import { computedOf } from "../core/hashes.js";
import { carriedOut, purposesOf } from "../core/saves.js";

export const HOST = "base-0000a1.local";
/** What each chosen image consists of. */
export const IMAGE_TEXT = "the image \u{fc}";
/** The owner's by default. */
export const TOKEN = "owner-token-1";

export interface Upload {
  method?: string;
  url?: string;
  readonly headers: Record<string, string>;
  readonly upload: { onprogress?: (event: { loaded: number; total: number }) => void };
  body?: unknown;
  status: number;
  responseText: string;
  onload?: () => void;
  onerror?: () => void;
}

/** A browser with the status page of one device. */
export class StatusBrowser {
  state: DeviceState = initialDevice;
  readonly done: Effect[] = [];
  readonly uploads: Upload[] = [];
  readonly errors: unknown[] = [];
  readonly questions: string[] = [];
  /** Headers and bodies of requests to its own port. */
  readonly sent: string[] = [];
  link: "up" | "down" = "up";
  nowMs = 0;
  /** Since the device's boot. */
  upMs = 61_000;
  #timers: { dueMs: number; action: () => void }[] = [];
  #dom: JSDOM | undefined;

  /** For a device that has an owner. */
  constructor(stored: Readonly<Record<string, string>> = {}, facts: Partial<Booted> = {}) {
    const all = { layout: "1", networks: '[["home","secret password"]]', "push.token": TOKEN, ...stored };
    this.on({ ...BOOTED, ...facts, statusPage, stored: all });
    if (all.networks === "[]") return;
    this.on({ type: "wifiJoined", attempt: 1, address: "192.168.1.20", rssi: -50 });
    this.on({ type: "serverReached" });
  }

  on(event: Event): readonly Effect[] {
    const [state, asked] = step(this.state, { ...stamped(event), at: this.upMs });
    this.state = state;
    const effects = carriedOut(asked) as Effect[];
    this.done.push(...effects);
    const computed = effects.flatMap((effect) => computedOf(effect) ?? []);
    return [
      ...effects,
      ...purposesOf(asked).flatMap((purpose) => this.on({ type: "saved", purpose })),
      ...computed.flatMap((one) => this.on(one)),
    ];
  }

  /** With the owner's token typed in. */
  async own(): Promise<this> {
    await this.open();
    return this.change("token", TOKEN);
  }

  async open(): Promise<this> {
    this.#dom = new JSDOM(statusPage, {
      url: `http://${HOST}/`,
      runScripts: "dangerously",
      beforeParse: (window) => {
        const uploads = this.uploads;
        window.addEventListener("error", (event) => this.errors.push(event.error ?? event.message));
        Object.assign(window, {
          fetch: (path: string, options: RequestInit) => this.#fetch(path, options),
          setTimeout: (action: () => void, delayMs: number) =>
            this.#timers.push({ dueMs: this.nowMs + delayMs, action }),
          setInterval: () => 0,
          confirm: (question: string) => this.questions.push(question) > 0,
          Response: class {
            readonly #file: { readonly bytes?: Uint8Array } | undefined;
            constructor(file?: { readonly bytes?: Uint8Array }) {
              this.#file = file;
            }
            text = async () => "eyJhbGciOiJFUzI1NiJ9.cGF5bG9hZA.c2ln\n";
            arrayBuffer = async () =>
              new Uint8Array(this.#file?.bytes ?? new TextEncoder().encode(IMAGE_TEXT)).buffer;
          },
          XMLHttpRequest: class implements Upload {
            readonly headers: Record<string, string> = {};
            readonly upload = {};
            status = 0;
            responseText = "";
            method?: string;
            url?: string;
            body?: unknown;
            constructor() {
              uploads.push(this);
            }
            open(method: string, url: string) {
              Object.assign(this, { method, url });
            }
            setRequestHeader(name: string, value: string) {
              this.headers[name] = value;
            }
            send(body: unknown) {
              this.body = body;
            }
          },
        });
        (window as unknown as { Date: { now(): number } }).Date.now = () => this.nowMs;
      },
    });
    await settle();
    return this;
  }

  async #fetch(path: string, { method, headers, body }: RequestInit): Promise<unknown> {
    if (this.link === "down") throw new TypeError("Failed to fetch");
    if (path.startsWith("http:")) return this.#askPush(new URL(path));
    this.sent.push(`${JSON.stringify(headers)} ${body}`);
    const given = headers as Record<string, string> | undefined;
    const effects = this.on({
      type: "requestReceived",
      connection: 1,
      method: method ?? "GET",
      path,
      host: HOST,
      origin: method === "POST" ? `http://${HOST}` : undefined,
      contentType: given?.["content-type"],
      authorization: given?.authorization,
      body: String(body ?? ""),
    });
    const asked = effects.find(({ type }) => type === "checkRollBack");
    const all = asked ? this.on({ type: "rollBackChecked", connection: 1, possible: false }) : effects;
    const answer = all.find((effect) => effect.type === "respond")!;
    const { status, headers: answered, body: text } = answer.response;
    return { status, headers: new Headers(answered), json: async () => JSON.parse(text) };
  }

  /** A request to the port of pushed images, as a page of the same host sends it. */
  #askPush({ host, hostname, pathname }: URL): unknown {
    const head = { method: "POST", path: pathname, headers: { host, origin: `http://${hostname}` } };
    const effects = this.on({ type: "pushRequested", connection: 2, head });
    const { status, headers } = effects.find((effect) => effect.type === "answerPush")!.response;
    return { status, headers: new Headers(headers) };
  }

  get document(): Document {
    return this.#dom!.window.document;
  }
  element<Kind extends HTMLElement = HTMLInputElement>(id: string): Kind {
    return this.document.getElementById(id) as Kind;
  }
  text(id: string): string {
    return this.element(id).textContent ?? "";
  }
  /** Moves the focus out of a field. */
  async change(id: string, value: string): Promise<this> {
    this.element(id).value = value;
    this.element(id).dispatchEvent(new this.document.defaultView!.Event("change"));
    await settle();
    return this;
  }
  async submit(
    form: "settings" | "upload" | "owner",
    values: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    for (const [id, value] of Object.entries(values)) this.element(id).value = value;
    this.document.querySelector<HTMLButtonElement>(`#${form} button:not([type=button])`)!.click();
    await settle();
  }
  choose(id: "authority" | "image" | "release", file: object): void {
    Object.defineProperty(this.element(id), "files", { value: [file], configurable: true });
  }
  async click(id: string): Promise<void> {
    this.element(id).click();
    await settle();
  }
  async advance(ms: number): Promise<void> {
    this.nowMs += ms;
    const due = this.#timers.filter(({ dueMs }) => dueMs <= this.nowMs);
    this.#timers = this.#timers.filter((timer) => !due.includes(timer));
    for (const { action } of due) action();
    await settle();
  }
  close(): void {
    this.#dom?.window.close();
  }
}

/** Waits until everything pending in the page has finished. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((next) => setImmediate(next));
}
