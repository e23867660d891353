// Systems of two to five devices in a random order of faults, by seed. The search in test/firmware/system sees everything, of two devices; this sees
// larger ones, several in one step, devices that were ahead, and longer ways. SKYSLOT_SEEDS sets how many.

import { expect } from "chai";
import { randomStream } from "../../../../host-sim/world/random.js";
import { actionsOf, begin, fate, hasEnded, isConsistent, jobOf, keyOf, verdictOf } from "./world.js";

/** Inside XS, which has no process and takes ten times as long, fewer. */
const SEED_COUNT = globalThis.process === undefined ? 20 : Number(process.env.SKYSLOT_SEEDS ?? 300);
const MAX_FAULT_STEPS = 120;

/** What a run may do less often than the rest, so that jobs get somewhere. */
const isFault = (name: string): boolean => /cut|fails|lost|late|deadline|refuses|again|cancels/.test(name);

function run(seed: number): string {
  const random = randomStream(`system/${seed}`);
  const upTo = (count: number) => Math.floor(random() * count);
  const count = 2 + upTo(4);
  const indices = Array.from({ length: count }, (_, index) => index);
  const job = jobOf(count);
  const components = job.components.map((component) => ({ ...component, step: upTo(3) }));
  const ahead = indices.filter(() => random() < 0.1);
  const bad = indices.filter(() => random() < 0.1);
  const nature = { isMisfit: random() < 0.1 };
  const faultShare = random() * 0.3;
  let world = begin({ ...job, components }, nature, ahead);
  const names: string[] = [];
  const fail = (what: string): never => {
    throw new Error(`seed ${seed}: ${what} after\n  ${names.join("\n  ")}\n${keyOf(world)}`);
  };
  for (let step = 0; step < MAX_FAULT_STEPS; step++) {
    if (hasEnded(world) && !isConsistent(world, ahead)) fail("mixed versions");
    if (hasEnded(world) && random() < 0.5) break;
    const isFaulty = random() < faultShare;
    const all = actionsOf(world, nature);
    const some = all.filter(({ name }) => isFault(name) === isFaulty);
    const { name, happen } = some[upTo(some.length)] ?? all[upTo(all.length)] ?? fail("nothing can happen");
    names.push(name);
    world = happen();
  }
  names.push("there are no more faults");
  world = fate(world, bad, nature);
  if (!isConsistent(world, ahead)) fail("mixed versions");
  // a job that was not stored before the power was cut has never been
  const verdict = verdictOf(world) ?? "none";
  if (verdict === "finished" && !world.devices.every(({ runs }) => runs === "new"))
    fail("it is not finished");
  return verdict;
}

describe("systems of two to five devices", () => {
  it(`have one version in the end, whatever happens on the way, in ${SEED_COUNT} seeds`, () => {
    const verdicts = new Map<string, number>();
    for (let seed = 0; seed < SEED_COUNT; seed++) {
      const verdict = run(seed);
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
    }
    // neither may be rare: a run that always goes back proves little
    expect(verdicts.get("finished")).above(SEED_COUNT / 20);
    expect(verdicts.get("failed")).above(SEED_COUNT / 20);
  });
});
