// `skyslot rollout edit`: changes what is given and leaves the rest. Concurrent changes of others are not overwritten.

import { Option } from "commander";
import type { ProgressView } from "../api/rollout-views.js";
import { defined } from "../shared/defined.js";
import { type AddCommand, callServer } from "./client.js";
import { show, UsageError, wholeNumber } from "./output.js";
import { paintState } from "./rollout-drawing.js";
import { CLEARED, readPlanFlags, withPlan } from "./rollout-options.js";
import { type ListedPlanFlags, showPlan } from "./rollout-plan.js";

interface EditFlags extends ListedPlanFlags {
  readonly firmware?: number;
  readonly clear?: readonly string[];
  readonly plan?: boolean;
}

export function addEditCommand(add: AddCommand): void {
  const command = add(
    "edit <id>",
    "change a draft, or what is safe in a rollout that has begun: windows, limits, thresholds, later stages",
  );
  withPlan(command)
    .option("--no-approval", "require no approval")
    .option("--firmware <id>", "another release, before it has begun", wholeNumber)
    .addOption(new Option("--clear <what...>", "remove this condition or limit").choices([...CLEARED.keys()]))
    .option("--plan", "show what it would then do, without changing it")
    .option("--limit <n>", "with --plan: maximum number of devices to list of each kind", wholeNumber, 20)
    .action(edit);
}

async function edit(id: string, flags: EditFlags): Promise<void> {
  const path = `/api/rollouts/${wholeNumber(id)}`;
  const before = await callServer<ProgressView>(flags, `GET ${path}`);
  const patch = await readPatch(flags, before);
  if (Object.keys(patch).length === 0)
    throw new UsageError("nothing to change: see `skyslot rollout edit --help`");
  if (flags.plan) {
    await showPlan(`${path}/plan`, patch, flags);
    return;
  }
  const seen = { "if-match": `"${before.revision}"` };
  const after = callServer<ProgressView>(flags, `PATCH ${path}`, patch, seen);
  await show(flags, after, ({ id: number, revision, state, reason }) =>
    revision === before.revision
      ? `rollout ${number} is unchanged`
      : `rollout ${number}, revision ${revision}: ${paintState(state)}, ${reason}`,
  );
}

async function readPatch(flags: EditFlags, { windows }: ProgressView): Promise<Record<string, unknown>> {
  const patch: Record<string, unknown> = {
    ...(await readPlanFlags(flags, windows?.time_zone)),
    ...defined({ firmware_id: flags.firmware }),
  };
  for (const [field, value] of (flags.clear ?? []).flatMap((name) => Object.entries(CLEARED.get(name) ?? {})))
    patch[field] = value === null ? null : { ...(patch[field] as object | undefined), ...value };
  return patch;
}
