// From an offer to a job: reads the release, has its signature verified, judges it. Nothing is written to the slot before that.

import type { Failure, Result } from "./errors.js";
import type { Stamped } from "./event.js";
import { resume } from "./install.js";
import { judgeRelease, parseRelease, type Release } from "./release.js";
import { originOf } from "./server-token.js";
import { pushVerified } from "./update-push.js";
import { FRESH_JOB, type Job, nextCheck, report, type Step, told, type UpdateState } from "./update-state.js";
import type { UpdateResponse } from "./wire.js";

export function considerOffer(state: UpdateState, offer: UpdateResponse, at: number, random: number): Step {
  const offered: UpdateState = { ...state, offer };
  const parsed = parseRelease(offer.release);
  if (!parsed.ok) return refuse(offered, parsed.failure, random);
  const signed = parsed.value;
  const { held } = state;
  if (held && held.imageSha256 === signed.release.imageSha256 && at < held.untilMs)
    return [state, [nextCheck(state, random)]];
  if (!state.boot?.build.keyIds.includes(signed.keyId)) {
    return refuse(
      offered,
      {
        code: "KEY_UNKNOWN",
        message: `release is signed by key ${signed.keyId}, which this firmware does not trust`,
      },
      random,
    );
  }
  const attempt = state.attempt + 2;
  return [
    { ...offered, phase: "verifying", attempt, signed },
    [
      {
        type: "verifySignature",
        attempt,
        keyId: signed.keyId,
        signed: signed.signed,
        signature: signed.signature,
      },
    ],
  ];
}

export function signatureVerified(state: UpdateState, event: Stamped & { readonly good: boolean }): Step {
  if (state.push) return pushVerified(state, state.push, event);
  const { signed, offer, boot } = state;
  if (!signed || !offer || !boot) return [state, []];
  if (!event.good) {
    return refuse(
      state,
      { code: "SIGNATURE_INVALID", message: `signature by key ${signed.keyId} does not fit the release` },
      event.random,
    );
  }
  const judged: Result<Release> = judgeRelease(signed.release, {
    identity: boot.identity,
    image: boot.image,
    slotBytes: boot.target?.sizeBytes ?? 0,
    time: offer.time,
  });
  if (!judged.ok) return refuse(state, judged.failure, event.random);
  const job: Job = {
    source: {
      kind: "server",
      firmwareId: offer.firmware_id,
      url: absoluteUrl(state.server, offer.download_url),
      manifest: offer.release,
    },
    release: judged.value,
    signed: true,
    md5: undefined,
    ...FRESH_JOB,
    wholeOnly: state.rangeIgnored,
  };
  const verified: UpdateState = { ...state, signed: undefined, offer: undefined, rangeIgnored: false };
  const [next, effects] = resume(verified, job);
  return [
    next,
    [
      {
        type: "log",
        level: "info",
        message: `updating to ${offer.version} build ${offer.build_number}, ${judged.value.size} bytes`,
      },
      ...report(verified, job, { status: "downloading", step: "verified", bytes_downloaded: 0 }),
      ...effects,
    ],
  ];
}

const absoluteUrl = (server: string, url: string) =>
  url.startsWith("/") ? `${originOf(server)}${url}` : url;

/** Nothing was written, and another download would not help: told once, not tried again until something else is offered. */
function refuse(state: UpdateState, failure: Failure, random: number): Step {
  const { offer } = state;
  if (!offer) return [state, []];
  const idle: UpdateState = {
    ...state,
    phase: "idle",
    offer: undefined,
    signed: undefined,
    refused: { firmwareId: offer.firmware_id, release: offer.release },
  };
  return [
    idle,
    [
      {
        type: "log",
        level: "error",
        message: `update to ${offer.version} refused: ${failure.message} [${failure.code}]`,
      },
      ...report(
        idle,
        { firmwareId: offer.firmware_id },
        { status: "failed", step: "refused", ...told(failure.code, failure.message) },
      ),
      { type: "raise", event: { type: "updateFailed", ...failure } },
      nextCheck(idle, random),
    ],
  ];
}
