// Fetches the release of each component of a system that was found, one after the other, and makes of them what its members are offered, and
// the job for its leader. Only a release that the signed system names by its hash counts; its own signature is verified by the device that installs it.
//
//   systemFound ─► asking ─ release ─► asking the next one … ─► offersReady
//                     └─ anything else ─► offersFailed

import { readDigits } from "../digits.js";
import type { Effect, TimerEffect } from "../effect.js";
import type { Event, TimerFired } from "../event.js";
import { isFirmwareId } from "../update/record.js";
import { parseRelease } from "../update/release.js";
import { MAX_RELEASE_LENGTH, type UpdateResponse } from "../wire.js";
import type { ComponentLinks, SystemFound } from "./poll.js";
import type { SystemJob } from "./vocabulary.js";

/** What a member is told when it is to fetch its image, as in the answer to a check. */
export interface MemberOffer {
  /** Of the component, such as `transmitter`. */
  readonly id: string;
  /** SHA-256 in the image, hex. */
  readonly image: string;
  /** Of its file. */
  readonly sizeBytes: number;
  readonly answer: Pick<
    UpdateResponse,
    "firmware_id" | "version" | "build_number" | "download_url" | "digests_url" | "release"
  >;
}

export type OffersTimer = "system.offers";

export interface OffersState {
  /** `undefined`: nothing is fetched. */
  readonly found: SystemFound | undefined;
  readonly offers: readonly MemberOffer[];
  readonly attempt: number;
}

export const initialOffers: OffersState = Object.freeze({
  found: undefined,
  offers: Object.freeze([]),
  attempt: 0,
});

export type OffersOutput =
  | Extract<Effect, { readonly type: "startRequest" | "collectResponse" | "closeRequest" | "log" }>
  | TimerEffect<OffersTimer>
  | { readonly type: "offersReady"; readonly job: SystemJob; readonly offers: readonly MemberOffer[] }
  | { readonly type: "offersFailed"; readonly message: string };

/** Whom to ask, and as whom. */
export interface OffersSource {
  readonly server: string;
  readonly headers: Readonly<Record<string, string>>;
}

type Step = readonly [OffersState, readonly OffersOutput[]];

const TIMEOUT_MS = 30_000;
/** The slowest link, and a transmitter that is away for the night. */
const STAGE_TIMEOUT_SECONDS = 12 * 3_600;

/** @param attempt a negative number that is nobody else's; those of the requests count down from it */
export function fetchOffers(found: SystemFound, attempt: number, source: OffersSource): Step {
  return next({ found, offers: [], attempt }, source);
}

export function offersHeard(
  state: OffersState,
  event: Event | TimerFired<string>,
  source: OffersSource,
): Step {
  if (!state.found) return [state, []];
  if (event.type === "timerFired")
    return event.timer === "system.offers" ? failed(state, "the server is silent") : [state, []];
  if (!("attempt" in event) || event.attempt !== state.attempt) return [state, []];
  const { attempt } = state;
  switch (event.type) {
    case "responseStarted":
      return event.status === 200
        ? [state, [{ type: "collectResponse", attempt, maxBytes: MAX_RELEASE_LENGTH, as: "text" }]]
        : failed(state, `the server answered ${event.status}`);
    case "textCollected":
      return taken(state, state.found, event.text, source);
    case "responseEnded":
    case "requestFailed":
      return failed(state, "the release was not received");
    default:
      return [state, []];
  }
}

function next(state: OffersState, { server, headers }: OffersSource): Step {
  const { found, offers } = state;
  const component = found?.system.components[offers.length];
  if (!found || !component) return ready(state);
  const links = found.links.find(({ name }) => name === component.name);
  if (!links) return failed(state, `the server has no ${component.name}`);
  const attempt = state.attempt - 1;
  const request = { method: "GET", url: `${server}${links.releaseUrl}`, headers } as const;
  return [
    { ...state, attempt },
    [
      { type: "startRequest", attempt, request },
      { type: "setTimer", timer: "system.offers", delayMs: TIMEOUT_MS },
    ],
  ];
}

function taken(state: OffersState, { system, links }: SystemFound, text: string, source: OffersSource): Step {
  const component = system.components[state.offers.length];
  const place = links.find(({ name }) => name === component?.name);
  const read = parseRelease(text, MAX_RELEASE_LENGTH);
  if (!component || !place || !read.ok) return failed(state, read.ok ? "no place" : read.failure.message);
  const { release } = read.value;
  if (release.sha256 !== component.sha256)
    return failed(state, `it is not the ${component.name} of the system`);
  const firmwareId = firmwareIdIn(place);
  if (firmwareId === undefined) return failed(state, `${place.downloadUrl} is no download`);
  const offer: MemberOffer = {
    id: component.name,
    image: release.imageSha256,
    sizeBytes: release.size,
    answer: {
      firmware_id: firmwareId,
      version: release.version,
      build_number: release.build,
      download_url: place.downloadUrl,
      ...(place.digestsUrl === "" ? {} : { digests_url: place.digestsUrl }),
      release: text,
    },
  };
  const { attempt } = state;
  const [after, outputs] = next({ ...state, offers: [...state.offers, offer] }, source);
  return [after, [{ type: "closeRequest", attempt }, ...outputs]];
}

/** As servers write it: the number behind `download/`. */
function firmwareIdIn({ downloadUrl }: ComponentLinks): number | undefined {
  const [, rest = ""] = downloadUrl.split("/download/", 2);
  const id = readDigits(rest.split(/[/?]/, 1)[0] ?? "");
  return isFirmwareId(id) ? id : undefined;
}

function ready({ found, offers, attempt }: OffersState): Step {
  if (!found) return [initialOffers, []];
  const { version, rebootDelaySeconds, healthTimeoutSeconds } = found.system;
  const job: SystemJob = {
    version,
    rule: "all",
    components: offers.map(({ id, image }, step) => ({ id, image, step })),
    rebootDelaySeconds,
    healthTimeoutSeconds,
    stageTimeoutSeconds: STAGE_TIMEOUT_SECONDS,
  };
  return [
    { ...initialOffers, attempt },
    [
      { type: "clearTimer", timer: "system.offers" },
      { type: "offersReady", job, offers },
    ],
  ];
}

function failed({ found, attempt }: OffersState, why: string): Step {
  const message = `the releases of system ${found?.system.version ?? ""}: ${why}`;
  return [
    { ...initialOffers, attempt },
    [
      { type: "clearTimer", timer: "system.offers" },
      { type: "closeRequest", attempt },
      { type: "log", level: "warn", message },
      { type: "offersFailed", message },
    ],
  ];
}
