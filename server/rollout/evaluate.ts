// Applies a rollout's own rules to what has happened: it begins, opens a stage, pauses or finishes. Called after a report that
// ended something, after a check when it was not called for a while, and by the server's tick. Reads much and writes one row, so it
// reads outside of the transaction and writes only if the rollout has not changed meanwhile.

import { isCounted, standingOf } from "../devices/vouching.js";
import { type Journal, type Recorder, record } from "../events/journal.js";
import { type Rollout, sumStages, type Tally } from "../shared/rollout.js";
import type { Store } from "../store/store.js";
import { type Advance, advance } from "./advance.js";
import { applyAdvance } from "./lifecycle.js";
import { readFleet } from "./scan-fleet.js";

/** How often checks evaluate a rollout when no attempt ends. */
const IDLE_MS = 60_000;
/** Counting a rollout's devices reads the whole fleet. */
const RECOUNT_MS = 10 * 60_000;
/** Largest number of devices that is tallied at every report; larger fleets less often, a millisecond a device. */
const SMALL_COUNT = 1000;
const LONGEST_PAUSE_MS = 15_000;

/** After a report that ended something. What a device ends that does not count moves nothing: however many there are, they cost no tally. */
export async function followUp(journal: Journal, rollout: Rollout, deviceId: string): Promise<void> {
  if (!isCounted(standingOf(await journal.store.findIdentity(deviceId)), rollout)) return;
  const deviceCount = rollout.stageSizes.at(-1) ?? 0;
  const pauseMs = deviceCount <= SMALL_COUNT ? 0 : Math.min(deviceCount, LONGEST_PAUSE_MS);
  if (Math.abs(journal.time - rollout.evaluatedAt) >= pauseMs) plan(journal, rollout);
}

/** After any check: what only time brings (a start, the end of a soak, silence) must not wait for a report. */
export function followUpIdle(journal: Journal, rollouts: readonly Rollout[]): void {
  for (const rollout of rollouts) {
    const isDue =
      (rollout.state === "running" && Math.abs(journal.time - rollout.evaluatedAt) >= IDLE_MS) ||
      (rollout.state === "scheduled" && (rollout.startAt ?? 0) <= journal.time);
    if (isDue) plan(journal, rollout);
  }
}

/** No device waits while a large fleet is counted: the next tick does it. */
const plan = (journal: Journal, { id }: Rollout) =>
  journal.followUps.set(`rollout:${id}`, async (recorder) => {
    await evaluateRollout(recorder, id, await isSmall(recorder.store));
  });

/** All rollouts that can move by themselves: what a running server calls every few seconds. */
export async function tickRollouts(recorder: Recorder): Promise<void> {
  const { rows } = await recorder.store.listRollouts(
    { states: ["scheduled", "running"] },
    { limit: 1000, offset: 0 },
  );
  for (const { id } of rows) await evaluateRollout(recorder, id);
}

/**
 * One stage can follow the other at once, if they have no devices.
 * @param mayCount whether there is time to read the whole fleet
 */
export async function evaluateRollout(recorder: Recorder, id: number, mayCount = true): Promise<void> {
  for (;;) {
    const rollout = await recorder.store.findRollout(id);
    if (!rollout || (rollout.state !== "running" && rollout.state !== "scheduled")) return;
    const { step, sized } = await decideStep(recorder.store, rollout, Math.round(recorder.now()), mayCount);
    const outcome = await record(recorder, (journal) => move(journal, rollout, sized, step), {
      about: `rollout:${id}`,
    });
    if (outcome === "stays") return;
  }
}

async function decideStep(
  store: Store,
  rollout: Rollout,
  now: number,
  mayCount: boolean,
): Promise<{ readonly step: Advance; readonly sized: Rollout }> {
  const tally = await store.tallyRollout(rollout, now);
  const isStale =
    rollout.state === "running" &&
    (rollout.stageSizes.length === 0 ||
      now - rollout.sizesAt >= RECOUNT_MS ||
      (hasMoreThanCounted(rollout, tally) && now - rollout.sizesAt >= IDLE_MS && (await isSmall(store))));
  const sized = isStale && mayCount ? await countSizes(store, rollout, now) : rollout;
  const step = advance(sized, tally, now);
  if (step.kind !== "finish" || (isStale && mayCount)) return { step, sized };
  // Devices may have joined since they were counted.
  if (!mayCount) return { step: { kind: "stay", reason: step.reason }, sized };
  const recounted = await countSizes(store, rollout, now);
  return { step: advance(recounted, await store.tallyRollout(recounted, now), now), sized: recounted };
}

/** Devices have joined since they were counted: the reason would be "0 of 0 validated, 2 updating". */
const hasMoreThanCounted = ({ stages, stageSizes }: Rollout, tally: Tally): boolean =>
  sumStages(tally, stages.length - 1).givenCount > (stageSizes.at(-1) ?? 0);

const isSmall = async (store: Store): Promise<boolean> => (await store.countDevices()) <= SMALL_COUNT;

async function countSizes(store: Store, rollout: Rollout, now: number): Promise<Rollout> {
  const { planner } = await readFleet(store, rollout, now, () => {});
  return { ...rollout, stageSizes: planner.stageSizes, sizesAt: now };
}

/** The counts of a plan that has not begun: what a person has seen stays on its page. It is counted again when it begins. */
export async function countDraft(recorder: Recorder, id: number): Promise<void> {
  const { store, now } = recorder;
  const seen = await store.findRollout(id);
  if (!seen || seen.startedAt !== null || seen.stageSizes.length > 0) return;
  const { stageSizes } = await countSizes(store, seen, Math.round(now()));
  const work = async (journal: Journal) => {
    const current = await journal.store.findRollout(id);
    if (current && isSame(current, seen)) await journal.putRollout({ ...current, stageSizes, sizesAt: 0 });
  };
  await record(recorder, work, { about: `rollout:${id}` });
}

async function move(
  journal: Journal,
  seen: Rollout,
  { stageSizes, sizesAt }: Rollout,
  step: Advance,
): Promise<"moved" | "stays"> {
  const current = await journal.store.findRollout(seen.id);
  if (!current || !isSame(current, seen)) return "moved";
  const evaluated = { ...current, stageSizes, sizesAt, evaluatedAt: journal.time };
  const moved = applyAdvance(evaluated, step, journal.time);
  await journal.putRollout(moved ?? evaluated);
  if (!moved) return "stays";
  await logRollout(journal, moved, KINDS[step.kind]);
  return "moved";
}

const KINDS: Readonly<Record<Advance["kind"], string>> = Object.freeze({
  stay: "changed",
  start: "started",
  pause: "paused",
  promote: "promoted",
  finish: "finished",
});

/** It was not commanded, changed or moved since. */
const isSame = (a: Rollout, b: Rollout): boolean =>
  a.state === b.state &&
  a.stage === b.stage &&
  a.gatesSince === b.gatesSince &&
  a.updatedAt === b.updatedAt &&
  a.revision === b.revision;

/** A line in the log: `rollout.paused` … */
export const logRollout = (journal: Journal, rollout: Rollout, word: string): Promise<void> =>
  journal.log({
    kind: `rollout.${word}`,
    firmwareId: rollout.firmwareId,
    message: `rollout ${rollout.id} "${rollout.name}" ${word}: ${rollout.reason}`,
    detail: { rollout_id: rollout.id, state: rollout.state, stage: rollout.stage },
  });
