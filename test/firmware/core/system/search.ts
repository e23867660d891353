// Searches the states that a system of two devices can get into, breadth first, and checks what it has found: see world.ts for what may
// happen in a state. The tests here search a part, as they also run inside XS; those in test/firmware/system search all.

import { expect } from "chai";
import {
  actionsOf,
  begin,
  fate,
  hasEnded,
  isConsistent,
  jobOf,
  keyOf,
  type Nature,
  verdictOf,
  type World,
} from "./world.js";

/** Whose trials fail in the end. */
const BAD: readonly (readonly number[])[] = [[], [0], [1], [0, 1]];

interface Found {
  readonly world: World;
  readonly from: string | undefined;
  readonly action: string;
}

export type Worlds = ReadonlyMap<string, Found>;

const beginning = (nature: Nature): World => begin(jobOf(2), nature);

/** The reachable worlds by their keys, those that are reached in the fewest steps first. */
export function search(nature: Nature, maxCount: number): Worlds {
  const start = beginning(nature);
  const found = new Map<string, Found>([
    [keyOf(start), { world: start, from: undefined, action: "it begins" }],
  ]);
  const queue = [keyOf(start)];
  for (let head = 0; head < queue.length; head++) {
    const key = queue[head]!;
    for (const { name, happen } of actionsOf(found.get(key)!.world, nature)) {
      if (found.size >= maxCount) return found;
      const next = happen();
      const nextKey = keyOf(next);
      if (found.has(nextKey)) continue;
      found.set(nextKey, { world: next, from: key, action: name });
      queue.push(nextKey);
    }
  }
  return found;
}

function pathTo(found: Worlds, key: string): string {
  const actions: string[] = [];
  for (let at: string | undefined = key; at !== undefined; at = found.get(at)!.from)
    actions.unshift(found.get(at)!.action);
  return actions.join("\n  ");
}

/** Where the job has ended, the devices have one version, the one that the history says. @returns how often each verdict was found */
export function expectOneVersion(found: Worlds): ReadonlyMap<string, number> {
  const verdicts = new Map<string, number>();
  for (const [key, { world }] of found) {
    if (!hasEnded(world)) continue;
    if (!isConsistent(world)) throw new Error(`mixed versions after\n  ${pathTo(found, key)}\n${key}`);
    const verdict = verdictOf(world) ?? "none";
    if (world.devices[0]!.runs !== (verdict === "finished" ? "new" : "old"))
      throw new Error(`the history says ${verdict} after\n  ${pathTo(found, key)}\n${key}`);
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
  }
  return verdicts;
}

/** From each world the job comes to an end without more faults, with one version. */
export function expectEnds(found: Worlds, nature: Nature): void {
  for (const bad of BAD) {
    const known = new Map<string, World>();
    for (const { world } of found.values()) {
      const end = fate(world, bad, nature, known);
      if (!isConsistent(end)) throw new Error(`mixed versions from\n${keyOf(world)}\nto\n${keyOf(end)}`);
    }
  }
}

/** From the beginning, without faults, good images that fit lead to the new version, and others back. */
export function expectVerdictOfTrials(nature: Nature): void {
  for (const bad of BAD) {
    const isGood = bad.length === 0 && !nature.isMisfit;
    const end = fate(beginning(nature), bad, nature);
    expect(verdictOf(end), `bad: ${bad}`).equal(isGood ? "finished" : "failed");
    expect(end.devices.map(({ runs }) => runs)).deep.equal(isGood ? ["new", "new"] : ["old", "old"]);
  }
}
