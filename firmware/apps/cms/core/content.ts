// What a device's panel shows: the picture that the update server has for it. It is asked for after each check for updates has found
// nothing, with the ETag of what the panel shows already: paper keeps its picture without power, so that the ETag in NVS is all
// that has to survive a power cut, and nothing is drawn twice. Whatever goes wrong, the last good picture stays. Asked to identify
// itself, the device shows its name in the picture's place until the next refresh.
//
//   waiting ── a check is answered ─► idle ── timer ─► requesting ── 200 ─► receiving ── whole, of the panel's size ─► drawing
//                                      ▲                  │ 304, failed         │ refused, failed                        │
//                                      └──────────────────┴─────────────────────┴───────── drawn: its ETag is stored ────┘
//
// The ETag is forgotten before the panel is touched and stored when it is done: a cut in between draws once more.

import { backoffMs, jitteredMs, spreadMs } from "../../../core/backoff.js";
import { toldAt } from "../../../core/clock.js";
import type { DeviceState } from "../../../core/device-state.js";
import type { Stamped } from "../../../core/event.js";
import { announcedBytes } from "../../../core/http/answer-head.js";
import { retryAfterMs } from "../../../core/http/retry-after.js";
import { authorizationAt } from "../../../core/server/server-token.js";
import { CONTENT_PATH, MAX_ETAG_LENGTH } from "../../../core/wire.js";
import { deviceCard, identifyCard, setupCard } from "./content-cards.js";
import { type CardLine, drawCard } from "./panel-card.js";
import { MAX_PBM_HEADER_BYTES, pbmRowsBytes, readPbmHeader } from "./pbm.js";
import type { CmsEffect, CmsEvent } from "./vocabulary.js";

/** NVS key of what the panel shows: the ETag of a picture, or a card's text; absent: not known. */
export const PANEL_KEY = "panel";
/** A card has a few lines. */
export const MAX_PANEL_LENGTH = 500;

const TIMEOUT_MS = 30_000;
/** During an update nothing else uses the network; tried again after this. */
const BUSY_MS = 30_000;
const RETRY = Object.freeze({ firstMs: 5_000, maximumMs: 15 * 60_000 });
/** After this number of failures in a row the device may sleep anyway. */
const PATIENCE = 3;

export interface ContentSettings {
  /** The panel's size, pixels. */
  readonly width: number;
  readonly height: number;
  /** How long a picture counts as current while the device is awake. */
  readonly refreshSeconds: number;
}

export interface ContentState {
  readonly phase: "off" | "waiting" | "idle" | "requesting" | "receiving" | "drawing";
  /** Negative: unlike those of the other machines. */
  readonly attempt: number;
  /** As stored under PANEL_KEY; empty while the panel is being drawn. */
  readonly shows: string;
  /** What is fetched or drawn, to be stored when it is shown. */
  readonly next: string;
  readonly failureCount: number;
  /** Nothing more happens until the next refresh. */
  readonly settled: boolean;
  /** How often the device has identified itself on its panel, or is about to. */
  readonly identifyCount: number;
}

export const initialContent: ContentState = Object.freeze({
  phase: "off",
  attempt: 0,
  shows: "",
  next: "",
  failureCount: 0,
  settled: false,
  identifyCount: 0,
});

type Step = readonly [ContentState, readonly CmsEffect[]];

/** @param device the device after this event */
export function contentStep(
  state: ContentState,
  event: Stamped<CmsEvent>,
  device: DeviceState,
  settings: ContentSettings,
): Step {
  if (event.type === "booted") {
    const shows = event.stored[PANEL_KEY] ?? "";
    return [{ ...initialContent, phase: device.crashGuard.safeMode ? "off" : "waiting", shows }, []];
  }
  switch (state.phase) {
    case "off":
      return [state, []];
    case "waiting":
      return wait(state, device, settings);
    case "idle":
      if (device.orders.identifyCount !== state.identifyCount)
        return identify(state, device, settings, event.random);
      return event.type === "timerFired" && event.timer === "content" ? fetch(state, device) : [state, []];
    case "drawing":
      return drawing(state, event, settings);
    default:
      return fetching(state, event, device, settings);
  }
}

/** Until a check is answered: then the server knows this device. Meanwhile an empty panel shows how to set the device up. */
function wait(state: ContentState, device: DeviceState, settings: ContentSettings): Step {
  if (device.update.online && device.update.isAnswered) return fetch({ ...state, phase: "idle" }, device);
  const isHelpless = device.wifi.phase === "unset" && device.wifi.portalOpen && state.shows === "";
  return isHelpless ? show(state, setupCard(device), settings) : [state, []];
}

/** As soon as the panel is free. The next refresh brings the picture back. */
function identify(state: ContentState, device: DeviceState, settings: ContentSettings, random: number): Step {
  const asked = { ...state, identifyCount: device.orders.identifyCount };
  return show(asked, identifyCard(device), settings, random);
}

function fetch(state: ContentState, { update }: DeviceState): Step {
  if (!update.online || update.phase !== "idle") return [state, [setTimer(BUSY_MS)]];
  const attempt = state.attempt - 1;
  const url = `${update.server}${CONTENT_PATH}${update.boot?.identity.deviceId ?? ""}`;
  const headers = {
    ...authorizationAt(url, update.serverTokens, update.boot?.build),
    ...(isEtag(state.shows) ? { "if-none-match": state.shows } : {}),
  };
  return [
    { ...state, phase: "requesting", attempt },
    [{ type: "startRequest", attempt, request: { method: "GET", url, headers } }, setTimer(TIMEOUT_MS)],
  ];
}

function fetching(
  state: ContentState,
  event: Stamped<CmsEvent>,
  device: DeviceState,
  settings: ContentSettings,
): Step {
  if (event.type === "timerFired" && event.timer === "content")
    return failed(state, `no answer within ${TIMEOUT_MS / 1000} s`, event.random);
  if (!("attempt" in event) || event.attempt !== state.attempt) return [state, []];
  switch (event.type) {
    case "responseStarted":
      return started(state, event, device, settings);
    case "bytesCollected":
      return received(state, event, settings);
    case "responseEnded":
      return failed(state, "the answer ended early", event.random);
    case "requestFailed":
      return failed(state, event.message, event.random);
    default:
      return [state, []];
  }
}

/** An answer without a picture is complete with its headers: what a proxy makes of the rest does not matter. */
function started(
  state: ContentState,
  event: Stamped & { readonly type: "responseStarted" },
  device: DeviceState,
  settings: ContentSettings,
): Step {
  const { status, headers, random } = event;
  if (status === 304) return settled(state, random, settings);
  if (status === 404) return show(state, deviceCard(device), settings, random);
  if (status !== 200) {
    const waitMs = retryAfterMs(headers, toldAt(device.update.clock, event.at));
    return failed(state, `server answered ${status}`, random, waitMs);
  }
  const etag = headers.etag ?? "";
  if (!isEtag(etag)) return failed(state, "the picture has no strong ETag", random);
  if (etag === state.shows) return settled(state, random, settings);
  const { width, height } = settings;
  const least = pbmRowsBytes(width, height);
  const maxBytes = least + MAX_PBM_HEADER_BYTES;
  const announced = announcedBytes(headers);
  if (announced !== undefined && (announced <= least || announced > maxBytes)) {
    const message = `it has ${announced} bytes, a picture of ${width} × ${height} has ${least} and a short header`;
    return refused(state, message, random, settings);
  }
  return [
    { ...state, phase: "receiving", next: etag },
    [{ type: "collectResponse", attempt: state.attempt, maxBytes: announced ?? maxBytes, as: "bytes" }],
  ];
}

function received(
  state: ContentState,
  { bytes, random }: Stamped & { readonly type: "bytesCollected" },
  settings: ContentSettings,
): Step {
  const header = readPbmHeader(bytes);
  if (!header) return refused(state, "it is no binary PBM (P4)", random, settings);
  const { width, height } = settings;
  if (header.width !== width || header.height !== height) {
    const message = `it has ${header.width} × ${header.height} pixels, the panel ${width} × ${height}`;
    return refused(state, message, random, settings);
  }
  const rowsBytes = pbmRowsBytes(width, height);
  if (bytes.length - header.offset !== rowsBytes) {
    const message = `its rows have ${bytes.length - header.offset} bytes, not ${rowsBytes}`;
    return refused(state, message, random, settings);
  }
  return draw(state, state.next, bytes, header.offset, settings);
}

/** Shows a card unless the panel shows it already. `random`: an answer of the server is settled with it. */
function show(
  state: ContentState,
  card: readonly CardLine[],
  settings: ContentSettings,
  random?: number,
): Step {
  const text = card.map((line) => line.text).join("\n");
  if (text === state.shows) return random === undefined ? [state, []] : settled(state, random, settings);
  const rows = drawCard(card, settings.width, settings.height);
  return draw(state, text, rows, 0, settings);
}

function draw(
  state: ContentState,
  next: string,
  bytes: Uint8Array,
  offset: number,
  { width, height }: ContentSettings,
): Step {
  return [
    { ...state, phase: "drawing", next, shows: "" },
    [
      ...close(state),
      ...(state.shows === "" ? [] : [{ type: "forget", key: PANEL_KEY } as const]),
      { type: "drawPanel", width, height, bytes, offset },
    ],
  ];
}

function drawing(state: ContentState, event: Stamped<CmsEvent>, settings: ContentSettings): Step {
  // a card that was drawn before the first check is no answer of the server's
  const phase = state.attempt === 0 ? "waiting" : "idle";
  switch (event.type) {
    case "panelDrawn": {
      const drawn = { ...state, phase, shows: state.next, next: "", failureCount: 0 } as const;
      const stored: CmsEffect = { type: "store", key: PANEL_KEY, value: state.next };
      if (phase === "waiting") return [drawn, [stored]];
      const [next, effects] = settled(drawn, event.random, settings);
      return [next, [stored, ...effects]];
    }
    case "panelFailed": {
      const log: CmsEffect = { type: "log", level: "error", message: `panel: ${event.message}` };
      if (phase === "waiting") return [{ ...state, phase, shows: FAILED }, [log]];
      const [next, effects] = settled({ ...state, phase, next: "" }, event.random, settings);
      return [next, [log, ...effects]];
    }
    default:
      return [state, []];
  }
}

/** Not stored: keeps a panel that cannot be drawn from being tried at each event. */
const FAILED = "failed";

function settled(state: ContentState, random: number, settings: ContentSettings): Step {
  return [
    { ...state, phase: "idle", settled: true, failureCount: 0, next: "" },
    [...close(state), setTimer(jitteredMs(settings.refreshSeconds * 1000, random))],
  ];
}

/** The picture itself is wrong: asking again at once would bring the same. */
function refused(state: ContentState, message: string, random: number, settings: ContentSettings): Step {
  const [next, effects] = settled(state, random, settings);
  return [next, [{ type: "log", level: "error", message: `picture refused: ${message}` }, ...effects]];
}

/** `waitMs`: what the server asks for. */
function failed(state: ContentState, message: string, random: number, waitMs = 0): Step {
  const failureCount = state.failureCount + 1;
  return [
    {
      ...state,
      phase: "idle",
      next: "",
      failureCount,
      settled: state.settled || failureCount >= PATIENCE,
    },
    [
      { type: "log", level: "warn", message: `picture not fetched: ${message}` },
      ...close(state),
      setTimer(Math.max(spreadMs(waitMs, random), backoffMs(RETRY, failureCount, random))),
    ],
  ];
}

const setTimer = (delayMs: number): CmsEffect => ({ type: "setTimer", timer: "content", delayMs });

const close = ({ phase, attempt }: ContentState): readonly CmsEffect[] =>
  phase === "requesting" || phase === "receiving" ? [{ type: "closeRequest", attempt }] : [];

/** A strong one. */
const isEtag = (text: string): boolean => text.length <= MAX_ETAG_LENGTH && /^"[!#-~]+"$/.test(text);
