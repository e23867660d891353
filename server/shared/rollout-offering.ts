// What a release's rollouts mean for the release as a whole: as soon as it has one, in whatever state, only its rollouts offer it
// (choose-release.ts). Pure; the pages use it too.

import type { RolloutState } from "./rollout.js";

/** A rollout as far as this needs it. */
export interface Bound {
  readonly id: number;
  readonly name: string;
  readonly state: RolloutState;
}

const isOffering = ({ state }: Bound): boolean => state === "running" || state === "finished";

/** Whether a release has rollouts, and none of them offers it: then no device gets it, stable or not. */
export const isWithheld = (rollouts: readonly Bound[]): boolean =>
  rollouts.length > 0 && !rollouts.some(isOffering);

/** What follows for the release, as the end of a sentence. `undefined`: it has no rollout. */
export function describeRollouts(rollouts: readonly Bound[]): string | undefined {
  if (rollouts.length === 0) return undefined;
  const offering = rollouts.filter(isOffering);
  if (offering.length > 0)
    return `offered only to the devices of ${offering.length === 1 ? "its rollout" : "its rollouts"} ${list(offering)}`;
  const hasHope = rollouts.some(({ state }) => state !== "cancelled");
  const advice = hasHope ? "" : ": make another one to offer it";
  return `offered to no device, because a release that has rollouts is offered by these only: ${list(rollouts)}${advice}`;
}

/** Of more only the newest are named. */
const NAMED_COUNT = 3;

function list(rollouts: readonly Bound[]): string {
  const named = rollouts.toSorted((a, b) => b.id - a.id).slice(0, NAMED_COUNT);
  const names = named.map(({ id, name, state }) => `${id} "${name}" (${state.replaceAll("_", " ")})`);
  const moreCount = rollouts.length - named.length;
  return `${names.join(", ")}${moreCount > 0 ? ` and ${moreCount} more` : ""}`;
}
