// `/api/led`: reads and changes the strip's settings as JSON. A change need not name every field. It only answers and stores: whoever
// routes a request here has made sure that it comes from the device's own page and not from another site.

import type { Effect, HttpResponse } from "./effect.js";
import {
  LED_KEY,
  type LedBoard,
  type LedSettings,
  MAX_PIXEL_COUNT,
  MAX_SPEED,
  PATTERN_NAMES,
  parseLedSettings,
  writeLedSettings,
} from "./led-settings.js";

export interface LedApiAnswer {
  /** What is in force now. */
  readonly settings: LedSettings;
  readonly effects: readonly Effect[];
}

interface LedRequest {
  readonly connection: number;
  readonly method: string;
  readonly body: string;
}

/**
 * Answers one request. GET: the settings and what they may be. POST: a JSON object with the fields to change; it is stored and
 * answered with the whole, or refused with 400 and `{code, message}` and nothing changes.
 */
export function answerLedRequest(settings: LedSettings, board: LedBoard, request: LedRequest): LedApiAnswer {
  const { connection, method } = request;
  if (method === "GET") return { settings, effects: [respond(connection, 200, describe(settings))] };
  if (method !== "POST") {
    const refusal = { code: "METHOD_NOT_ALLOWED", message: "Use GET or POST." };
    return { settings, effects: [respond(connection, 405, JSON.stringify(refusal), { allow: "GET, POST" })] };
  }
  const changed = parseLedSettings(request.body, board, settings);
  if (!changed.ok) {
    return { settings, effects: [respond(connection, 400, JSON.stringify(changed.failure))] };
  }
  const text = writeLedSettings(changed.value);
  const answer = respond(connection, 200, describe(changed.value));
  const isSame = text === writeLedSettings(settings); // flash wears: what is there already is not written again
  return {
    settings: changed.value,
    effects: isSame ? [answer] : [{ type: "store", key: LED_KEY, value: text }, answer],
  };
}

/** The settings with what a page needs to offer a choice. */
function describe(settings: LedSettings): string {
  const limits = JSON.stringify({ patterns: PATTERN_NAMES, maxCount: MAX_PIXEL_COUNT, maxSpeed: MAX_SPEED });
  return `{"settings":${writeLedSettings(settings)},"limits":${limits}}`;
}

function respond(
  connection: number,
  status: number,
  body: string,
  more: HttpResponse["headers"] = {},
): Effect {
  const headers = { "content-type": "application/json", "cache-control": "no-store", ...more };
  return { type: "respond", connection, response: { status, headers, body } };
}
