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

interface PlanOption {
  readonly usage: string;
  readonly help: string;
  /** Where its value stands in the request. */
  readonly field: readonly [name: string, inner?: string];
  readonly read?: (text: string) => unknown;
  /** For each value of a list. */
  readonly readEach?: (text: string) => unknown;
  /** Its name for `--clear`. */
  readonly clear?: string;
}

/** As it can be typed: `1h`, `10%`. */
const inNotation = (text: string): string => text.replace(" ", "");

const PLAN_OPTIONS: readonly PlanOption[] = [
  { usage: "--name <name>", help: "name of the rollout (default: the release's)", field: ["name"] },
  {
    usage: "--stage <stage...>",
    help:
      "`10%` or `group:lab`, optionally followed by `,soak=1h,min=5,fraction=0.9`; in order (default: one stage, " +
      `100%; soak=${inNotation(duration(STAGE_DEFAULTS.soak_seconds))}, min=${STAGE_DEFAULTS.min_validated}, fraction=${STAGE_DEFAULTS.min_validated_fraction})`,
    field: ["stages"],
    readEach: readStage,
  },
  {
    usage: "--tag <tag...>",
    help: "only devices with one of these tags",
    field: ["target", "tags"],
    clear: "tags",
  },
  {
    usage: "--group <group...>",
    help: "only devices of one of these groups",
    field: ["target", "groups"],
    clear: "groups",
  },
  { usage: "--device <id...>", help: "only these devices", field: ["target", "devices"], clear: "devices" },
  {
    usage: "--hardware <name...>",
    help: "only these boards",
    field: ["target", "hardware"],
    clear: "hardware",
  },
  {
    usage: "--from <version>",
    help: "only devices that run this version or a newer one",
    field: ["target", "from_version"],
    clear: "from",
  },
  {
    usage: "--to <version>",
    help: "only devices that run this version or an older one",
    field: ["target", "to_version"],
    clear: "to",
  },
  {
    usage: "--window <window...>",
    help: "when updates may begin: `mon-fri 22:00-04:00`, `sat,sun 00:00-00:00`",
    field: ["windows", "spans"],
    readEach: readWindow,
    clear: "windows",
  },
  {
    usage: "--time-zone <name>",
    help: "time zone of the windows, such as Europe/Berlin (default: UTC)",
    field: ["windows", "time_zone"],
  },
  {
    usage: "--start-at <time>",
    help: "not before this time, such as 2026-12-01T02:00:00Z",
    field: ["start_at"],
    clear: "start-at",
  },
  {
    usage: "--max-concurrent <n>",
    help: "maximum number of devices that update at the same time",
    field: ["max_concurrent"],
    read: wholeNumber,
    clear: "max-concurrent",
  },
  {
    usage: "--lease <duration>",
    help: `how long a device counts as updating without reporting progress (default: ${inNotation(duration(ROLLOUT_DEFAULTS.lease_seconds))})`,
    field: ["lease_seconds"],
    read: seconds,
  },
  {
    usage: "--priority <n>",
    help: `of several releases, the one with the highest priority goes first (default: ${ROLLOUT_DEFAULTS.priority})`,
    field: ["priority"],
    read: integer,
  },
  {
    usage: "--force <how>",
    help: "`reinstall` or `any_order`: offer releases that are not newer to devices that accept them",
    field: ["force"],
  },
  { usage: "--approval", help: "require approval by another person", field: ["needs_approval"] },
  {
    usage: "--max-failed <share>",
    help: `pause above this share of failures (default: ${inNotation(percent(GATE_DEFAULTS.max_failed_fraction))})`,
    field: ["gates", "max_failed_fraction"],
    read: share,
  },
  {
    usage: "--max-rolled-back <share>",
    help: `pause above this share of rollbacks (default: ${inNotation(percent(GATE_DEFAULTS.max_rolled_back_fraction))})`,
    field: ["gates", "max_rolled_back_fraction"],
    read: share,
  },
  {
    usage: "--max-silent <share>",
    help: `pause above this share of devices that stopped reporting (default: ${inNotation(percent(GATE_DEFAULTS.max_silent_fraction))})`,
    field: ["gates", "max_silent_fraction"],
    read: share,
  },
  {
    usage: "--silent-after <duration>",
    help: `when a device counts as silent (default: ${inNotation(duration(GATE_DEFAULTS.silent_seconds))})`,
    field: ["gates", "silent_seconds"],
    read: seconds,
  },
  {
    usage: "--min-samples <n>",
    help: `number of devices below which no gate is evaluated (default: ${GATE_DEFAULTS.min_samples})`,
    field: ["gates", "min_samples"],
    read: wholeNumber,
  },
  { usage: "--seed <seed>", help: "select the same devices as a plan with this seed", field: ["seed"] },
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
  PLAN_OPTIONS.flatMap(({ clear, field: [name, inner] }) =>
    clear === undefined
      ? []
      : [[clear, name === "target" && inner ? { target: { [inner]: null } } : { [name]: null }] as const],
  ),
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
    const [name, inner] = field;
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
