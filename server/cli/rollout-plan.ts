// `skyslot rollout plan`, and the output of plans.

import type { PlanView } from "../api/rollout-views.js";
import { type AddCommand, callServer, type ServerFlags } from "./client.js";
import { bold, printLine, printRows, show, sizeText, wholeNumber, yellow } from "./output.js";
import { type PlanFlags, readPlanFlags, withPlan } from "./rollout-options.js";
import { toMinute } from "./times.js";

export interface ListedPlanFlags extends ServerFlags, PlanFlags {
  readonly limit: number;
}

export function addPlanCommand(add: AddCommand): void {
  withPlan(
    add(
      "plan <firmware>",
      "show which devices would get a firmware, when, and why others would not; changes nothing",
    ),
  )
    .option("--limit <n>", "maximum number of devices to list of each kind", wholeNumber, 20)
    .action(async (firmware: string, flags: ListedPlanFlags) => {
      const body = { ...(await readPlanFlags(flags)), firmware_id: wholeNumber(firmware) };
      const view = await showPlan("/api/rollouts/plan", body, flags);
      if (!flags.json)
        printLine(`Create it with --seed ${view.seed} to get the same devices in the same stages.`);
    });
}

/** Asks the server for a plan and prints it. */
export async function showPlan(path: string, body: object, flags: ListedPlanFlags): Promise<PlanView> {
  const view = await callServer<PlanView>(flags, `POST ${path}?limit=${flags.limit}`, body);
  await show(flags, view, printPlan);
  return view;
}

function printPlan(view: PlanView): void {
  printLine(
    bold(
      `${view.device_count} of ${view.device_count + view.excluded_count} devices get it, ${sizeText(view.bytes)} in all`,
    ),
  );
  printRows(view.stages, {
    STAGE: "name",
    DEVICES: "device_count",
    ...(view.uncounted_count > 0 ? { "NOT COUNTED": "uncounted_count" as const } : {}),
    BYTES: (stage) => sizeText(stage.bytes),
    "NOT BEFORE": (stage) => minute(stage.earliest_at),
  });
  for (const { device_id, stage, firmware_ids, counted } of view.devices) {
    const way = firmware_ids.length > 1 ? ` over firmware ${firmware_ids.slice(0, -1).join(", ")}` : "";
    printLine(`  ${device_id}  stage ${stage + 1}${way}${counted ? "" : `, ${yellow("not counted")}`}`);
  }
  if (view.devices.length < view.device_count)
    printLine(`  … ${view.device_count - view.devices.length} more`);
  for (const { device_id, sentence } of view.excluded)
    printLine(`  ${yellow("left out")} ${device_id}: ${sentence}`);
  if (view.excluded.length < view.excluded_count) {
    const reasons = Object.entries(view.excluded_by).map(([verdict, count]) => `${count} ${verdict}`);
    printLine(
      `  … ${view.excluded_count - view.excluded.length} more left out; in all: ${reasons.join(", ")}`,
    );
  }
  for (const note of view.notes) printLine(yellow(note));
}

/** A time, to the minute. */
export const minute = (time: string | null): string => toMinute(time) ?? "no window";
