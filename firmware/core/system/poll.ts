// Asks the update server regularly what the system is to run, and says so if it is newer than what it runs and signed by as many release keys as the trust root asks for. It
// installs nothing: who hears `systemFound` decides whether to tell the owner or to begin (schedule.ts: when).
//
//   idle ── timer, online ─► asking ── 200 ─► reading ── newer ─► verifying ── signed by enough keys ─► idle, systemFound
//     ▲                        └─ anything else ─┴──── not ──────────┴── not ────────────────────────────┘

import { backoffMs, jitteredMs } from "../backoff.js";
import type { Effect, TimerEffect } from "../effect.js";
import type { Event, Stamped, TimerFired } from "../event.js";
import { asJsonObject, type JsonObject, readJsonObject } from "../json.js";
import type { Trust } from "../trust/trust.js";
import { afterSignature, beginVerification, type Verification, verifyFirst } from "../update/verification.js";
import { compareVersions, parseVersion } from "../update/version.js";
import { parseSystem, type System } from "./manifest.js";

const RETRY = Object.freeze({ firstMs: 60_000, maximumMs: 3_600_000 });
const TIMEOUT_MS = 30_000;
/** A manifest of 3 KiB, and of eight devices addresses and facts. */
const MAX_ANSWER_BYTES = 12_288;
const BOUNDS = Object.freeze({ maxDepth: 5, maxValueCount: 256 });
const MAX_LINK_LENGTH = 256;

export interface PollSettings {
  /** Of the update server, without trailing slash; empty: none is asked. */
  readonly server: string;
  /** Of the system. */
  readonly name: string;
  /** The system's version that runs; empty: any is newer. */
  readonly version: string;
  readonly trust: Trust;
  readonly headers: Readonly<Record<string, string>>;
  /** Between two questions that were answered. */
  readonly pollMs: number;
  /** What else uses the client for requests has to come first. */
  readonly isFree: boolean;
}

/** Where a component's release is: not signed, so only addresses on the server itself count. */
export interface ComponentLinks {
  readonly name: string;
  /** Paths on the server. */
  readonly releaseUrl: string;
  readonly downloadUrl: string;
  /** Empty: its manifest needs none. */
  readonly digestsUrl: string;
}

export type PollTimer = "system.poll";

export interface SystemFound {
  readonly type: "systemFound";
  readonly system: System;
  readonly links: readonly ComponentLinks[];
}

export type PollInput = Event | TimerFired<PollTimer>;
export type PollEffect =
  | Effect
  | TimerEffect<PollTimer>
  | { readonly type: "raise"; readonly event: SystemFound };

export interface PollState {
  readonly phase: "idle" | "asking" | "reading" | "verifying";
  /** Negative: unlike those of the device's own machines. */
  readonly attempt: number;
  readonly failureCount: number;
  /** Until its signatures have been verified. */
  readonly found: SystemFound | undefined;
  readonly verification: Verification | undefined;
}

export const initialPoll: PollState = Object.freeze({
  phase: "idle",
  attempt: 0,
  failureCount: 0,
  found: undefined,
  verification: undefined,
});

type Step = readonly [PollState, readonly PollEffect[]];
const NOTHING: readonly PollEffect[] = Object.freeze([]);

/** @param firstAttempt the attempts of this machine are below this negative number, so that no other one's are among them */
export function pollStep(
  state: PollState,
  event: Stamped<PollInput>,
  settings: PollSettings,
  firstAttempt: number,
): Step {
  if (event.type === "booted")
    return [{ ...initialPoll, attempt: firstAttempt }, [setTimer(backoffMs(RETRY, 1, event.random))]];
  if (event.type === "timerFired" && event.timer === "system.poll")
    return state.phase === "idle"
      ? ask(state, settings, event.random)
      : failed(state, event.random, "no answer");
  if (state.phase === "idle" || !("attempt" in event) || event.attempt !== state.attempt)
    return [state, NOTHING];
  switch (event.type) {
    case "responseStarted":
      return started(state, event, settings);
    case "textCollected":
      return state.phase === "reading" ? collected(state, event, settings) : [state, NOTHING];
    case "signatureVerified":
      return state.phase === "verifying" ? verified(state, event, settings) : [state, NOTHING];
    case "responseEnded":
    case "requestFailed":
      return state.phase === "verifying"
        ? [state, NOTHING]
        : failed(state, event.random, "the answer failed");
    default:
      return [state, NOTHING];
  }
}

const setTimer = (delayMs: number): PollEffect => ({ type: "setTimer", timer: "system.poll", delayMs });

function ask(state: PollState, { server, name, headers, isFree }: PollSettings, random: number): Step {
  if (server === "" || name === "" || !isFree) return [state, [setTimer(backoffMs(RETRY, 1, random))]];
  const attempt = state.attempt - 1;
  const url = `${server}/api/v1/systems/${name}/manifest?releases=links`;
  return [
    { ...state, phase: "asking", attempt },
    [{ type: "startRequest", attempt, request: { method: "GET", url, headers } }, setTimer(TIMEOUT_MS)],
  ];
}

function started(
  state: PollState,
  { status, random, attempt }: Extract<Stamped<PollInput>, { readonly type: "responseStarted" }>,
  settings: PollSettings,
): Step {
  if (state.phase !== "asking") return [state, NOTHING];
  // no such system, or none of which every release is there
  if (status === 404) return settled(state, settings, random, [{ type: "closeRequest", attempt }]);
  if (status !== 200) return failed(state, random, `the server answered ${status}`);
  return [
    { ...state, phase: "reading" },
    [{ type: "collectResponse", attempt, maxBytes: MAX_ANSWER_BYTES, as: "text" }],
  ];
}

function collected(
  state: PollState,
  { text, random, attempt }: Extract<Stamped<PollInput>, { readonly type: "textCollected" }>,
  settings: PollSettings,
): Step {
  const answer = readJsonObject(text, BOUNDS);
  const manifest = answer?.get("manifest");
  if (!answer || typeof manifest !== "string") return failed(state, random, "the answer has no manifest");
  const read = parseSystem(manifest);
  if (!read.ok) return failed(state, random, read.failure.message);
  const { system, signatures } = read.value;
  const begun = beginVerification(settings.trust, signatures, manifest, "it");
  if (!begun.ok) return failed(state, random, begun.failure.message);
  if (system.name !== settings.name) return failed(state, random, `it is of "${system.name}"`);
  const running = parseVersion(settings.version);
  if (running && compareVersions(system.parsedVersion, running) <= 0)
    return settled(state, settings, random, [{ type: "closeRequest", attempt }]);
  const minimum = parseVersion(system.minCompatibleVersion ?? "");
  if (running && minimum && compareVersions(running, minimum) < 0)
    return failed(state, random, `${system.minCompatibleVersion} has to be installed first`);
  const found: SystemFound = { type: "systemFound", system, links: linksIn(answer, system) };
  return [
    { ...state, phase: "verifying", found, verification: begun.value },
    [{ type: "closeRequest", attempt }, ...verifyFirst(begun.value, attempt, manifest)],
  ];
}

function verified(
  state: PollState,
  { good, random }: Extract<Stamped<PollInput>, { readonly type: "signatureVerified" }>,
  settings: PollSettings,
): Step {
  const { found, verification } = state;
  const after = verification && afterSignature(verification, good);
  if (!found || !after?.ok) return failed(state, random, "its signature is wrong");
  if (after.value === "signed") return settled(state, settings, random, [{ type: "raise", event: found }]);
  const attempt = state.attempt - 1;
  return [
    { ...state, attempt, verification: after.value },
    verifyFirst(after.value, attempt, after.value.manifest),
  ];
}

const NOTHING_FOUND = Object.freeze({ phase: "idle", found: undefined, verification: undefined } as const);

const settled = (
  state: PollState,
  { pollMs }: PollSettings,
  random: number,
  effects: readonly PollEffect[],
): Step => [
  { ...state, ...NOTHING_FOUND, failureCount: 0 },
  [...effects, setTimer(jitteredMs(pollMs, random))],
];

function failed(state: PollState, random: number, why: string): Step {
  const failureCount = state.failureCount + 1;
  return [
    { ...state, ...NOTHING_FOUND, failureCount },
    [
      { type: "closeRequest", attempt: state.attempt },
      { type: "log", level: "warn", message: `system manifest: ${why}` },
      setTimer(backoffMs(RETRY, failureCount, random)),
    ],
  ];
}

/** Of the components that the signed manifest names, and no others. */
function linksIn(answer: JsonObject, { components }: System): readonly ComponentLinks[] {
  const devices = asJsonObject(answer.get("devices"));
  return components.flatMap(({ name }) => {
    const device = asJsonObject(devices?.get(name));
    const releaseUrl = pathIn(device, "release_url");
    const downloadUrl = pathIn(device, "download_url");
    return releaseUrl === "" || downloadUrl === ""
      ? []
      : [{ name, releaseUrl, downloadUrl, digestsUrl: pathIn(device, "digests_url") }];
  });
}

function pathIn(device: JsonObject | undefined, field: string): string {
  const value = device?.get(field);
  const isPath =
    typeof value === "string" && value.length <= MAX_LINK_LENGTH && /^\/(?!\/)[!-~]*$/.test(value);
  return isPath ? value : "";
}
