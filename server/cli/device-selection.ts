// Which devices a command applies to: those listed, or all that match a filter, after a confirmation that shows their number.

import { type Command, Option } from "commander";
import {
  type BulkAnswer,
  type BulkChange,
  type BulkTally,
  runBulk,
  type Selection,
} from "../shared/bulk-run.js";
import { defined } from "../shared/defined.js";
import { plural } from "../shared/words.js";
import { callServer, query, type ServerFlags } from "./client.js";
import { printLine, red, show, UsageError, yellow } from "./output.js";
import { readLineFrom } from "./secret-input.js";

export interface SelectionFlags extends ServerFlags {
  readonly all?: boolean;
  readonly type?: string;
  readonly tag?: string;
  readonly inGroup?: string;
  readonly runs?: string;
  readonly status?: "online" | "late" | "offline";
  readonly unvouched?: boolean;
  readonly rootBehind?: boolean;
  readonly search?: string;
  readonly yes?: boolean;
}

export const withSelection = (command: Command): Command =>
  command
    .option("--all", "all devices, instead of listed ones")
    .option("--type <type>", "all of this type")
    .option("--tag <tag>", "all with this tag")
    .option("--in-group <group>", "all of this group")
    .option("--runs <version>", "all that run this version")
    .addOption(new Option("--status <status>", "all with this status").choices(["online", "late", "offline"]))
    .option("--unvouched", "all that nobody vouched for")
    .option("--root-behind", "all whose trust root is older than the newest one of the server")
    .option("--search <text>", "all with this in the id")
    .option("--yes", "do not ask for confirmation");

/** @throws UsageError unless there are either ids or a filter */
export function readSelection(ids: readonly string[], flags: SelectionFlags): Selection {
  const { type, tag, inGroup: group, runs: version, status, unvouched, rootBehind, search } = flags;
  const vouched = unvouched ? ("no" as const) : undefined;
  const root = rootBehind ? ("behind" as const) : undefined;
  const filter = defined({ type, tag, group, version, status, vouched, root, search });
  const isFiltered = Object.keys(filter).length > 0 || flags.all === true;
  if (ids.length > 0 && isFiltered) throw new UsageError("give either device ids or a filter, not both");
  if (ids.length === 0 && !isFiltered)
    throw new UsageError("no devices given: list ids, or use a filter such as --tag lab, or --all");
  return isFiltered ? { filter } : { ids };
}

/** Asks for confirmation, changes the devices, and reports how many were refused and why. Exit status 1 if any was. */
export async function changeAll(
  what: string,
  filter: Extract<Selection, { filter: unknown }>["filter"],
  change: BulkChange,
  flags: SelectionFlags,
): Promise<void> {
  const line = `GET /api/devices${query({ ...filter, limit: 1 })}`;
  const { total } = await callServer<{ readonly total: number }>(flags, line);
  if (total === 0) throw new Error("no device matches");
  const count = plural(total, "device");
  await confirmChange(`${what} of ${count}`, count, flags);
  const send = (body: object) => callServer<BulkAnswer>(flags, "POST /api/devices/bulk", body);
  const tally = await runBulk(send, { filter }, change, (soFar) => {
    showProgress(soFar, total);
    return true;
  });
  if (tally.refused > 0) process.exitCode = 1;
  await show(flags, tally, () => printTally(what, tally));
}

/** @throws UsageError without a terminal, Error if the answer is no */
export async function confirmChange(what: string, count: string, flags: SelectionFlags): Promise<void> {
  if (flags.yes) return;
  const answer = await readLineFrom(`${what}? [y/N] `, `there are ${count}, use --yes to change them`);
  if (!/^y(es)?$/i.test(answer)) throw new Error("nothing was changed");
}

/** Overwritten on a terminal; nothing elsewhere. */
function showProgress({ done, refused }: BulkTally, total: number): void {
  if (!process.stderr.isTTY) return;
  const count = done + refused;
  process.stderr.write(`\r${count} of ${Math.max(total, count)}${count >= total ? "\n" : ""}`);
}

export function printTally(what: string, { done, refused, refusals }: BulkTally): void {
  printLine(`${what}: ${plural(done, "device")}${refused > 0 ? `, ${red(`${refused} unchanged`)}` : ""}`);
  for (const { error, count, message } of refusals)
    printLine(`  ${yellow(`${count} ${error}`)}, such as: ${message}`);
}
