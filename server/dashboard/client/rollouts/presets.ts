// How a rollout proceeds, in three sets of stages and gates to begin with. Pure.

import { newGates, newStage, type PlanForm, type StageForm } from "./plan-form.js";

type Paced = Pick<PlanForm, "stages" | "gates">;
export type Pace = "careful" | "normal" | "at-once";

const stage = (value: string, soakMinutes: number): StageForm => ({
  ...newStage(value),
  soak_seconds: `${soakMinutes}`,
});

const PRESETS: Readonly<Record<Pace, Paced>> = {
  careful: {
    stages: [stage("1", 1440), stage("10", 1440), stage("50", 720), stage("100", 60)],
    gates: { ...newGates(), max_failed_fraction: "5", max_rolled_back_fraction: "2", min_samples: "3" },
  },
  normal: { stages: [stage("10", 60), stage("100", 60)], gates: newGates() },
  "at-once": { stages: [stage("100", 0)], gates: newGates() },
};

export const PACES: readonly (readonly [pace: Pace, name: string, hint: string])[] = [
  ["careful", "Careful", "1, 10, 50, then 100 % within three days; pauses at 5 % failures"],
  ["normal", "Normal", "10 % for an hour, then all; pauses at 10 % failures"],
  ["at-once", "All at once", "No stage proves anything first; pauses at 10 % failures"],
];

export const presetOf = (pace: Pace): Paced => PRESETS[pace];

/** Which of them a form has; `undefined`: stages and gates of its own. */
export function paceOf({ stages, gates }: Paced): Pace | undefined {
  const text = textOf({ stages, gates });
  return PACES.find(([pace]) => textOf(PRESETS[pace]) === text)?.[0];
}

/** Names of stages say nothing about their pace. */
const textOf = ({ stages, gates }: Paced): string =>
  JSON.stringify([
    stages.map(({ by, value, soak_seconds, min_validated, min_validated_fraction }) => [
      by,
      value,
      soak_seconds,
      min_validated,
      min_validated_fraction,
    ]),
    Object.entries(gates).sort(([a], [b]) => (a < b ? -1 : 1)),
  ]);
