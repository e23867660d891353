// The machine that keeps a panel's picture current, with a device in given states.

import { expect } from "chai";
import {
  type ContentState,
  contentStep,
  initialContent,
  PANEL_KEY,
} from "../../../../firmware/apps/cms/core/content.js";
import type { CmsEffect, CmsEvent } from "../../../../firmware/apps/cms/core/vocabulary.js";
import { utf8Encode } from "../../../../firmware/core/bytes.js";
import { type DeviceState, initialDevice } from "../../../../firmware/core/device-state.js";
import { NO_TOKENS } from "../../../../firmware/core/server/server-token.js";
import { BOOTED } from "../../core/events.js";
import { inPhase } from "../../core/update-phases.js";

const SETTINGS = Object.freeze({ width: 16, height: 2, refreshSeconds: 300 });
const STAMP = Object.freeze({ at: 0, random: 0.5, freeHeapBytes: 100_000 });
const PICTURE = utf8Encode("P4\n16 2\nABCD");
const ETAG = '"one"';

/** A device that is online, knows its server and has nothing to do. */
const ONLINE: DeviceState = Object.freeze({
  ...initialDevice,
  wifi: { ...initialDevice.wifi, phase: "joined" as const },
  update: {
    ...initialDevice.update,
    boot: BOOTED,
    online: true,
    server: "http://updates.test:8080",
    isAnswered: true,
  },
});

class Panel {
  state: ContentState = initialContent;
  effects: readonly CmsEffect[] = [];
  device: DeviceState = ONLINE;

  constructor(stored: Record<string, string> = {}) {
    this.take({ ...BOOTED, stored });
  }

  take(event: CmsEvent): this {
    [this.state, this.effects] = contentStep(this.state, { ...event, ...STAMP }, this.device, SETTINGS);
    return this;
  }

  /** Any event while the device is ready lets it request the picture. */
  ask(): this {
    return this.take(
      this.state.phase === "waiting" ? { type: "clientDetached" } : { type: "timerFired", timer: "content" },
    );
  }

  answer(status: number, headers: Record<string, string> = {}): this {
    return this.take({ type: "responseStarted", attempt: this.state.attempt, status, headers });
  }

  whole(bytes: Uint8Array, headers: Record<string, string> = {}): this {
    this.answer(200, { etag: ETAG, "content-length": `${bytes.length}`, ...headers });
    const collect = this.find("collectResponse");
    return collect === undefined
      ? this.take({ type: "responseEnded", attempt: this.state.attempt })
      : this.take({ type: "bytesCollected", attempt: collect.attempt, bytes });
  }

  readonly types = () => this.effects.map(({ type }) => type);
  readonly find = <Type extends CmsEffect["type"]>(type: Type) =>
    this.effects.find((effect) => effect.type === type) as Extract<CmsEffect, { type: Type }> | undefined;
}

describe("what a panel shows", () => {
  it("is requested once a check was answered, and not before", () => {
    const panel = new Panel();
    panel.device = { ...ONLINE, update: { ...ONLINE.update, isAnswered: false } };
    expect(panel.take({ type: "clientDetached" }).types()).deep.equal([]);
    panel.device = ONLINE;
    expect(panel.ask().find("startRequest")!.request).deep.equal({
      method: "GET",
      url: "http://updates.test:8080/api/content/base-0000a1",
      headers: {},
    });
    expect(panel.state.attempt).below(0);
  });

  it("is requested with the server's own token, sent to that server only", () => {
    const shown = (server: string) => {
      const panel = new Panel();
      const serverTokens = { ...NO_TOKENS, proved: { server, token: "skd_1" } };
      panel.device = { ...ONLINE, update: { ...ONLINE.update, serverTokens } };
      return panel.ask().find("startRequest")!.request.headers;
    };
    expect(shown("http://updates.test:8080")).deep.equal({ authorization: "Bearer skd_1" });
    expect(shown("http://other.test")).deep.equal({});
  });

  it("waits while an update is in progress", () => {
    const panel = new Panel();
    panel.device = { ...ONLINE, update: inPhase("streaming", ONLINE.update) };
    expect(panel.ask().types()).deep.equal(["setTimer"]);
    panel.device = ONLINE;
    expect(panel.ask().types()).include("startRequest");
  });

  it("is drawn when the picture is complete, and its ETag stored when it is drawn", () => {
    const panel = new Panel().ask().whole(PICTURE);
    const { bytes, offset } = panel.find("drawPanel")!;
    expect([...bytes.subarray(offset)]).deep.equal([65, 66, 67, 68]);
    expect(panel.types()).not.include("forget");
    panel.take({ type: "panelDrawn" });
    expect(panel.find("store")).deep.equal({ type: "store", key: PANEL_KEY, value: ETAG });
    expect(panel.find("setTimer")!.delayMs).within(270_000, 330_000);
    expect(panel.state.settled).equal(true);
  });

  it("is marked unknown before something else is drawn", () => {
    const panel = new Panel({ [PANEL_KEY]: '"old"' }).ask();
    expect(panel.find("startRequest")!.request.headers).deep.equal({ "if-none-match": '"old"' });
    const types = panel.whole(PICTURE).types();
    expect(types.indexOf("forget")).within(0, types.indexOf("drawPanel") - 1);
  });

  it("is not redrawn for a 304, nor for the same ETag, without waiting for the end of the answer", () => {
    for (const [status, headers] of [
      [304, {}],
      [200, { etag: ETAG, "content-length": "12" }],
    ] as const) {
      const panel = new Panel({ [PANEL_KEY]: ETAG }).ask().answer(status, headers);
      expect(panel.types(), `${status}`).deep.equal(["closeRequest", "setTimer"]);
      expect(panel.state).include({ settled: true, shows: ETAG, phase: "idle" });
    }
  });

  it("is the device's name when nothing is assigned, drawn once", () => {
    const panel = new Panel().ask().answer(404);
    expect(panel.types()).include("drawPanel");
    panel.take({ type: "panelDrawn" });
    const label = panel.find("store")!.value;
    expect(label).include("base-0000a1").and.include("1.0.0");
    expect(panel.ask().answer(404).types()).not.include("drawPanel");
    expect(panel.ask().find("startRequest")!.request.headers, "a card has no ETag").deep.equal({});
  });

  it("stays when a picture is not of the panel's size", () => {
    for (const [text, headers] of [
      ["P4\n16 3\nABCDEF", {}],
      ["P4\n8 2\nAB", {}],
      ["P5\n16 2\nABCD", {}],
      ["P4\n16 2\nABCDE", {}],
      ["P4\n16 2\nABC", {}],
      ["P4\n16 2\nABCD", { "content-length": "100000" }],
    ] as const) {
      const panel = new Panel({ [PANEL_KEY]: '"old"' }).ask().whole(utf8Encode(text), headers);
      expect(panel.state, text).include({ shows: '"old"', phase: "idle" });
      expect(panel.types(), text).not.include("drawPanel");
    }
  });

  it("may come without a length, and is read no further than a picture goes", () => {
    const panel = new Panel().ask().answer(200, { etag: ETAG });
    const { attempt } = panel.state;
    expect(panel.effects).deep.equal([{ type: "collectResponse", attempt, maxBytes: 260, as: "bytes" }]);
    panel.take({ type: "bytesCollected", attempt, bytes: utf8Encode("P4\n16 2\nABCD") });
    expect(panel.types()).include("drawPanel");
  });

  it("is not asked for sooner than its server wants", () => {
    for (const [retryAfter, leastMs] of [
      ["3600", 3_600_000],
      ["999999", 86_400_000],
    ] as const) {
      const panel = new Panel().ask().answer(503, { "retry-after": retryAfter });
      expect(panel.find("setTimer")?.delayMs).within(leastMs, leastMs * 1.1);
    }
  });

  it("is a complete answer only, and its ETag only if it is strong and not too long", () => {
    const panel = new Panel().ask().answer(200, { etag: ETAG, "content-length": "12" });
    const { attempt } = panel.state;
    expect(panel.effects).deep.equal([{ type: "collectResponse", attempt, maxBytes: 12, as: "bytes" }]);
    panel.take({ type: "responseEnded", attempt });
    expect(panel.types()).deep.equal(["log", "closeRequest", "setTimer"]);
    for (const etag of ['W/"weak"', `"${"x".repeat(99)}"`, "bare", '"', '"a"b"'])
      expect(new Panel().ask().answer(200, { etag, "content-length": "12" }).state.phase, etag).equal("idle");
  });

  it("is retried with growing delays, and the device may sleep after three failures", () => {
    const panel = new Panel();
    const delays = [1, 2, 3, 4].map(() => {
      panel.ask().take({ type: "requestFailed", attempt: panel.state.attempt, message: "no connection" });
      return panel.find("setTimer")!.delayMs;
    });
    expect(delays.every((delay, i) => i === 0 || delay > delays[i - 1]!)).equal(true);
    expect(panel.state).include({ settled: true, failureCount: 4 });
    expect(panel.ask().take({ type: "timerFired", timer: "content" }).types(), "stalled").deep.equal([
      "log",
      "closeRequest",
      "setTimer",
    ]);
  });

  it("ignores answers to earlier requests", () => {
    const panel = new Panel().ask();
    const { attempt } = panel.state;
    panel.take({ type: "requestFailed", attempt, message: "gone" }).ask();
    expect(panel.take({ type: "responseStarted", attempt, status: 404, headers: {} }).types()).deep.equal([]);
    expect(panel.state.phase).equal("requesting");
  });

  it("is the setup instructions while there is nothing else to do, unless a picture is shown", () => {
    const setUp = (stored: Record<string, string>) => {
      const panel = new Panel(stored);
      panel.device = {
        ...initialDevice,
        wifi: { ...initialDevice.wifi, phase: "unset", portalOpen: true },
        update: { ...initialDevice.update, boot: BOOTED },
      };
      return panel.take({ type: "portalOpened" });
    };
    const panel = setUp({});
    expect(panel.types()).deep.equal(["drawPanel"]);
    expect(panel.take({ type: "panelDrawn" }).find("store")!.value).include("Skyslot base-0000a1");
    expect(panel.take({ type: "portalOpened" }).types()).deep.equal([]);
    expect(setUp({ [PANEL_KEY]: ETAG }).types()).deep.equal([]);
  });

  it("is tried again at the next refresh only when the panel cannot be drawn", () => {
    const panel = new Panel().ask().whole(PICTURE).take({ type: "panelFailed", message: "Error: time out" });
    expect(panel.find("log")).include({ level: "error", message: "panel: Error: time out" });
    expect(panel.state).include({ shows: "", settled: true, phase: "idle" });
    expect(panel.types()).not.include("store");
  });

  it("does not change in safe mode", () => {
    const panel = new Panel();
    panel.device = { ...ONLINE, crashGuard: { ...ONLINE.crashGuard, safeMode: true } };
    expect(panel.take(BOOTED).ask().types()).deep.equal([]);
    expect(panel.state.phase).equal("off");
  });

  it("is the device's name after an identify order, once, and the picture again after the next request", () => {
    const panel = new Panel().ask().whole(PICTURE).take({ type: "panelDrawn" });
    const asked = () => {
      const { orders } = panel.device;
      panel.device = { ...panel.device, orders: { ...orders, identifyCount: orders.identifyCount + 1 } };
      return panel.take({ type: "clientDetached" });
    };
    expect(asked().types()).deep.equal(["forget", "drawPanel"]);
    expect(panel.state.next).match(/base-0000a1[\s\S]*This is the one you asked for/);
    panel.take({ type: "panelDrawn" });
    expect(asked().types(), "it is already shown").not.include("drawPanel");
    panel.ask();
    expect(panel.find("startRequest")!.request.headers, "whatever the picture was").deep.equal({});
    expect(asked().types(), "as soon as the panel is free").deep.equal([]);
    panel.whole(PICTURE).take({ type: "panelDrawn" });
    expect(panel.find("store")!.value).equal(ETAG);
    expect(panel.take({ type: "clientDetached" }).types()).deep.equal(["forget", "drawPanel"]);
  });
});
