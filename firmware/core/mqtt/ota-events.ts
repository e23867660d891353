// What has happened to a device's updates, told from its states before and after an event, for an MQTT broker. It decides nothing and keeps
// nothing: whatever installs an image, these are told of it.

import type { DeviceState } from "../device-state.js";
import { writeJson } from "../json.js";
import type { Message } from "./packets.js";

type Seen = Pick<DeviceState, "update" | "trial" | "localApi">;

interface OtaEvent {
  readonly event: string;
  readonly version?: string;
  readonly percent?: number;
  readonly code?: string;
  readonly reason?: string;
}

/** A message for each thing that has happened: a report a tenth at most while an image comes in. */
export function otaMessages(topic: string, before: Seen, after: Seen): readonly Message[] {
  const { boot } = after.localApi;
  if (!boot || before === after) return NONE;
  const found = [...ofUpdate(before, after), ...ofTrial(before, after), ...ofFailure(before, after)];
  const { deviceId } = boot.identity;
  const running = boot.image.version;
  return found.map((one) => ({
    topic: `${topic}/ota`,
    payload: writeJson({ device: deviceId, running, ...one }),
    isRetained: false,
  }));
}

const NONE: readonly never[] = Object.freeze([]);

const jobOf = ({ update }: Seen) => ("job" in update ? update.job : undefined);

function ofUpdate(before: Seen, after: Seen): readonly OtaEvent[] {
  if (before.update === after.update) return NONE;
  const was = jobOf(before);
  const job = jobOf(after);
  const { record, staged, phase } = after.update;
  const version = (job ?? was)?.release.version ?? record?.version ?? "";
  if (job && !was) return [{ event: "started", version }];
  if (job && was && job.lastStep > was.lastStep)
    return [{ event: "progress", version, percent: Math.min(100, job.lastStep * 10) }];
  if (before.update.phase === phase) return NONE;
  // after a boot it is there again, which is no news
  if (before.update.phase === "staging" && staged) return [{ event: "staged", version }];
  const event = PHASE_EVENTS.find(([one]) => one === phase)?.[1];
  return event === undefined ? NONE : [{ event, version }];
}

const PHASE_EVENTS: readonly (readonly [phase: string, event: string])[] = Object.freeze([
  Object.freeze(["proving", "verifying"] as const),
  Object.freeze(["restarting", "installed"] as const),
]);

function ofTrial(before: Seen, after: Seen): readonly OtaEvent[] {
  const { phase } = after.trial;
  if (before.trial.phase === phase) return NONE;
  const version = after.localApi.boot?.image.version ?? "";
  if (phase === "trial") return [{ event: "trial", version }];
  if (phase === "passed") return [{ event: "validated", version }];
  return phase === "rolledBack" ? [{ event: "rolling-back", version }] : NONE;
}

function ofFailure(before: Seen, after: Seen): readonly OtaEvent[] {
  const { lastError, lastRollBack } = after.localApi;
  const found: OtaEvent[] = [];
  if (lastRollBack && lastRollBack !== before.localApi.lastRollBack) {
    const { version, code, reason } = lastRollBack;
    found.push({ event: "rolled-back", version, code, reason });
  }
  // an error of a network or of the app is none of an update
  const isUpdates = jobOf(before) !== undefined || before.update.phase === "verifying";
  if (lastError && lastError !== before.localApi.lastError && isUpdates) {
    const version = jobOf(before)?.release.version;
    const { code, message } = lastError;
    found.push({ event: "failed", code, reason: message, ...(version === undefined ? {} : { version }) });
  }
  return found;
}
