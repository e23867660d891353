// The status page's script in jsdom: its requests are answered by the real device (firmware/core/device.ts), and what it uploads is
// caught by a fake XMLHttpRequest. Time is moved by hand.

import { expect } from "chai";
import { JSDOM } from "jsdom";
import { type DeviceState, initialDevice, step } from "../../../firmware/core/device.js";
import type { Effect } from "../../../firmware/core/effect.js";
import type { Booted, Event } from "../../../firmware/core/event.js";
import { ledSection } from "../../../firmware/core/led-settings.js";
import { statusPage } from "../../../firmware/portal/status-page.js";
import {
  LED_STRINGS,
  PART_STRINGS,
  STATUS_SCRIPT_STRINGS,
  STATUS_STRINGS,
} from "../../../firmware/portal/strings.js";
import { BOOTED, stamped } from "../core/events.js";

const HOST = "base-0000a1.local";
const TOKEN = "owner-token-1";
const SECTION = ledSection({ chip: "esp32", statusPin: 2 }, LED_STRINGS);

interface Upload {
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

class Browser {
  state: DeviceState = initialDevice;
  readonly done: Effect[] = [];
  readonly uploads: Upload[] = [];
  readonly errors: unknown[] = [];
  readonly questions: string[] = [];
  link: "up" | "down" = "up";
  nowMs = 0;
  /** Since the device's boot. */
  upMs = 61_000;
  #timers: { dueMs: number; action: () => void }[] = [];
  #dom: JSDOM | undefined;

  /** Of a device that has an owner. */
  constructor(stored: Readonly<Record<string, string>> = {}, facts: Partial<Booted> = {}) {
    const all = { layout: "1", networks: '[["home","secret password"]]', "push.token": TOKEN, ...stored };
    this.on({ ...BOOTED, ...facts, statusPage, stored: all });
    if (all.networks === "[]") return;
    this.on({ type: "wifiJoined", attempt: 1, address: "192.168.1.20", rssi: -50 });
    this.on({ type: "serverReached" });
  }

  on(event: Event): readonly Effect[] {
    const [state, effects] = step(this.state, { ...stamped(event), at: this.upMs });
    this.state = state;
    this.done.push(...effects);
    return effects;
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
            text = async () => "eyJhbGciOiJFUzI1NiJ9.cGF5bG9hZA.c2ln\n";
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
    return { status: answer.response.status, json: async () => JSON.parse(answer.response.body) };
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
  /** A finger leaves a field. */
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
  choose(id: "image" | "release", file: object): void {
    Object.defineProperty(this.element(id), "files", { value: [file] });
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

async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((next) => setImmediate(next));
}

describe("the status page", () => {
  let browser: Browser;
  afterEach(() => {
    browser.close();
    expect(browser.errors).deep.equal([]);
  });

  it("is one ASCII text of at most 20 KB that loads nothing", async () => {
    browser = new Browser();
    expect(statusPage).match(/^[\n -~]+$/);
    expect(statusPage.length).at.most(20_000);
    expect(statusPage).not.match(/\b(src|href)=(?!"data:|"\/")|@import|url\(/);
  });

  it("labels every field, and names no password of the device", async () => {
    browser = await new Browser({}, { section: SECTION }).open();
    for (const input of browser.document.querySelectorAll("input,select"))
      expect(browser.document.querySelector(`label[for="${input.id}"]`), input.id).not.equal(null);
    expect(browser.document.documentElement.outerHTML).not.match(/secret password|owner-token-1/);
  });

  it("shows how the device fares, and its settings", async () => {
    browser = await new Browser({ "device.name": "<b>Hall</b>" }).open();
    expect(browser.text("title")).equal("<b>Hall</b>");
    expect(browser.text("facts"))
      .include("base 1.0.0")
      .include("192.168.1.20 (-50 dBm)")
      .include("61 s")
      .include("98 KB");
    expect(browser.text("facts")).include(STATUS_SCRIPT_STRINGS.states.ok);
    expect(browser.element("server").value).equal(BOOTED.build.server);
    expect(browser.element("seconds").value).equal("120");
    expect(browser.text("alert")).equal("");
  });

  it("says so when the device does not answer, and when it is in safe mode", async () => {
    browser = new Browser();
    browser.link = "down";
    await browser.open();
    expect(browser.text("alert")).equal(STATUS_SCRIPT_STRINGS.unreachable);
    browser.close();
    browser = await new Browser({ unhealthy: "5" }).open();
    expect(browser.text("alert")).match(/^Safe mode: .* 5 times/);
  });

  it("saves only what was changed, and says why something is refused", async () => {
    browser = await new Browser().own();
    await browser.submit("settings", { name: "Lamp", seconds: "5" });
    expect(browser.text("settings-say")).match(/10 to 86400 seconds/);
    browser.done.length = 0;
    await browser.submit("settings", { seconds: "120" });
    expect(browser.done.flatMap((effect) => (effect.type === "store" ? [effect.key] : []))).deep.equal([
      "device.name",
    ]);
    expect(browser.text("settings-say")).equal(STATUS_SCRIPT_STRINGS.saved);
    expect(browser.text("title")).equal("Lamp");
  });

  it("sends the token that is entered, and asks for it when it is missing", async () => {
    browser = await new Browser().open();
    await browser.submit("settings", { name: "Lamp" });
    expect(browser.text("settings-say")).equal(STATUS_SCRIPT_STRINGS.needToken);
    await browser.submit("settings", { token: "owner-token-1" });
    expect(browser.text("settings-say")).equal(STATUS_SCRIPT_STRINGS.saved);
  });

  describe("with a firmware file", () => {
    const IMAGE = Object.freeze({ name: "base.bin", size: 200_000 });

    async function sending(): Promise<Upload> {
      browser = await new Browser().open();
      browser.choose("image", IMAGE);
      browser.choose("release", { name: "base.jws" });
      await browser.submit("upload", { token: "owner-token-1" });
      return browser.uploads[0]!;
    }

    it("asks for one", async () => {
      browser = await new Browser().open();
      await browser.submit("upload");
      expect(browser.text("ota-say")).equal(STATUS_SCRIPT_STRINGS.noFile);
      expect(browser.uploads).deep.equal([]);
    });

    it("sends it to the push port with token and release", async () => {
      const upload = await sending();
      expect(upload).include({ method: "POST", url: `http://${HOST}:3232/update`, body: IMAGE });
      expect(upload.headers).deep.equal({
        "content-type": "application/octet-stream",
        "x-skyslot-release": "eyJhbGciOiJFUzI1NiJ9.cGF5bG9hZA.c2ln",
        authorization: "Bearer owner-token-1",
      });
      expect(browser.element<HTMLButtonElement>("send").disabled).equal(true);
    });

    it("shows how far it is and how long it still takes", async () => {
      const upload = await sending();
      browser.nowMs += 10_000;
      upload.upload.onprogress!({ loaded: 50_000, total: 200_000 });
      expect(browser.text("ota-say")).equal("25 % sent, 30 s left");
      expect(browser.element<HTMLProgressElement>("bar").value).equal(25);
      upload.upload.onprogress!({ loaded: 200_000, total: 200_000 });
      expect(browser.text("ota-say")).equal(STATUS_SCRIPT_STRINGS.checking);
    });

    it("waits for the device to come back with the new version", async () => {
      const upload = await sending();
      Object.assign(upload, { status: 200, responseText: "{}" }).onload!();
      expect(browser.text("ota-say")).equal(STATUS_SCRIPT_STRINGS.installed);
      browser.link = "down";
      await browser.advance(3_000);
      browser.link = "up";
      await browser.advance(3_000);
      expect(browser.text("ota-say")).equal("The device is back, version 1.0.0.");
      expect(browser.element<HTMLButtonElement>("send").disabled).equal(false);
    });

    it("says why the device refused it", async () => {
      const upload = await sending();
      const responseText = '{"code":"WRONG_CHIP","message":"image is for esp32c3, device is esp32"}';
      Object.assign(upload, { status: 500, responseText }).onload!();
      expect(browser.text("ota-say")).equal("image is for esp32c3, device is esp32");
      expect(browser.element<HTMLButtonElement>("send").disabled).equal(false);
    });

    it("says so when the connection breaks", async () => {
      const upload = await sending();
      upload.onerror!();
      expect(browser.text("ota-say")).equal(STATUS_SCRIPT_STRINGS.broken);
    });
  });

  it("asks before it rolls back or restarts", async () => {
    browser = await new Browser().own();
    await browser.click("rollback");
    expect(browser.text("ota-say")).equal("There is no other image to go back to.");
    await browser.click("restart");
    expect(browser.text("device-say")).equal(STATUS_SCRIPT_STRINGS.restarting);
    expect(browser.state.localApi.leaving).equal("restart");
    expect(browser.questions.length).equal(2);
  });

  describe("the reset", () => {
    it("is asked twice, and done then", async () => {
      browser = await new Browser().own();
      expect(browser.element("ask").hidden).equal(true);
      await browser.click("reset");
      expect(browser.text("ask-text")).equal(STATUS_SCRIPT_STRINGS.resetAsk);
      expect(browser.document.activeElement?.id).equal("ask-text");
      await browser.click("ask-yes");
      expect(browser.text("ask-text")).equal(STATUS_SCRIPT_STRINGS.resetSure);
      expect(browser.state.localApi.leaving).equal("no");
      await browser.click("ask-yes");
      expect(browser.state.localApi.leaving).equal("reset");
      expect(browser.text("reset-say")).equal(STATUS_SCRIPT_STRINGS.resetDone);
    });

    it("can be left at either question, and begins with the first again", async () => {
      browser = await new Browser().own();
      for (const yeses of [0, 1]) {
        await browser.click("reset");
        for (let i = 0; i < yeses; i++) await browser.click("ask-yes");
        await browser.click("ask-no");
        expect(browser.element("ask").hidden).equal(true);
      }
      await browser.click("reset");
      await browser.click("ask-yes");
      expect(browser.state.localApi.leaving).equal("no");
    });

    it("says why it is refused", async () => {
      browser = await new Browser().open();
      await browser.click("reset");
      await browser.click("ask-yes");
      await browser.click("ask-yes");
      expect(browser.text("reset-say")).match(/needs the owner's token/);
      expect(browser.state.localApi.leaving).equal("no");
    });
  });

  describe("the owner's token", () => {
    const unowned = { "push.token": undefined as unknown as string };
    const shown = (id: string) => !browser.element(id).hidden;

    it("is asked for where there is one, and can be changed", async () => {
      browser = await new Browser().own();
      expect([shown("token-part"), shown("new-part"), browser.text("owner-why")]).deep.equal([
        true,
        true,
        "",
      ]);
      expect(browser.element("new-token").value).equal("");
      await browser.submit("owner", { "new-token": "another-token-2" });
      expect(browser.state.push.token).equal("another-token-2");
      expect(browser.text("owner-say")).include("another-token-2");
      expect(browser.element("token").value).equal("another-token-2");
      await browser.submit("settings", { name: "Lamp" });
      expect(browser.text("settings-say")).equal(STATUS_SCRIPT_STRINGS.saved);
    });

    it("is not changed by who does not know it", async () => {
      browser = await new Browser().open();
      await browser.submit("owner", { "new-token": "another-token-2" });
      expect(browser.text("owner-say")).equal(STATUS_SCRIPT_STRINGS.needToken);
      expect(browser.state.push.token).equal(TOKEN);
    });

    it("is suggested on a device that was just plugged in and has none", async () => {
      browser = await new Browser(unowned).open();
      expect(browser.text("owner-why")).include("within 9 min");
      expect([shown("token-part"), shown("new-part")]).deep.equal([false, true]);
      const suggested = browser.element("new-token").value;
      expect(suggested).match(/^[a-z2-9]{4}(-[a-z2-9]{4}){2}$/);
      await browser.submit("owner");
      expect(browser.state.push.token).equal(suggested);
      expect([shown("token-part"), browser.text("owner-why")]).deep.equal([true, ""]);
    });

    it("cannot be set later, and the page says what to do", async () => {
      browser = new Browser(unowned);
      browser.upMs = 600_000;
      await browser.open();
      expect(browser.text("owner-why")).equal(STATUS_SCRIPT_STRINGS.noOwner);
      expect([shown("token-part"), shown("new-part")]).deep.equal([false, false]);
      await browser.submit("settings", { name: "Lamp" });
      expect(browser.text("settings-say")).match(/plug it in again/);
    });

    it("belongs to the setup page in the setup network", async () => {
      browser = await new Browser({ ...unowned, networks: "[]" }).open();
      expect([shown("setup"), shown("ota"), shown("new-part")]).deep.equal([true, false, false]);
      expect(browser.text("owner-why")).equal(STATUS_SCRIPT_STRINGS.setupToken);
      await browser.submit("settings", { name: "Lamp" });
      expect(browser.text("settings-say")).equal(STATUS_SCRIPT_STRINGS.saved);
    });
  });

  it("switches unsigned local updates on only when the owner says so, and says what that means", async () => {
    browser = await new Browser().own();
    const box = browser.element("unsigned");
    expect(box.checked).equal(false);
    expect(browser.text("unsigned-hint")).match(/whoever has the token can install anything/);
    box.checked = true;
    await browser.submit("settings");
    expect(browser.state.push.acceptUnsigned).equal(true);
    await browser.submit("settings", { name: "Lamp" });
    expect(browser.state.push.acceptUnsigned).equal(true);
  });

  describe("the saved networks", () => {
    const networks = '[["home","secret password"],["<b>work</b>","b"],["garden","c"]]';
    const rows = () => [...browser.document.querySelectorAll<HTMLElement>("#saved li")];

    it("are shown to the owner only, the last used first", async () => {
      browser = await new Browser({ networks }).open();
      expect(rows().length).equal(0);
      expect(browser.text("saved-hint")).equal(STATUS_SCRIPT_STRINGS.needToken);
      await browser.change("token", TOKEN);
      expect(rows().map((row) => row.firstChild?.textContent)).deep.equal(["home", "<b>work</b>", "garden"]);
      expect(rows().map((row) => row.lastChild?.textContent)).deep.equal(["in use", "Remove", "Remove"]);
    });

    it("are removed one by one, after a second press", async () => {
      browser = await new Browser({ networks }).own();
      const button = () => rows()[1]!.querySelector("button")!;
      expect(button().getAttribute("aria-label")).equal("Remove <b>work</b>");
      button().click();
      await settle();
      expect(button().textContent).equal(STATUS_SCRIPT_STRINGS.removeSure);
      expect(rows().length).equal(3);
      button().click();
      await settle();
      expect(rows().map((row) => row.firstChild?.textContent)).deep.equal(["home", "garden"]);
      expect(browser.state.wifi.preferences?.networks.map(({ ssid }) => ssid)).deep.equal(["home", "garden"]);
    });
  });

  describe("the app's settings", () => {
    it("are not there where the app has none", async () => {
      browser = await new Browser().open();
      expect(browser.element("app").hidden).equal(true);
    });

    it("are drawn from what the app describes, with their values", async () => {
      browser = await new Browser({ led: '{"pattern":"chase","count":30}' }, { section: SECTION }).own();
      expect(browser.text("app-title")).equal(LED_STRINGS.title);
      const fields = [
        ...browser.document.querySelectorAll<HTMLInputElement>("#app-fields input,#app-fields select"),
      ];
      expect(fields.map(({ id, type }) => `${id} ${type}`)).deep.equal([
        "app-pattern select-one",
        "app-colour color",
        "app-brightness range",
        "app-speed number",
        "app-count number",
        "app-pin select-one",
      ]);
      expect(fields.map(({ value }) => value)).deep.equal(["Chase", "#ffffff", "25", "10", "30", "0"]);
      expect(browser.element("app-count").min + browser.element("app-count").max).equal("1300");
    });

    it("count as soon as a field is left, each by itself and as what it is", async () => {
      browser = await new Browser({}, { section: SECTION }).own();
      for (const [id, value] of [
        ["pattern", "Rainbow"],
        ["colour", "#0000ff"],
        ["brightness", "70"],
        ["count", "12"],
        ["pin", "13"],
      ] as const) {
        browser.done.length = 0;
        await browser.change(`app-${id}`, value);
        expect(browser.done.filter(({ type }) => type === "store").length, id).equal(1);
        expect(browser.text("app-say")).equal(STATUS_SCRIPT_STRINGS.saved);
      }
      expect(browser.state.localApi.values).deep.equal({
        ...SECTION.defaults,
        pattern: "rainbow",
        colour: "#0000ff",
        brightness: 70,
        count: 12,
        pin: 13,
      });
    });

    it("are refused with a reason", async () => {
      browser = await new Browser({}, { section: SECTION }).open();
      await browser.change("app-count", "5");
      expect(browser.text("app-say")).equal(STATUS_SCRIPT_STRINGS.needToken);
      await browser.change("token", TOKEN);
      await browser.change("app-count", "301");
      expect(browser.text("app-say")).equal("LEDs on the strip: 301 is not a whole number from 1 to 300.");
      expect(browser.state.localApi.values).deep.equal(SECTION.defaults);
    });
  });

  it("has only sentences that survive as they stand in markup and script", () => {
    browser = new Browser();
    const all = JSON.stringify([STATUS_STRINGS, STATUS_SCRIPT_STRINGS, PART_STRINGS]);
    expect(all).not.match(/[&<>`\\]/);
  });
});
