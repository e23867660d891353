// The last steps of an installation, of an image that came just now and of one that was staged: its record, the slot that starts next, the
// restart. The slot was proved before. Decides nothing.

import type { Effect } from "../effect.js";
import type { Raise } from "../event.js";
import { TRIAL_REASON_KEY } from "../trial/boot-validation.js";
import type { Job } from "./job.js";
import { type InstallRecord, RECORD_KEY, storeRecord, writeRecord } from "./record.js";
import { clearSetbacks } from "./setbacks.js";
import { enter, report, type Step, type UpdateState } from "./state.js";

/** Time for the last report to be sent before the restart. */
const RESTART_DELAY_MS = 2_000;

/**
 * Arms the slot once the record is stored: without it nothing could be told of what becomes of the image.
 *
 * @param before what has to be there when the record is: power may be cut between two keys, and with the record the slot is armed again
 * @param after what is stored, or forgotten, after it
 */
export const recordAndArm = (
  record: InstallRecord,
  attempt: number,
  before: Readonly<Record<string, string | undefined>> = {},
  after: Readonly<Record<string, string | undefined>> = {},
): Effect => ({
  type: "save",
  purpose: "record",
  values: { [TRIAL_REASON_KEY]: undefined, ...before, [RECORD_KEY]: writeRecord(record), ...after },
  next: [{ type: "armSlot", attempt, imageSha256: record.imageSha256 }],
});

/** The slot is armed. `told`: to those who wait for it. */
export function restartInto(
  state: UpdateState,
  about: Job | InstallRecord,
  { version, size }: { readonly version: string; readonly size: number },
  told: readonly (Effect | Raise)[],
  delayMs = RESTART_DELAY_MS,
): Step {
  const [setbacks, clearing] = clearSetbacks(state.setbacks);
  const { record, boot } = state;
  return [
    enter(state, { phase: "restarting", setbacks, staged: undefined }),
    [
      ...clearing,
      {
        type: "log",
        level: "info",
        message: `${version} is in ${boot?.target?.label ?? "its slot"}, restarting`,
      },
      ...(record ? [storeRecord({ ...record, armed: true })] : []),
      ...report(state, about, { status: "installing", step: "armed", bytes_downloaded: size }),
      ...told,
      { type: "setTimer", timer: "restart", delayMs },
    ],
  ];
}
