// The stages of an attempt, from the steps that the device reports and the lines of the log. Pure.

import type { UpdateView } from "../../api/release-views.js";
import type { EventView } from "../../events/event-view.js";

export interface Stage {
  readonly name: string;
  readonly state: "done" | "now" | "failed" | "ahead";
  /** ISO 8601, if in the log. */
  readonly time: string | undefined;
}

/** The image waits in its slot until those of other devices are complete too. */
export const STAGED = "staged";

/** In order; a device that reports fewer steps skips some. */
const STAGES: readonly { readonly name: string; readonly steps: readonly string[] }[] = [
  { name: "Offered", steps: ["pending", "checking"] },
  { name: "Signature", steps: ["verified"] },
  { name: "Download", steps: ["downloading"] },
  { name: "Image check", steps: ["verifying", "installing", STAGED] },
  { name: "Armed", steps: ["armed", "restarting", "booted"] },
  { name: "Trial", steps: ["trial", "rolled back"] },
  { name: "Validated", steps: ["validated", "success"] },
];

/** Lines about the end, not about a step. */
const ENDS: readonly string[] = ["update.failed", "update.superseded", "update.withdrawn"];

const stageOf = (step: string): number => STAGES.findIndex(({ steps }) => steps.includes(step));
const stepOf = ({ kind, detail }: EventView): string => {
  const step = detail?.step;
  return typeof step === "string" ? step : kind.replace("update.", "");
};

/** `events`: lines of the log, in any order, of any attempts. */
export function stagesOf(update: UpdateView, events: readonly EventView[]): readonly Stage[] {
  const own = events.filter(({ update_id }) => update_id === update.id).sort((a, b) => a.id - b.id);
  const times = new Map<number, string>([[0, update.created_at]]);
  for (const event of own) {
    const stage = stageOf(stepOf(event));
    if (stage >= 0 && !ENDS.includes(event.kind) && !times.has(stage)) times.set(stage, event.time);
  }
  const reached = reachedStage(update, [...times.keys()]);
  return STAGES.map(({ name }, index) => ({
    name,
    time:
      update.status === "failed" && index === reached ? (update.finished_at ?? undefined) : times.get(index),
    state: stateOf(update, index, reached),
  }));
}

function reachedStage(update: UpdateView, logged: readonly number[]): number {
  if (update.status === "success") return STAGES.length - 1;
  if (update.error_code === "ROLLED_BACK") return STAGES.findIndex(({ steps }) => steps.includes("trial"));
  if (update.status === "failed") return Math.max(0, stageOf(update.step ?? ""), ...logged);
  return Math.max(0, stageOf(update.step ?? update.status));
}

function stateOf({ status }: UpdateView, index: number, reached: number): Stage["state"] {
  if (index > reached) return "ahead";
  if (index < reached || status === "success") return "done";
  return status === "failed" ? "failed" : "now";
}
