// What a rollout is, term by term, as a person reads it before they agree to it: on its page and on the command line. Pure.

import type { RolloutView } from "./rollout-view.js";
import { duration, percent, plural, words } from "./words.js";

export interface Term {
  readonly name: string;
  readonly value: string;
}

type WithRelease = RolloutView & { readonly release?: string | null };

/** Of the plan: what an approval is for. @param formatTime turns ISO 8601 into what the reader is shown */
export function termsOf(rollout: WithRelease, formatTime: (iso: string) => string): readonly Term[] {
  const { gates, windows } = rollout;
  const terms: readonly (readonly [string, string | undefined])[] = [
    ["Release", rollout.release ?? `firmware ${rollout.firmware_id}`],
    ["For", describeTarget(rollout.target)],
    ...rollout.stages.map((stage, index) => [`Stage ${index + 1}`, describeStage(stage)] as const),
    [
      "Pauses at",
      `${percent(gates.max_failed_fraction)} failed, ${percent(gates.max_rolled_back_fraction)} rolled back, ${percent(gates.max_silent_fraction)} silent for ${duration(gates.silent_seconds)}; after at least ${plural(gates.min_samples, "device")}`,
    ],
    ["Begins", rollout.start_at === null ? undefined : formatTime(rollout.start_at)],
    ["Windows", windows ? describeWindows(windows) : undefined],
    ["Max. at once", rollout.max_concurrent === null ? undefined : plural(rollout.max_concurrent, "device")],
    ["Update timeout", `${duration(rollout.lease_seconds)} without progress`],
    ["Priority", rollout.priority === 0 ? undefined : `${rollout.priority}`],
    ["Offers", FORCE_WORDS[rollout.force]],
    ["Approval", rollout.needs_approval ? "by another person" : undefined],
  ];
  return terms.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
}

const FORCE_WORDS: Readonly<Record<RolloutView["force"], string | undefined>> = Object.freeze({
  none: undefined,
  reinstall: "the same version too",
  any_order: "older versions too",
});

const describeTarget = (target: RolloutView["target"]): string =>
  Object.entries(target)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${words(name)} ${[value].flat().join(", ")}`)
    .join("; ") || "all devices of its type";

type StageView = RolloutView["stages"][number];

function describeStage(stage: StageView): string {
  const share = stage.groups ? stage.groups.join(", ") : `${stage.percent} %`;
  return `${stage.name === share ? share : `${stage.name}, ${share}`}: ${proofOf(stage)}`;
}

/** What a stage has to prove before the next one opens. */
export const proofOf = (
  stage: Pick<StageView, "soak_seconds" | "min_validated" | "min_validated_fraction">,
): string =>
  `next stage after ${duration(stage.soak_seconds)} soak, with at least ${plural(stage.min_validated, "device")} and ${percent(stage.min_validated_fraction)} validated`;

const describeWindows = ({ spans, time_zone: zone }: NonNullable<RolloutView["windows"]>): string =>
  `${spans.map(({ weekdays, from, to }) => `${describeDays(weekdays)} ${from}–${to}`).join("; ")} (${zone})`;

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** `daily`, `Mon–Fri`, `Mon, Wed–Fri`. */
function describeDays(weekdays: readonly number[]): string {
  const days = [...new Set(weekdays)].sort();
  if (days.length === 7) return "daily";
  const runs: number[][] = [];
  for (const day of days) {
    const run = runs.at(-1);
    if (run?.at(-1) === day - 1) run.push(day);
    else runs.push([day]);
  }
  const name = (day: number | undefined) => DAYS[(day ?? 0) - 1];
  return runs
    .map((run) =>
      run.length > 2 ? `${name(run[0])}–${name(run.at(-1))}` : run.map((day) => name(day)).join(", "),
    )
    .join(", ");
}

/** The terms that differ: `undefined` where there was none, or is none any more. */
export function termChanges(before: readonly Term[], after: readonly Term[]) {
  const was = new Map(before.map(({ name, value }) => [name, value]));
  const is = new Map(after.map(({ name, value }) => [name, value]));
  return [...new Set([...was.keys(), ...is.keys()])]
    .map((name) => ({ name, before: was.get(name), after: is.get(name) }))
    .filter((change) => change.before !== change.after);
}
