// `skyslot rollout edit`: changes what is told and leaves the rest. What somebody else has changed meanwhile is not overwritten.

import { Option } from "commander";
import type { ProgressView } from "../api/rollout-views.js";
import { type AddCommand, callServer, jsonRequest } from "./client.js";
import { printJson, printLine, UsageError, wholeNumber } from "./output.js";
import { paintState } from "./rollout-drawing.js";
import { readPlanFlags, withPlan } from "./rollout-options.js";
import { type ListedPlanFlags, showPlan } from "./rollout-plan.js";

interface EditFlags extends ListedPlanFlags {
  readonly firmware?: number;
  readonly clear?: readonly string[];
  readonly plan?: boolean;
}

/** What `--clear` takes away, as a merge patch. */
const CLEARED: Readonly<Record<string, object>> = Object.freeze({
  tags: { target: { tags: null } },
  groups: { target: { groups: null } },
  devices: { target: { devices: null } },
  hardware: { target: { hardware: null } },
  from: { target: { from_version: null } },
  to: { target: { to_version: null } },
  windows: { windows: null },
  "start-at": { start_at: null },
  "max-concurrent": { max_concurrent: null },
});

export function addEditCommand(add: AddCommand): void {
  const command = add(
    "edit <id>",
    "change a draft, or of a rollout that has begun what is safe: windows, limits, thresholds, stages to come",
  );
  withPlan(command)
    .option("--no-approval", "nobody else has to agree")
    .option("--firmware <id>", "another release, before it has begun", wholeNumber)
    .addOption(
      new Option("--clear <what...>", "no longer ask for this of devices, or limit it").choices(
        Object.keys(CLEARED),
      ),
    )
    .option("--plan", "tell what it would then do, and change nothing")
    .option("--limit <n>", "with --plan: devices that are listed of each kind", wholeNumber, 20)
    .action(edit);
}

async function edit(id: string, flags: EditFlags): Promise<void> {
  const path = `/api/rollouts/${wholeNumber(id)}`;
  const before = (await callServer(flags, path)) as ProgressView;
  const patch = await readPatch(flags, before);
  if (Object.keys(patch).length === 0)
    throw new UsageError("say what to change: see `skyslot rollout edit --help`");
  if (flags.plan) {
    await showPlan(`${path}/plan`, patch, flags);
    return;
  }
  const request = jsonRequest("PATCH", patch);
  const headers = { ...request.headers, "if-match": `"${before.revision}"` };
  const after = (await callServer(flags, path, { ...request, headers })) as ProgressView;
  if (flags.json) printJson(after);
  else if (after.revision === before.revision) printLine(`rollout ${after.id} is so already`);
  else
    printLine(`rollout ${after.id}, revision ${after.revision}: ${paintState(after.state)}, ${after.reason}`);
}

async function readPatch(flags: EditFlags, { windows }: ProgressView): Promise<Record<string, unknown>> {
  const told: Record<string, unknown> = {
    ...(await readPlanFlags(flags, windows?.time_zone)),
    ...(flags.firmware === undefined ? {} : { firmware_id: flags.firmware }),
  };
  for (const [field, value] of (flags.clear ?? []).flatMap((name) => Object.entries(CLEARED[name] ?? {})))
    told[field] = value === null ? null : { ...(told[field] as object | undefined), ...value };
  return told;
}
