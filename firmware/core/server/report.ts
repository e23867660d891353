// Reports status to the server: a short queue of reports, sent one at a time beside the download. A newer progress report replaces an older
// one that still waits, so the queue is bounded by the number of different steps. The update machine keeps the final result in NVS until
// the server has taken it; everything else may be lost.

import { backoffMs, spreadMs } from "../backoff.js";
import type { Effect } from "../effect.js";
import type { BuildSettings, Raise, ServerTokens, Stamped } from "../event.js";
import { isJson } from "../http/answer-head.js";
import { retryAfterMs } from "../http/retry-after.js";
import { ABILITIES_PATH, type Report, type StatusRequest } from "../wire.js";
import { jsonHeaders, NO_TOKENS, readServerTokens } from "./server-token.js";

const MAX_QUEUE = 8;
const TIMEOUT_MS = 15_000;
const RETRY = Object.freeze({ firstMs: 1_000, maximumMs: 60_000 });
const MAX_TRIES = 5;
/** Attempt numbers of this machine are odd, those of the update machine even: an answer finds its request. */
const FIRST_ATTEMPT = 1;

export interface ReportState {
  readonly server: string;
  readonly serverTokens: ServerTokens;
  readonly build: BuildSettings | undefined;
  readonly deviceId: string;
  readonly online: boolean;
  /** By radio each report costs some ten frames of an air that all share: only that an image is staged, and results. */
  readonly isBrief: boolean;
  readonly queue: readonly Report[];
  /** The body of an AbilitiesRequest that is sent behind the reports; empty: none waits. */
  readonly abilities: string;
  /** What is being sent is that body. */
  readonly isTelling: boolean;
  readonly attempt: number;
  readonly phase: "idle" | "sending" | "waiting";
  readonly failureCount: number;
}

export const initialReport: ReportState = Object.freeze({
  server: "",
  serverTokens: NO_TOKENS,
  build: undefined,
  deviceId: "",
  online: false,
  isBrief: false,
  queue: Object.freeze([]),
  abilities: "",
  isTelling: false,
  attempt: FIRST_ATTEMPT,
  phase: "idle",
  failureCount: 0,
});

type Step = readonly [ReportState, readonly (Effect | Raise)[]];

export function reportStep(state: ReportState, event: Stamped): Step {
  switch (event.type) {
    case "booted":
      return [
        {
          ...initialReport,
          deviceId: event.identity.deviceId,
          build: event.build,
          isBrief: event.link === "radio",
          serverTokens: readServerTokens(event.stored),
        },
        [],
      ];
    case "serverChosen":
      return chooseServer(state, event.server);
    case "serverTokensChanged":
      return [{ ...state, serverTokens: event.serverTokens }, []];
    case "online":
      return send({ ...state, online: true });
    case "offline":
      return [
        { ...state, online: false, phase: state.phase === "sending" ? "idle" : state.phase },
        close(state),
      ];
    case "reportMade":
      return state.isBrief && isInBetween(event.report)
        ? [state, []]
        : send({ ...state, queue: enqueue(state, event.report) });
    case "abilitiesTold":
      return send({ ...state, abilities: event.body });
    case "timerFired":
      if (event.timer === "report")
        return state.phase === "sending" ? failed(state, event.random) : send({ ...state, phase: "idle" });
      return [state, []];
    case "responseStarted":
      return mine(state, event) ? answered(state, event) : [state, []];
    case "requestFailed":
      return mine(state, event) ? failed(state, event.random) : [state, []];
    default:
      return [state, []];
  }
}

/**
 * Numbers of firmware belong to one server: what waits for another is not sent to this one, and its pause is over. A result stays in NVS.
 */
function chooseServer(state: ReportState, server: string): Step {
  if (state.server === "" || state.server === server) return [{ ...state, server }, []];
  return [
    { ...state, server, queue: [], abilities: "", phase: "idle", failureCount: 0 },
    [{ type: "clearTimer", timer: "report" }, ...close(state)],
  ];
}

const mine = (state: ReportState, event: { readonly attempt: number }) =>
  state.phase === "sending" && event.attempt === state.attempt;

/**
 * Progress of the same firmware is replaced, a full queue loses its oldest report that is no result. The one that is being sent stays:
 * its answer takes the first of the queue away.
 */
function enqueue({ queue, phase, isTelling }: ReportState, report: Report): readonly Report[] {
  const underWay = phase === "sending" && !isTelling ? 1 : 0;
  const replaced = (waiting: Report) =>
    isProgress(report) && isProgress(waiting) && waiting.firmware_id === report.firmware_id;
  const kept = queue.filter((waiting, index) => index < underWay || !replaced(waiting));
  const next = [...kept, report];
  if (next.length <= MAX_QUEUE) return next;
  const oldest = next.findIndex(
    ({ status }, index) => index >= underWay && status !== "success" && status !== "failed",
  );
  return next.filter((_, index) => index !== Math.max(underWay, oldest));
}

/** The gateway of such a device sees for itself how far it is, until it waits for others. */
const isInBetween = ({ status, step }: Report) =>
  status === "downloading" || (status === "installing" && step !== "staged");

const isProgress = (report: Report) => report.status === "downloading";

function send(state: ReportState): Step {
  const [report] = state.queue;
  const { abilities, online, phase, server } = state;
  if ((!report && abilities === "") || !online || phase !== "idle" || server === "") return [state, []];
  const attempt = state.attempt + 2;
  return [
    { ...state, phase: "sending", attempt, isTelling: !report },
    [
      {
        type: "startRequest",
        attempt,
        request: {
          method: "POST",
          url: `${server}${report ? "/api/ota/status" : ABILITIES_PATH}`,
          headers: jsonHeaders(server, state.serverTokens, state.build),
          body: report ? bodyOf(state, report) : abilities,
        },
      },
      { type: "setTimer", timer: "report", delayMs: TIMEOUT_MS },
    ],
  ];
}

function bodyOf({ deviceId }: ReportState, report: Report): string {
  const body: StatusRequest = { device_id: deviceId, ...report };
  return JSON.stringify(body);
}

/**
 * The head of an answer says it all; its body is not read. A 4xx means that the server will never take this report: it is dropped as if taken.
 * 401 means the token: another may be shown soon. And only JSON is of the server: a captive network, or a proxy, answers with a page.
 */
function answered(state: ReportState, { status, headers, random }: Answered): Step {
  const isTaken = isJson(headers) && !isTemporary(status);
  if (!isTaken) return failed(state, random, retryAfterMs(headers, undefined));
  const [report] = state.queue;
  const isReport = report && !state.isTelling;
  const taken: readonly Raise[] = isReport ? [{ type: "raise", event: { type: "reportTaken", report } }] : [];
  const [next, effects] = send({ ...withoutSent(state), phase: "idle", failureCount: 0 });
  return [next, [{ type: "clearTimer", timer: "report" }, ...close(state), ...taken, ...effects]];
}

type Answered = Extract<Stamped, { readonly type: "responseStarted" }>;

const isTemporary = (status: number): boolean =>
  status >= 500 || (status >= 300 && status < 400) || TEMPORARY.includes(status);
const TEMPORARY: readonly number[] = Object.freeze([401, 408, 429]);

/** `waitMs`: what the server asks for. */
function failed(state: ReportState, random: number, waitMs = 0): Step {
  const failureCount = state.failureCount + 1;
  const isGivenUp = failureCount >= MAX_TRIES;
  const delayMs = Math.max(spreadMs(waitMs, random), backoffMs(RETRY, failureCount, random));
  return [
    {
      ...(isGivenUp ? withoutSent(state) : state),
      phase: "waiting",
      failureCount: isGivenUp ? 0 : failureCount,
    },
    [...close(state), { type: "setTimer", timer: "report", delayMs }],
  ];
}

/** What was sent last waits no longer; abilities that have changed meanwhile are asked for again. */
const withoutSent = (state: ReportState): ReportState =>
  state.isTelling ? { ...state, abilities: "" } : { ...state, queue: state.queue.slice(1) };

const close = (state: ReportState): readonly Effect[] =>
  state.phase === "sending" ? [{ type: "closeRequest", attempt: state.attempt }] : [];
