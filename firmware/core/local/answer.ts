// Answers of the device's own API: JSON or a page, never kept by a browser.

import type { Effect, HttpResponse } from "../effect.js";
import { writeJson } from "../json.js";
import type { LocalRequest } from "./guard.js";

/** Whom an answer goes to. */
export type Connection = Pick<LocalRequest, "connection">;

export const json = (
  to: Connection,
  status: number,
  value: object,
  headers: HttpResponse["headers"] = {},
): Effect => respond(to, status, writeJson(value), { "content-type": "application/json", ...headers });

export function respond(
  { connection }: Connection,
  status: number,
  body: string,
  headers: HttpResponse["headers"],
): Effect {
  const response = {
    status,
    headers: { ...headers, "cache-control": "no-store", "x-content-type-options": "nosniff" },
    body,
  };
  return { type: "respond", connection, response };
}
