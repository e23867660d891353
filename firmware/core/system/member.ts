// What a member of a system says of itself in a check, and what its leader answers: the orchestrator's reports and requests in the words of the
// device protocol, so that a member needs nothing but the installer that every device has. Pure.

import { type JsonObject, readJsonObject, writeJson } from "../json.js";
import type { UpdateState } from "../update/update.js";
import type { MemberOffer } from "./offers.js";
import type { ComponentReport, ComponentRequest } from "./vocabulary.js";

/** How soon a member checks again while it is led; the least that a device does. */
const POLL_SECONDS = 10;

/** A check's body; `undefined`: it is none. */
export function reportOfCheck(body: JsonObject): ComponentReport | undefined {
  const image = body.get("image_sha256");
  const staged = body.get("staged_sha256");
  if (typeof image !== "string") return undefined;
  return {
    image,
    ...(body.get("slot_state") === "pending_verify" ? { isOnTrial: true } : {}),
    ...(typeof staged === "string" ? { staged } : {}),
  };
}

/** The same of the device that leads. */
export function reportOfDevice(update: UpdateState): ComponentReport | undefined {
  const { boot, onTrial, staged, phase } = update;
  if (!boot) return undefined;
  return {
    image: boot.image.imageSha256,
    ...(onTrial ? { isOnTrial: true } : {}),
    // after a boot it counts when its slot has been proved again
    ...(staged && phase !== "restoring" ? { staged: staged.imageSha256 } : {}),
  };
}

/** What a member reports of an installation. */
export interface ReportSeen {
  readonly deviceId: string;
  readonly firmwareId: number;
  readonly status: string;
  readonly step: string;
  readonly code: string;
  readonly message: string;
}

/** The body of a POST to /api/ota/status; `undefined`: it is none. */
export function reportSeen(body: string): ReportSeen | undefined {
  const report = readJsonObject(body);
  const firmwareId = report?.get("firmware_id");
  const status = report?.get("status");
  if (typeof firmwareId !== "number" || typeof status !== "string") return undefined;
  return {
    deviceId: textIn(report, "device_id", MAX_ID_LENGTH),
    firmwareId,
    status: status.slice(0, MAX_WORD_LENGTH),
    step: textIn(report, "step", MAX_WORD_LENGTH),
    code: textIn(report, "error_code", MAX_WORD_LENGTH),
    message: textIn(report, "error_message", MAX_MESSAGE_LENGTH),
  };
}

const MAX_ID_LENGTH = 64;
const MAX_WORD_LENGTH = 24;
const MAX_MESSAGE_LENGTH = 160;

function textIn(report: JsonObject | undefined, name: string, maxLength: number): string {
  const value = report?.get(name);
  return typeof value === "string" ? value.slice(0, maxLength) : "";
}

/**
 * The answer to a member's check, JSON. `undefined`: the leader cannot give it, because it does not have the release.
 * @param request what the leader wants of it; absent: that it waits
 * @param time seconds since 1970
 */
export function answerToCheck(
  request: ComponentRequest | undefined,
  offers: readonly MemberOffer[],
  time: number,
): string | undefined {
  const always = { time, poll_seconds: POLL_SECONDS, poll_is_for_all: true };
  switch (request?.type) {
    case "stageComponent": {
      const offer = offers.find(({ id, image }) => id === request.id && image === request.image);
      return offer && writeJson({ update_available: true, ...always, ...offer.answer, hold: true });
    }
    case "commitComponent":
      return writeJson({ update_available: false, ...always, commit: request.image });
    case "abandonComponent":
      return writeJson({ update_available: false, ...always, abandon: true });
    case "rollBackComponent":
      return writeJson({ update_available: false, ...always, revert: request.image });
    default:
      return writeJson({ update_available: false, ...always });
  }
}
