// Responses of the device's own servers, as effects and values. A browser caches none of them.

import type { Effect, HttpResponse } from "../effect.js";
import { writeJson } from "../json.js";

/** The connection that a response goes to. */
export interface Connection {
  readonly connection: number;
}

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

/** The header of a 405: what a path answers. HEAD is answered wherever GET is. */
export const allowed = (routes: {
  readonly GET?: unknown;
  readonly POST?: unknown;
}): HttpResponse["headers"] => ({
  allow: [...(routes.GET ? ["GET", "HEAD"] : []), ...(routes.POST ? ["POST"] : [])].join(", "),
});

/** The response to a push that is refused: a sentence, as JSON for clients that ask for it. */
export const pushRefusal = (
  isJson: boolean,
  status: number,
  message: string,
  headers: HttpResponse["headers"] = {},
): HttpResponse =>
  isJson
    ? {
        status,
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ ok: false, message }),
      }
    : { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers }, body: `${message}\n` };

/** The response to an upload, whose success leaves the image staged. */
export const uploadAnswer = (status: number, message: string, more: object = {}): HttpResponse => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ success: status < 300, message, ...more }),
});
