// What the receiver serves besides core's own API: the page of the pair, its system, and the commands about both devices. Who may use them is
// decided as for every other request (core/local/guard.ts).
//
//   GET  /ota                  the page of the pair
//   GET  /api/system           the newest system that is known, the job, what became of the last ones
//   POST /api/system/install   202: the newest system is installed on both; 409: there is none, or an update is under way
//   POST /api/system/check     202: the update server is asked for one
//   POST /api/system/cancel    202: both go back to what they had
//   POST /api/peer/forget      202: the transmitter was replaced; the next one that is heard takes its place

import type { Effect } from "../../../core/effect.js";
import type { PageRequest } from "../../../core/event.js";
import { json, respond } from "../../../core/http/answer.js";
import { guardedOf, type LocalApiState } from "../../../core/local/api-state.js";
import { refusalOf } from "../../../core/local/guard.js";
import type { LeaderState } from "./leader.js";

export type PairCommand = "install" | "check" | "cancel" | "forget";

const COMMANDS: readonly (readonly [path: string, command: PairCommand, message: string])[] = Object.freeze([
  Object.freeze(["/api/system/install", "install", "The update of both devices begins."] as const),
  Object.freeze(["/api/system/check", "check", "The update server is asked."] as const),
  Object.freeze(["/api/system/cancel", "cancel", "Both devices go back to what they had."] as const),
  Object.freeze(["/api/peer/forget", "forget", "The next transmitter that is heard is the one."] as const),
]);

const HEADERS = Object.freeze({
  "content-type": "text/html; charset=utf-8",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
});

export interface PairAnswer {
  readonly effect: Effect;
  /** To be carried out. */
  readonly command?: PairCommand;
}

/** Where a request is answered. */
export interface PairPlace {
  readonly localApi: LocalApiState;
  readonly leader: LeaderState;
  /** Whether a command can be carried out now. */
  can(command: PairCommand): boolean;
  readonly page: string;
}

/** `undefined`: core answers the request. */
export function answerPair(request: PageRequest, place: PairPlace): PairAnswer | undefined {
  const { localApi, leader, page } = place;
  const path = request.path.split("?")[0] ?? "";
  // with its setup network open, only pages of the setup are there
  if (!localApi.boot || localApi.portalOpen) return undefined;
  const found = COMMANDS.find(([own]) => own === path);
  if (request.method === "GET" && path === "/ota") return { effect: respond(request, 200, page, HEADERS) };
  const isFacts = request.method === "GET" && path === "/api/system";
  if (!isFacts && !(found && request.method === "POST")) return undefined;
  const refusal = refusalOf(request, isFacts ? "read" : "change", guardedOf(localApi));
  if (refusal) {
    const { status, code, message } = refusal;
    return { effect: json(request, status, { code, message }) };
  }
  if (!found) return { effect: json(request, 200, systemFacts(leader)) };
  const [, command, message] = found;
  if (place.can(command)) return { effect: json(request, 202, { success: true, message }), command };
  return {
    effect: json(request, 409, { success: false, code: "NOT_POSSIBLE", message: impossible(leader) }),
  };
}

const impossible = ({ available, system }: LeaderState): string =>
  system.job
    ? `${system.job.version} is being installed.`
    : available
      ? "There is no update under way."
      : "No newer system is known.";

function systemFacts({ available, system }: LeaderState): object {
  const { job, history } = system;
  return {
    available: available?.system.version ?? null,
    description: available?.system.description ?? null,
    job: job ? { version: job.version, phase: job.phase, reason: job.reason } : null,
    history,
  };
}
