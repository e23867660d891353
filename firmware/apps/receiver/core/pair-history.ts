// What happens to one device of the pair outside of a job for both, as entries of their history: told from the receiver's states before and
// after an event, and from the reports of the transmitter on their way to the update server. Decides nothing.

import type { DeviceState } from "../../../core/device-state.js";
import type { HistoryEntry } from "../../../core/system/history.js";
import type { ReportSeen } from "../../../core/system/member.js";
import { OTHER, SELF } from "./uploaded-job.js";

/** @param time seconds since 1970; 0: not known */
export function ofReceiver(before: DeviceState, after: DeviceState, time: number): HistoryEntry | undefined {
  const { boot, lastRollBack } = after.localApi;
  if (after.trial.phase === "passed" && before.trial.phase !== "passed")
    return { version: boot?.image.version ?? "", result: "finished", reason: "", time, what: SELF };
  if (!lastRollBack || lastRollBack === before.localApi.lastRollBack) return undefined;
  const { version, reason } = lastRollBack;
  return { version, result: "failed", reason, time, what: SELF };
}

/** @param version that the transmitter runs as it reports */
export function ofTransmitter(
  { status, code, message }: ReportSeen,
  version: string,
  time: number,
): HistoryEntry | undefined {
  if (status === "success") return { version, result: "finished", reason: "", time, what: OTHER };
  if (status !== "failed") return undefined;
  return { version: "", result: "failed", reason: message || code, time, what: OTHER };
}
