// `skyslot rollout start`, `approve`, `pause` … and `rollback`. Commands that begin or approve something send the revision that the user
// has seen: a rollout that was changed since is refused. Commands that stop something apply to any revision by default.

import { Option } from "commander";
import type { PlanView, ProgressView, WayBackView } from "../api/rollout-views.js";
import { defined } from "../shared/defined.js";
import { type Term, termChanges, termsOf } from "../shared/rollout-terms.js";
import type { RolloutView } from "../shared/rollout-view.js";
import { plural } from "../shared/words.js";
import { type AddCommand, AnswerError, callServer, type ServerFlags } from "./client.js";
import { bold, printLine, printRows, show, sizeText, wholeNumber, yellow } from "./output.js";
import { paintState } from "./rollout-drawing.js";
import { minute } from "./rollout-plan.js";
import { readLineFrom } from "./secret-input.js";

export interface OrderFlags extends ServerFlags {
  readonly reason?: string;
  readonly revision?: number;
  readonly yes?: boolean;
}
export type ShownRollout = ProgressView & { readonly release: string | null; readonly time: string };

const ORDERS = [
  ["start", "start a draft"],
  ["approve", "review and approve another user's rollout"],
  ["pause", "offer nothing more until it is resumed"],
  ["resume", "resume a paused rollout"],
  ["promote", "open the next stage now, without waiting for evidence"],
  ["cancel", "cancel for good"],
] as const;
export type OrderKind = (typeof ORDERS)[number][0];

const STOPPING: readonly OrderKind[] = Object.freeze(["pause", "cancel"]);

export function addOrderCommands(add: AddCommand): void {
  for (const [kind, description] of ORDERS) {
    const command = add(`${kind} <id>`, description)
      .option("--reason <text>", "reason, shown with the rollout and in the logs")
      .addOption(revisionOption())
      .action((id: string, flags: OrderFlags) => order(kind, id, flags));
    if (kind === "approve") command.option("--yes", "approve without confirmation");
  }
  add("rollback <id>", "cancel it and bring its devices to another release")
    .option(
      "--to <firmware>",
      "release to roll back to (default: the newest release above the bad one)",
      wholeNumber,
    )
    .option("--list", "list possible releases, without changing anything")
    .addOption(revisionOption())
    .action(rollBack);
}

const revisionOption = (): Option =>
  new Option("--revision <n>", "only if it is still at this revision").argParser(wholeNumber);

const pathOf = (id: string): string => `/api/rollouts/${wholeNumber(id)}`;

export const fetchRollout = (id: string, flags: ServerFlags): Promise<ShownRollout> =>
  callServer(flags, `GET ${pathOf(id)}`);

export async function order(kind: OrderKind, id: string, flags: OrderFlags): Promise<void> {
  const seen = STOPPING.includes(kind) ? undefined : await fetchRollout(id, flags);
  if (seen && kind === "approve") await agree(seen, flags);
  const revision = flags.revision ?? seen?.revision;
  const answer = post<ProgressView>(flags, id, kind, defined({ reason: flags.reason }), revision, seen);
  await show(flags, answer, (view) => `rollout ${view.id}: ${paintState(view.state)}, ${view.reason}`);
}

function post<Answer>(
  flags: OrderFlags,
  id: string,
  kind: string,
  body: object,
  revision: number | undefined,
  seen?: ShownRollout,
): Promise<Answer> {
  const headers = defined({ "if-match": revision === undefined ? undefined : `"${revision}"` });
  return callServer<Answer>(
    flags,
    `POST ${pathOf(id)}/${kind}`,
    body,
    headers as Record<string, string>,
  ).catch((error: unknown) => tellChanges(error, id, seen, flags));
}

/** Shows the rollout and asks for confirmation. @throws UsageError without a terminal @throws Error if it is declined */
async function agree(rollout: ShownRollout, flags: OrderFlags): Promise<void> {
  if (!flags.json) await showApproved(rollout, flags);
  // The server refuses another revision.
  if (flags.yes || flags.revision !== undefined) return;
  const { id, revision } = rollout;
  const answer = await readLineFrom(
    `Approve revision ${revision} of rollout ${id}? [y/N] `,
    `approve with \`skyslot rollout approve ${id} --revision ${revision}\``,
  );
  if (!/^y(es)?$/i.test(answer)) throw new Error(`rollout ${id} was not approved`);
}

async function showApproved(rollout: ShownRollout, flags: ServerFlags): Promise<void> {
  const plan = await callServer<PlanView>(flags, `GET /api/rollouts/${rollout.id}/plan?limit=1`);
  const { id, name, revision, state, created_by: maker, edited_by: editor } = rollout;
  printLine(`${bold(`rollout ${id}`)}  ${name}  ${paintState(state)}, revision ${revision}`);
  printTerms(rollout);
  printLine(`  ${"Created by".padEnd(TERM_WIDTH)} ${maker}${editor ? `, changed by ${editor}` : ""}`);
  printLine(
    `  ${"Reaches".padEnd(TERM_WIDTH)} ${plural(plan.device_count, "device")}, ${sizeText(plan.bytes)}; ${plural(plan.excluded_count, "device")} left out`,
  );
  for (const note of plan.notes) printLine(`  ${yellow(note)}`);
}

const TERM_WIDTH = 18;

export function printTerms(rollout: ShownRollout): void {
  for (const { name, value } of readTerms(rollout)) printLine(`  ${name.padEnd(TERM_WIDTH)} ${value}`);
}

const readTerms = (rollout: ShownRollout): readonly Term[] => termsOf(rollout, (iso) => `${minute(iso)} UTC`);

/** Where a rollout was changed meanwhile: prints the differences, and what to do. */
async function tellChanges(
  error: unknown,
  id: string,
  seen: ShownRollout | undefined,
  flags: OrderFlags,
): Promise<never> {
  if (!(error instanceof AnswerError) || error.code !== "REVISION_CHANGED") throw error;
  const now = await fetchRollout(id, flags);
  if (seen && seen.revision !== now.revision && !flags.json)
    for (const { name, before, after } of termChanges(readTerms(seen), readTerms(now)))
      printLine(`  ${name.padEnd(TERM_WIDTH)} ${before ?? "–"} ${yellow("→")} ${after ?? "–"}`);
  throw new Error(
    `${error.message}: \`skyslot rollout show ${now.id}\`, then repeat the command with --revision ${now.revision}`,
  );
}

async function rollBack(
  id: string,
  flags: OrderFlags & { readonly to?: number; readonly list?: boolean },
): Promise<void> {
  if (flags.list) return listWaysBack(id, flags);
  const body = defined({ firmware_id: flags.to });
  const answer = post<{ back: RolloutView }>(flags, id, "rollback", body, flags.revision);
  await show(
    flags,
    answer,
    ({ back }) => `rollout ${id} is cancelled; rollout ${back.id}, ${back.name}, is ${back.state}`,
  );
}

function listWaysBack(id: string, flags: OrderFlags): Promise<void> {
  const answer = callServer<{ releases: WayBackView[] }>(flags, `GET ${pathOf(id)}/rollback`);
  return show(flags, answer, ({ releases }) =>
    printRows(releases, {
      FIRMWARE: "firmware_id",
      RELEASE: "release",
      FOR: ({ is_newer, is_default }) =>
        is_newer ? `every device${is_default ? ", the default" : ""}` : "devices that accept older versions",
    }),
  );
}
