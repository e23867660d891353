// `skyslot rollout`: create, list, show and watch rollouts. Other commands: rollout-plan.ts, rollout-edit.ts, rollout-orders.ts.

import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { RolloutView } from "../shared/rollout-view.js";
import { callServer, commandsOf, query, type ServerFlags } from "./client.js";
import { printJsonLine, printLine, printRows, redrawLines, show, UsageError, wholeNumber } from "./output.js";
import { drawRollout, paintState } from "./rollout-drawing.js";
import { addEditCommand } from "./rollout-edit.js";
import { type PlanFlags, readPlanFlags, seconds, withPlan } from "./rollout-options.js";
import { addOrderCommands, fetchRollout, order, printTerms } from "./rollout-orders.js";
import { addPlanCommand, minute } from "./rollout-plan.js";

/** Exit status of `watch`, for scripts. */
const EXIT_STATUS: Readonly<Record<string, number>> = Object.freeze({ finished: 0, paused: 3, cancelled: 4 });

export function rolloutCommand(program: Command): void {
  const add = commandsOf(
    program.command("rollout").description("bring a release to devices, stage by stage"),
  );

  addPlanCommand(add);
  withPlan(add("create <firmware>", "create a rollout of a firmware, as a draft"))
    .option("--start", "start it, too")
    .action(create);
  addEditCommand(add);
  add("list", "list rollouts, newest first")
    .option("--state <state>", "only in this state")
    .option("--limit <n>", "maximum number of rows to return", wholeNumber, 50)
    .action(list);
  add("show <id>", "show a rollout and what happened to its devices").action(showRollout);
  add("watch <id>", "follow a rollout until it is finished (status 0), paused (3) or cancelled (4)")
    .option("--every <duration>", "poll interval", seconds, 2)
    .action(watch);
  addOrderCommands(add);
}

async function create(firmware: string, flags: ServerFlags & PlanFlags & { start?: boolean }): Promise<void> {
  const body = { ...(await readPlanFlags(flags)), firmware_id: wholeNumber(firmware) };
  const made = await callServer<RolloutView>(flags, "POST /api/rollouts", body);
  const { id, name, state, revision } = made;
  if (flags.start) return order("start", `${id}`, { ...flags, revision });
  await show(flags, made, () => `rollout ${id}: ${name}, ${paintState(state)}; skyslot rollout start ${id}`);
}

function list(flags: ServerFlags & { state?: string; limit: number }): Promise<void> {
  const line = `GET /api/rollouts${query({ limit: flags.limit, state: flags.state })}`;
  return show(flags, callServer<{ rollouts: RolloutView[] }>(flags, line), ({ rollouts }) =>
    printRows(rollouts, {
      ID: "id",
      FIRMWARE: "firmware_id",
      STAGE: (one) => `${one.stage + 1}/${one.stages.length}`,
      CREATED: (one) => minute(one.created_at),
      NAME: "name",
      STATE: (one) => `${paintState(one.state)}: ${one.reason}`,
    }),
  );
}

const showRollout = (id: string, flags: ServerFlags): Promise<void> =>
  show(flags, fetchRollout(id, flags), (view) => {
    for (const line of drawRollout(view)) printLine(line);
    printTerms(view);
  });

/** @param drawnCount lines to redraw; `undefined`: no terminal. @returns how many there are now */
function draw(lines: readonly string[], drawnCount: number | undefined): number {
  if (drawnCount === undefined) for (const line of lines) printLine(line);
  else redrawLines(lines, drawnCount);
  return lines.length;
}

/** On a terminal the bars are redrawn in place; in a pipe every change is printed. */
async function watch(id: string, flags: ServerFlags & { every: number }): Promise<void> {
  if (flags.every < 0.1) throw new UsageError("--every must be at least 0.1s");
  const isTerminal = process.stdout.isTTY === true && !flags.json;
  let drawnCount = 0;
  let before = "";
  for (;;) {
    const view = await fetchRollout(id, flags);
    const { time: _time, ...rest } = view;
    const now = JSON.stringify(rest);
    if (now !== before) {
      if (flags.json) printJsonLine(rest);
      else drawnCount = draw(drawRollout(view), isTerminal ? drawnCount : undefined);
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
