// `skyslot rollout`: create, start, watch and end rollouts. To plan and to change them: rollout-plan.ts, rollout-edit.ts.

import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { ProgressView, RolloutView, WayBackView } from "../api/rollout-views.js";
import { callServer, jsonRequest, type ServerFlags, withServer } from "./client.js";
import { printJson, printLine, printTable, UsageError, wholeNumber } from "./output.js";
import { drawRollout, paintState } from "./rollout-drawing.js";
import { addEditCommand } from "./rollout-edit.js";
import { type PlanFlags, readPlanFlags, seconds, withPlan } from "./rollout-options.js";
import { addPlanCommand, minute } from "./rollout-plan.js";

interface Flags extends ServerFlags {
  readonly json?: boolean;
}

/** Adds a command to the group. */
export type AddCommand = (usage: string, description: string) => Command;

const ESCAPE = "\u001b";

/** How `watch` ends: scripts ask for it. */
const EXIT_STATUS: Readonly<Record<string, number>> = Object.freeze({ finished: 0, paused: 3, cancelled: 4 });

export function rolloutCommand(program: Command): void {
  const rollout = program.command("rollout").description("bring a release to devices, stage by stage");
  const add: AddCommand = (usage, description) =>
    withServer(rollout.command(usage).description(description)).option("--json", "print JSON");

  addPlanCommand(add);
  withPlan(add("create <firmware>", "make a rollout of a firmware, as a draft"))
    .option("--start", "and start it")
    .action(create);
  addEditCommand(add);
  add("list", "list rollouts, newest first")
    .option("--state <state>", "only with this state")
    .option("--limit <n>", "at most so many", wholeNumber, 50)
    .action(list);
  add("show <id>", "show a rollout and what happened to its devices").action(show);
  add("watch <id>", "follow a rollout until it is finished (status 0), paused (3) or cancelled (4)")
    .option("--every <duration>", "how often to look", seconds, 2)
    .action(watch);
  for (const [kind, description] of [
    ["start", "start a draft"],
    ["approve", "agree to a rollout that another person made"],
    ["pause", "offer nothing more until it is resumed"],
    ["resume", "go on"],
    ["promote", "open the next stage now, without waiting for evidence"],
    ["cancel", "end it, for good"],
  ] as const) {
    add(`${kind} <id>`, description)
      .option("--reason <text>", "for those who ask later")
      .action((id: string, flags: Flags & { reason?: string }) => order(kind, id, flags));
  }
  add("rollback <id>", "end it and lead its devices to another release")
    .option("--to <firmware>", "that release (the newest that is newer)", wholeNumber)
    .option("--list", "list the releases that they could be led to, and change nothing")
    .action(rollBack);
}

const post = (flags: ServerFlags, path: string, body: object) =>
  callServer(flags, path, jsonRequest("POST", body));

async function create(firmware: string, flags: Flags & PlanFlags & { start?: boolean }): Promise<void> {
  const body = { ...(await readPlanFlags(flags)), firmware_id: wholeNumber(firmware) };
  const made = (await post(flags, "/api/rollouts", body)) as RolloutView;
  if (flags.start) {
    await order("start", `${made.id}`, flags);
    return;
  }
  if (flags.json) printJson(made);
  else
    printLine(
      `rollout ${made.id}: ${made.name}, ${paintState(made.state)}; skyslot rollout start ${made.id}`,
    );
}

async function list(flags: Flags & { state?: string; limit: number }): Promise<void> {
  const query = new URLSearchParams({
    limit: `${flags.limit}`,
    ...(flags.state ? { state: flags.state } : {}),
  });
  const answer = (await callServer(flags, `/api/rollouts?${query}`)) as { rollouts: readonly RolloutView[] };
  if (flags.json) {
    printJson(answer);
    return;
  }
  printTable(
    ["ID", "FIRMWARE", "STAGE", "CREATED", "NAME", "STATE"],
    answer.rollouts.map((one) => [
      `${one.id}`,
      `${one.firmware_id}`,
      `${one.stage + 1}/${one.stages.length}`,
      minute(one.created_at),
      one.name,
      `${paintState(one.state)}: ${one.reason}`,
    ]),
  );
}

const fetchRollout = async (id: string, flags: ServerFlags): Promise<ProgressView> =>
  (await callServer(flags, `/api/rollouts/${wholeNumber(id)}`)) as ProgressView;

async function show(id: string, flags: Flags): Promise<void> {
  const view = await fetchRollout(id, flags);
  if (flags.json) printJson(view);
  else for (const line of drawRollout(view)) printLine(line);
}

/** On a terminal the bars are drawn over; in a pipe whatever changes is a line. */
async function watch(id: string, flags: Flags & { every: number }): Promise<void> {
  if (flags.every < 0.1) throw new UsageError("--every is at least 0.1s");
  const isTerminal = process.stdout.isTTY === true && !flags.json;
  let drawnCount = 0;
  let before = "";
  for (;;) {
    const view = await fetchRollout(id, flags);
    const { time: _time, ...rest } = view as ProgressView & { readonly time: string };
    const now = JSON.stringify(rest);
    if (now !== before) {
      const lines = flags.json ? [now] : drawRollout(view);
      if (isTerminal && drawnCount > 0) printLine(`${ESCAPE}[${drawnCount + 1}A`);
      for (const [index, line] of lines.entries())
        printLine(isTerminal && index === 0 ? `${ESCAPE}[J${line}` : line);
      drawnCount = lines.length;
      before = now;
    }
    const status = EXIT_STATUS[view.state];
    if (status !== undefined) {
      process.exitCode = status;
      return;
    }
    await sleep(flags.every * 1000);
  }
}

async function order(kind: string, id: string, flags: Flags & { reason?: string }): Promise<void> {
  const body = flags.reason === undefined ? {} : { reason: flags.reason };
  const view = (await post(flags, `/api/rollouts/${wholeNumber(id)}/${kind}`, body)) as ProgressView;
  if (flags.json) printJson(view);
  else printLine(`rollout ${view.id}: ${paintState(view.state)}, ${view.reason}`);
}

async function rollBack(id: string, flags: Flags & { to?: number; list?: boolean }): Promise<void> {
  if (flags.list) return listWaysBack(id, flags);
  const body = flags.to === undefined ? {} : { firmware_id: flags.to };
  const answer = (await post(flags, `/api/rollouts/${wholeNumber(id)}/rollback`, body)) as {
    readonly back: RolloutView;
  };
  if (flags.json) printJson(answer);
  else
    printLine(
      `rollout ${id} is cancelled; rollout ${answer.back.id}, ${answer.back.name}, is ${answer.back.state}`,
    );
}

async function listWaysBack(id: string, flags: Flags): Promise<void> {
  const path = `/api/rollouts/${wholeNumber(id)}/rollback`;
  const answer = (await callServer(flags, path)) as { readonly releases: readonly WayBackView[] };
  if (flags.json) return printJson(answer);
  printTable(
    ["FIRMWARE", "RELEASE", "FOR"],
    answer.releases.map(({ firmware_id, release, is_newer, is_default }) => [
      `${firmware_id}`,
      release,
      is_newer ? `every device${is_default ? ", taken by itself" : ""}` : "devices that take what is older",
    ]),
  );
}
