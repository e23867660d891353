// What the receiver serves besides core's own API: the page of the pair, its system, and the commands about both devices. Who may use them is
// decided as for every other request (core/local/guard.ts). Without `device`, or with another one, those below /api/ota are core's.
//
//   GET  /ota                                  the page of the pair
//   GET  /api/system                           the newest system that is known, the job, what can be undone, what became of the last updates
//   POST /api/system/install                   202: the newest system is installed on both; 409: there is none, or an update is under way
//   POST /api/system/check                     202: the update server is asked for one
//   POST /api/system/cancel                    202: both go back to what they had
//   POST /api/ota/install?device=both          202: what was uploaded for both is installed; 404: nothing was; 409: they would not work together
//   POST /api/ota/install?device=transmitter   likewise, of the transmitter alone; &force: whether they work together is not asked
//   POST /api/ota/abandon?device=transmitter   202: what was uploaded for it is given up
//   POST /api/ota/rollback?device=both         202: what was installed last goes back, on the transmitter first; 409: there is no way back
//   POST /api/ota/rollback?device=transmitter  likewise, if that was the transmitter's alone
//   POST /api/peer/forget                      202: the transmitter was replaced; the next one that is heard takes its place

import type { Effect } from "../../../core/effect.js";
import type { PageRequest } from "../../../core/event.js";
import { json, respond } from "../../../core/http/answer.js";
import { isSwitchedOn, queryValue } from "../../../core/http/query.js";
import { guardedOf, type LocalApiState } from "../../../core/local/api-state.js";
import { type Refusal, refusalOf } from "../../../core/local/guard.js";
import type { SystemJob } from "../../../core/system/vocabulary.js";
import type { LeaderTurn } from "./leader.js";
import { type Hindrance, OTHER, SELF, type Stock, uploadedJob } from "./uploaded-job.js";

export type PairCommand =
  | { readonly type: "install" | "check" | "cancel" | "forget" | "undo" | "abandonUploaded" }
  | { readonly type: "installUploaded"; readonly job: SystemJob };

/** Of a POST, by its path. */
const COMMANDS: readonly (readonly [
  path: string,
  decide: (place: Place) => PairCommand | Hindrance,
  message: string,
])[] = Object.freeze([
  Object.freeze(["/api/system/install", install, "The update of both devices begins."] as const),
  Object.freeze(["/api/system/check", check, "The update server is asked."] as const),
  Object.freeze(["/api/system/cancel", cancel, "The devices go back to what they had."] as const),
  Object.freeze(["/api/peer/forget", forget, "The next transmitter that is heard is the one."] as const),
]);
/** Of a POST that names a device besides the receiver. */
const OF_DEVICES: typeof COMMANDS = Object.freeze([
  Object.freeze(["/api/ota/install", installUploaded, "The update begins."] as const),
  Object.freeze(["/api/ota/abandon", abandonUploaded, "The image is given up."] as const),
  Object.freeze(["/api/ota/rollback", undo, "The devices go back to what they had."] as const),
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

/** It is answered if it comes from the owner; `refusal`: if it does not. */
export interface PairDoubt {
  readonly refusal: Refusal;
}

type Leading = Pick<LeaderTurn, "state" | "undoable">;

/** What a command depends on. */
export interface Place {
  readonly request: PageRequest;
  readonly leader: Leading;
  readonly stock: Stock;
}

/** `undefined`: core answers the request. */
export function answerPair(
  request: PageRequest,
  localApi: LocalApiState,
  leader: Leading,
  page: string,
  stock: Stock,
): PairAnswer | PairDoubt | undefined {
  const path = pathOf(request);
  // with its setup network open, only pages of the setup are there
  if (!localApi.boot || localApi.portalOpen) return undefined;
  if (request.method === "GET" && path === "/ota") return { effect: respond(request, 200, page, HEADERS) };
  const isFacts = request.method === "GET" && path === "/api/system";
  const isCommand = isPairCommand(request);
  if (!isFacts && !isCommand) return undefined;
  const refusal = refusalOf(request, isFacts ? "read" : "change", guardedOf(localApi));
  if (refusal) {
    const { status, code, message } = refusal;
    if (status === 401) return { refusal };
    return { effect: json(request, status, { code, message }) };
  }
  return isCommand
    ? obeyOwner({ request, leader, stock })
    : { effect: json(request, 200, systemFacts(leader, stock)) };
}

/** Whether a request is one that only the owner may make. */
export const isPairCommand = (request: PageRequest): boolean =>
  request.method === "POST" && commandOf(request) !== undefined;

/** A command of the owner's. */
export function obeyOwner(place: Place): PairAnswer {
  const { request } = place;
  const found = commandOf(request);
  if (!found)
    return { effect: json(request, 404, { code: "NOT_FOUND", message: "There is no such command." }) };
  const [, decide, message] = found;
  const command = decide(place);
  if ("type" in command) return { effect: json(request, 202, { success: true, message }), command };
  const { status, ...why } = command;
  return { effect: json(request, status, { success: false, ...why }) };
}

const pathOf = ({ path }: PageRequest): string => path.split("?")[0] ?? "";

function commandOf(request: PageRequest): (typeof COMMANDS)[number] | undefined {
  const path = pathOf(request);
  const device = queryValue(request.path, "device");
  const isOfBoth = device === "both" || device === OTHER;
  return (isOfBoth ? OF_DEVICES : COMMANDS).find(([own]) => own === path);
}

// ── whether a command can be carried out now

const impossible = (message: string): Hindrance => ({ status: 409, code: "NOT_POSSIBLE", message });

function underWay({ leader: { state } }: Place): Hindrance | undefined {
  const { job } = state.system;
  if (job) return impossible(`${job.version} is being installed.`);
  return state.fetching.found ? impossible("The update begins already.") : undefined;
}

function install(place: Place): PairCommand | Hindrance {
  if (!place.leader.state.available) return impossible("No newer system is known.");
  return underWay(place) ?? { type: "install" };
}

function check(): PairCommand {
  return { type: "check" };
}

function forget(): PairCommand {
  return { type: "forget" };
}

function cancel({ leader: { state } }: Place): PairCommand | Hindrance {
  return state.system.job ? { type: "cancel" } : impossible("There is no update under way.");
}

function installUploaded(place: Place): PairCommand | Hindrance {
  const { path } = place.request;
  const busy = underWay(place);
  if (busy) return busy;
  const devices = queryValue(path, "device") === "both" ? "both" : OTHER;
  const job = uploadedJob(devices, place.stock, isSwitchedOn(path, "force"));
  return "status" in job ? job : { type: "installUploaded", job };
}

function abandonUploaded(place: Place): PairCommand | Hindrance {
  if (place.stock.uploaded) return underWay(place) ?? { type: "abandonUploaded" };
  return { status: 404, code: "NOTHING_STAGED", message: "No firmware uploaded" };
}

function undo(place: Place): PairCommand | Hindrance {
  const { undoable } = place.leader;
  const isOfBoth = undoable?.components.some(({ id }) => id === SELF);
  if (isOfBoth && queryValue(place.request.path, "device") !== "both")
    return impossible("What was installed last is of both: they go back together.");
  if (undoable) return { type: "undo" };
  return (
    underWay(place) ??
    impossible("There is nothing to go back to: another image was uploaded, or they run another one.")
  );
}

function systemFacts({ state, undoable }: Leading, { uploaded }: Stock): object {
  const { available, otherPercent, otherImage } = state;
  const { job, history } = state.system;
  return {
    available: available?.system.version ?? null,
    description: available?.system.description ?? null,
    job: job
      ? { version: job.version, phase: job.phase, reason: job.reason, transmitterPercent: otherPercent }
      : null,
    // it stays in the cache when it is installed
    uploaded:
      uploaded && uploaded.release.imageSha256 !== otherImage
        ? { version: uploaded.release.version, build: uploaded.release.build, size: uploaded.release.size }
        : null,
    undo: undoable?.version ?? null,
    history,
  };
}
