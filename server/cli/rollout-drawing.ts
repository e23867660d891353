// Draws a rollout for a terminal: one bar per stage, and what it waits for. Pure.

import type { ProgressView } from "../api/rollout-views.js";
import { bold, green, red, yellow } from "./output.js";

const BAR_WIDTH = 40;

/** Lines without line ends. */
export function drawRollout(rollout: ProgressView): readonly string[] {
  const { id, revision, name, state, reason, stages, tallies, next, notes } = rollout;
  const width = Math.max(...stages.map((stage) => stage.name.length));
  return [
    `${bold(`rollout ${id}`)}  ${name}  ${paintState(state)}, revision ${revision}`,
    `  ${reason}`,
    ...stages.map((stage, index) => {
      const tally = tallies[index];
      const isOpen = state !== "draft" && index <= rollout.stage;
      const size = Math.max(stage.device_count ?? 0, tally?.given ?? 0);
      return `  ${isOpen ? "●" : "○"} ${stage.name.padEnd(width)}  ${drawBar(tally, size)}  ${describeTally(tally, stage.device_count)}`;
    }),
    ...(state === "running" || state === "scheduled" ? [`  next: ${next.reason}`] : []),
    ...notes.map((note) => `  ${yellow(note)}`),
  ];
}

type TallyView = ProgressView["tallies"][number];

/** `█` validated, `▓` in progress, `x` failed or rolled back, `·` not yet. Every count above 0 gets at least one cell. */
export function drawBar(tally: TallyView | undefined, size: number): string {
  if (!tally || size === 0) return "·".repeat(BAR_WIDTH);
  const parts = [
    ["█", tally.validated],
    ["x", tally.failed + tally.rolled_back],
    ["▓", tally.updating],
  ] as const;
  let rest = BAR_WIDTH;
  const drawn = parts.map(([sign, count]) => {
    const length = Math.min(rest, count === 0 ? 0 : Math.max(1, Math.floor((count / size) * BAR_WIDTH)));
    rest -= length;
    return sign.repeat(length);
  });
  return `${green(drawn[0] ?? "")}${red(drawn[1] ?? "")}${yellow(drawn[2] ?? "")}${"·".repeat(rest)}`;
}

function describeTally(tally: TallyView | undefined, size: number | null): string {
  if (!tally) return "";
  const words = [`${tally.validated} of ${size ?? "?"} validated`];
  if (tally.updating > 0) words.push(`${tally.updating} updating`);
  if (tally.failed > 0) words.push(red(`${tally.failed} failed`));
  if (tally.rolled_back > 0) words.push(red(`${tally.rolled_back} rolled back`));
  if (tally.silent > 0) words.push(yellow(`${tally.silent} silent`));
  return words.join(", ");
}

export function paintState(state: string): string {
  if (state === "running" || state === "finished") return green(state);
  if (state === "cancelled") return red(state);
  return yellow(state.replace("_", " "));
}
