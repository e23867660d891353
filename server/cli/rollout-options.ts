// What a rollout is, in words of the command line: stages, windows, durations. Reads them into the body that the API takes.

import type { Command } from "commander";
import type { RolloutInput } from "../api/rollout-schemas.js";
import { UsageError, wholeNumber } from "./output.js";

export interface PlanFlags {
  readonly name?: string;
  readonly stage?: readonly string[];
  readonly tag?: readonly string[];
  readonly group?: readonly string[];
  readonly device?: readonly string[];
  readonly hardware?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly window?: readonly string[];
  readonly timeZone?: string;
  readonly startAt?: string;
  readonly maxConcurrent?: number;
  readonly lease?: number;
  readonly priority?: number;
  readonly force?: string;
  readonly approval?: boolean;
  readonly maxFailed?: number;
  readonly maxRolledBack?: number;
  readonly maxSilent?: number;
  readonly silentAfter?: number;
  readonly minSamples?: number;
  readonly seed?: string;
  readonly file?: string;
}

export const withPlan = (command: Command): Command =>
  command
    .option("--name <name>", "what to call it (the release's name)")
    .option(
      "--stage <stage...>",
      "`10%` or `group:lab`, with soak=1h, min=5, fraction=0.9 behind commas; in order (one stage, 100%)",
    )
    .option("--tag <tag...>", "only devices with one of these tags")
    .option("--group <group...>", "only devices of one of these groups")
    .option("--device <id...>", "only these devices")
    .option("--hardware <name...>", "only these boards")
    .option("--from <version>", "only devices that run this version or a newer one")
    .option("--to <version>", "only devices that run this version or an older one")
    .option("--window <window...>", "when updates may begin: `mon-fri 22:00-04:00`, `sat,sun 00:00-00:00`")
    .option("--time-zone <name>", "whose clock the windows go by, such as Europe/Berlin (UTC)")
    .option("--start-at <time>", "not before, such as 2026-12-01T02:00:00Z")
    .option("--max-concurrent <n>", "devices that update at the same time", wholeNumber)
    .option(
      "--lease <duration>",
      "a device that tells of no progress for so long no longer counts as updating (30m)",
      seconds,
    )
    .option("--priority <n>", "of several releases the one with the highest goes first (0)", integer)
    .option("--force <how>", "`reinstall` or `any_order`: offer what is not newer to devices that take it")
    .option("--approval", "another person has to agree")
    .option("--max-failed <share>", "pause above this share of failures (10%)", share)
    .option("--max-rolled-back <share>", "pause above this share of roll backs (5%)", share)
    .option("--max-silent <share>", "pause above this share of devices that went silent (20%)", share)
    .option("--silent-after <duration>", "when a device counts as silent (1h)", seconds)
    .option("--min-samples <n>", "judge nothing before so many devices (5)", wholeNumber)
    .option("--seed <seed>", "choose the same devices for a share as a plan with this seed")
    .option("--file <file>", "a JSON file with the body that POST /api/rollouts takes; options go before it");

/**
 * Only what was told: the server has the defaults.
 * @param timeZone of windows, where none is told
 */
export async function readPlanFlags(flags: PlanFlags, timeZone = "UTC"): Promise<Partial<RolloutInput>> {
  const fromFile = flags.file === undefined ? {} : await readJson(flags.file);
  const target = dropAbsent({
    tags: flags.tag,
    groups: flags.group,
    devices: flags.device,
    hardware: flags.hardware,
    from_version: flags.from,
    to_version: flags.to,
  });
  const gates = dropAbsent({
    max_failed_fraction: flags.maxFailed,
    max_rolled_back_fraction: flags.maxRolledBack,
    max_silent_fraction: flags.maxSilent,
    silent_seconds: flags.silentAfter,
    min_samples: flags.minSamples,
  });
  const windows = dropAbsent({ time_zone: flags.timeZone, spans: flags.window?.map(readWindow) });
  const told = dropAbsent({
    name: flags.name,
    stages: flags.stage?.map(readStage),
    windows: Object.keys(windows).length > 0 ? { time_zone: timeZone, ...windows } : undefined,
    start_at: flags.startAt,
    max_concurrent: flags.maxConcurrent,
    lease_seconds: flags.lease,
    priority: flags.priority,
    force: flags.force,
    needs_approval: flags.approval,
    seed: flags.seed,
    target: Object.keys(target).length > 0 ? target : undefined,
    gates: Object.keys(gates).length > 0 ? gates : undefined,
  });
  return { ...fromFile, ...told };
}

async function readJson(file: string): Promise<object> {
  const { readFile } = await import("node:fs/promises");
  const value: unknown = JSON.parse(await readFile(file, "utf8"));
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new UsageError(`${file} holds no JSON object`);
  return value;
}

const dropAbsent = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** `10%,soak=1h,min=5,fraction=0.9` or `group:lab+berlin,soak=0s`. */
export function readStage(text: string): Record<string, unknown> {
  const [who = "", ...terms] = text.split(",").map((part) => part.trim());
  const [, percent] = /^(\d+(?:\.\d+)?) ?%$/.exec(who) ?? [];
  const [, groups] = /^group:(.+)$/.exec(who) ?? [];
  if (percent === undefined && groups === undefined)
    throw new UsageError(
      `stage "${text}" begins with neither a share such as 10% nor a group such as group:lab`,
    );
  const stage: Record<string, unknown> =
    percent === undefined ? { groups: groups?.split("+") } : { percent: Number(percent) };
  for (const term of terms) {
    const [name, value = ""] = term.split("=");
    if (name === "soak") stage.soak_seconds = seconds(value);
    else if (name === "min") stage.min_validated = wholeNumber(value);
    else if (name === "fraction") stage.min_validated_fraction = share(value);
    else if (name === "name") stage.name = value;
    else
      throw new UsageError(`stage "${text}": "${term}" is none of soak=1h, min=5, fraction=0.9, name=first`);
  }
  return stage;
}

const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** `mon-fri 22:00-04:00`, `sat,sun 00:00-06:00`, `daily 01:00-05:00`. */
export function readWindow(text: string) {
  const [, days = "", from, to] = /^(\S+) +(\d\d:\d\d)-(\d\d:\d\d)$/.exec(text.trim().toLowerCase()) ?? [];
  if (!from || !to) throw new UsageError(`window "${text}" is not of the form \`mon-fri 22:00-04:00\``);
  return { weekdays: days === "daily" ? [1, 2, 3, 4, 5, 6, 7] : days.split(",").flatMap(readDays), from, to };
}

function readDays(text: string): number[] {
  const [first, last = first] = text.split("-").map((name) => WEEKDAYS.indexOf(name) + 1);
  if (!first || !last) throw new UsageError(`"${text}" is none of ${WEEKDAYS.join(", ")} or daily`);
  const length = ((last - first + 7) % 7) + 1;
  return Array.from({ length }, (_, index) => ((first - 1 + index) % 7) + 1);
}

const UNIT_SECONDS: Readonly<Record<string, number>> = Object.freeze({
  s: 1,
  m: 60,
  min: 60,
  h: 3600,
  d: 86_400,
});

/** `90s`, `30m`, `1h`, `2d` as seconds. */
export function seconds(text: string): number {
  const [, count, unit = "s"] = /^(\d+(?:\.\d+)?)(s|m|min|h|d)?$/.exec(text) ?? [];
  if (count === undefined) throw new UsageError(`"${text}" is no duration such as 90s, 30m, 1h or 2d`);
  return Number(count) * (UNIT_SECONDS[unit] ?? 1);
}

/** `5%` or `0.05`. */
export function share(text: string): number {
  const [, count, sign] = /^(\d+(?:\.\d+)?)(%)?$/.exec(text) ?? [];
  const value = Number(count) / (sign ? 100 : 1);
  if (count === undefined || value > 1) throw new UsageError(`"${text}" is no share such as 5% or 0.05`);
  return value;
}

function integer(text: string): number {
  if (!/^-?\d{1,4}$/.test(text)) throw new UsageError(`"${text}" is not a whole number of -1000 to 1000`);
  return Number(text);
}
