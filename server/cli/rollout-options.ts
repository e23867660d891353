// The options that describe a rollout: for each the field of the request that it sets. Stages, windows, durations and shares are read
// from their notation on the command line.

import { type Command, Option } from "commander";
import type { RolloutInput } from "../api/rollout-schemas.js";
import { GATE_DEFAULTS, ROLLOUT_DEFAULTS, STAGE_DEFAULTS } from "../shared/rollout-defaults.js";
import { duration, percent } from "../shared/words.js";
import { UsageError, wholeNumber } from "./output.js";

/** As commander reads them, by the options' attribute names. */
export interface PlanFlags {
  readonly file?: string;
  readonly [name: string]: unknown;
}

interface PlanTerms {
  readonly read?: (text: string) => unknown;
  /** For each value of a list. */
  readonly readEach?: (text: string) => unknown;
  /** Its name for `--clear`. */
  readonly clear?: string;
}
interface PlanOption extends PlanTerms {
  readonly usage: string;
  readonly help: string;
  /** Where its value stands in the request, such as `gates.min_samples`. */
  readonly field: string;
}

const option = (usage: string, help: string, field: string, terms: PlanTerms = {}): PlanOption => ({
  usage,
  help,
  field,
  ...terms,
});

/** As it can be typed: `1h`, `10%`. */
const asTyped = (text: string): string => text.replace(" ", "");

const PLAN_OPTIONS: readonly PlanOption[] = [
  option("--name <name>", "name of the rollout (default: the release's)", "name"),
  option(
    "--stage <stage...>",
    "`10%` or `group:lab`, optionally followed by `,soak=1h,min=5,fraction=0.9`; in order (default: one stage, " +
      `100%; soak=${asTyped(duration(STAGE_DEFAULTS.soak_seconds))}, min=${STAGE_DEFAULTS.min_validated}, fraction=${STAGE_DEFAULTS.min_validated_fraction})`,
    "stages",
    { readEach: readStage },
  ),
  option("--tag <tag...>", "only devices with one of these tags", "target.tags", { clear: "tags" }),
  option("--group <group...>", "only devices of one of these groups", "target.groups", { clear: "groups" }),
  option("--device <id...>", "only these devices", "target.devices", { clear: "devices" }),
  option("--hardware <name...>", "only these boards", "target.hardware", { clear: "hardware" }),
  option("--from <version>", "only devices that run this version or a newer one", "target.from_version", {
    clear: "from",
  }),
  option("--to <version>", "only devices that run this version or an older one", "target.to_version", {
    clear: "to",
  }),
  option(
    "--window <window...>",
    "when updates may begin: `mon-fri 22:00-04:00`, `sat,sun 00:00-00:00`",
    "windows.spans",
    { readEach: readWindow, clear: "windows" },
  ),
  option(
    "--time-zone <name>",
    "time zone of the windows, such as Europe/Berlin (default: UTC)",
    "windows.time_zone",
  ),
  option("--start-at <time>", "not before this time, such as 2026-12-01T02:00:00Z", "start_at", {
    clear: "start-at",
  }),
  option("--max-concurrent <n>", "maximum number of devices that update at the same time", "max_concurrent", {
    read: wholeNumber,
    clear: "max-concurrent",
  }),
  option(
    "--lease <duration>",
    `how long a device counts as updating without reporting progress (default: ${asTyped(duration(ROLLOUT_DEFAULTS.lease_seconds))})`,
    "lease_seconds",
    { read: seconds },
  ),
  option(
    "--priority <n>",
    `of several releases, the one with the highest priority goes first (default: ${ROLLOUT_DEFAULTS.priority})`,
    "priority",
    { read: integer },
  ),
  option(
    "--force <how>",
    "`reinstall` or `any_order`: offer releases that are not newer to devices that accept them",
    "force",
  ),
  option("--approval", "require approval by another person", "needs_approval"),
  option(
    "--max-failed <share>",
    `pause above this share of failures (default: ${asTyped(percent(GATE_DEFAULTS.max_failed_fraction))})`,
    "gates.max_failed_fraction",
    { read: share },
  ),
  option(
    "--max-rolled-back <share>",
    `pause above this share of rollbacks (default: ${asTyped(percent(GATE_DEFAULTS.max_rolled_back_fraction))})`,
    "gates.max_rolled_back_fraction",
    { read: share },
  ),
  option(
    "--max-silent <share>",
    `pause above this share of devices that stopped reporting (default: ${asTyped(percent(GATE_DEFAULTS.max_silent_fraction))})`,
    "gates.max_silent_fraction",
    { read: share },
  ),
  option(
    "--silent-after <duration>",
    `when a device counts as silent (default: ${asTyped(duration(GATE_DEFAULTS.silent_seconds))})`,
    "gates.silent_seconds",
    { read: seconds },
  ),
  option(
    "--min-samples <n>",
    `number of devices below which no gate is evaluated, or all of a smaller target (default: ${GATE_DEFAULTS.min_samples})`,
    "gates.min_samples",
    { read: wholeNumber },
  ),
  option("--seed <seed>", "select the same devices as a plan with this seed", "seed"),
];

export function withPlan(command: Command): Command {
  for (const { usage, help, read } of PLAN_OPTIONS) {
    const option = new Option(usage, help);
    command.addOption(read ? option.argParser(read) : option);
  }
  return command.option(
    "--file <file>",
    "a JSON file with the body of POST /api/rollouts; options take precedence",
  );
}

/** What `--clear` accepts, and the merge patch that it stands for. */
export const CLEARED: ReadonlyMap<string, object> = new Map(
  PLAN_OPTIONS.flatMap(({ clear, field }) => {
    const [name = "", inner] = field.split(".");
    if (clear === undefined) return [];
    return [[clear, name === "target" && inner ? { target: { [inner]: null } } : { [name]: null }] as const];
  }),
);

/**
 * Only what was given: the server has the defaults.
 * @param timeZone of windows without `--time-zone`
 */
export async function readPlanFlags(flags: PlanFlags, timeZone = "UTC"): Promise<Partial<RolloutInput>> {
  const request: Record<string, unknown> = {};
  for (const { usage, field, readEach } of PLAN_OPTIONS) {
    const given = flags[new Option(usage).attributeName()];
    if (given === undefined) continue;
    const value = readEach ? (given as readonly string[]).map(readEach) : given;
    const [name = "", inner] = field.split(".");
    request[name] =
      inner === undefined ? value : { ...(request[name] as object | undefined), [inner]: value };
  }
  if (request.windows) request.windows = { time_zone: timeZone, ...request.windows };
  return { ...(flags.file === undefined ? {} : await readJson(flags.file)), ...request };
}

async function readJson(file: string): Promise<object> {
  const { readFile } = await import("node:fs/promises");
  const value: unknown = JSON.parse(await readFile(file, "utf8"));
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new UsageError(`${file} does not contain a JSON object`);
  return value;
}

/** `10%,soak=1h,min=5,fraction=0.9` or `group:lab+berlin,soak=0s`. */
export function readStage(text: string): Record<string, unknown> {
  const [who = "", ...terms] = text.split(",").map((part) => part.trim());
  const [, portion] = /^(\d+(?:\.\d+)?) ?%$/.exec(who) ?? [];
  const [, groups] = /^group:(.+)$/.exec(who) ?? [];
  if (portion === undefined && groups === undefined)
    throw new UsageError(`stage "${text}" must begin with a share such as 10% or a group such as group:lab`);
  const stage: Record<string, unknown> =
    portion === undefined ? { groups: groups?.split("+") } : { percent: Number(portion) };
  for (const term of terms) {
    const [name, value = ""] = term.split("=");
    if (name === "soak") stage.soak_seconds = seconds(value);
    else if (name === "min") stage.min_validated = wholeNumber(value);
    else if (name === "fraction") stage.min_validated_fraction = share(value);
    else if (name === "name") stage.name = value;
    else
      throw new UsageError(
        `stage "${text}": "${term}" is unknown; expected soak=1h, min=5, fraction=0.9 or name=first`,
      );
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
  if (!first || !last) throw new UsageError(`"${text}" is not one of ${WEEKDAYS.join(", ")} or daily`);
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
  if (count === undefined) throw new UsageError(`"${text}" is not a duration such as 90s, 30m, 1h or 2d`);
  return Number(count) * (UNIT_SECONDS[unit] ?? 1);
}

/** `5%` or `0.05`. */
export function share(text: string): number {
  const [, count, sign] = /^(\d+(?:\.\d+)?)(%)?$/.exec(text) ?? [];
  const value = Number(count) / (sign ? 100 : 1);
  if (count === undefined || value > 1) throw new UsageError(`"${text}" is not a share such as 5% or 0.05`);
  return value;
}

function integer(text: string): number {
  if (!/^-?\d{1,4}$/.test(text)) throw new UsageError(`"${text}" is not an integer from -1000 to 1000`);
  return Number(text);
}
