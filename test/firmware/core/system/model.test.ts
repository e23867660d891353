// Every state that a system of two devices can get into, searched breadth first: see world.ts for what may happen in it.

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

interface Found {
  readonly world: World;
  readonly from: string | undefined;
  readonly action: string;
}

/** All reachable worlds by their keys. */
function explore(start: World, nature: Nature): ReadonlyMap<string, Found> {
  const found = new Map<string, Found>([
    [keyOf(start), { world: start, from: undefined, action: "it begins" }],
  ]);
  const queue = [keyOf(start)];
  for (let head = 0; head < queue.length; head++) {
    const key = queue[head]!;
    const { world } = found.get(key)!;
    for (const { name, happen } of actionsOf(world, nature)) {
      const next = happen();
      const nextKey = keyOf(next);
      if (found.has(nextKey)) continue;
      found.set(nextKey, { world: next, from: key, action: name });
      queue.push(nextKey);
    }
  }
  return found;
}

function pathTo(found: ReadonlyMap<string, Found>, key: string): string {
  const actions: string[] = [];
  for (let at: string | undefined = key; at !== undefined; at = found.get(at)!.from)
    actions.unshift(found.get(at)!.action);
  return actions.join("\n  ");
}

describe("every state of a system of two devices", function () {
  this.timeout(300_000);

  for (const isMisfit of [false, true]) {
    const nature: Nature = { isMisfit };
    const where = isMisfit ? ", where the new ones do not fit" : "";
    const start = begin(jobOf(2), nature);

    // the search is most of the work, and done once
    let all: ReadonlyMap<string, Found> | undefined;
    const everyWorld = () => {
      all ??= explore(start, nature);
      return all;
    };

    it(`has one version if it has ended${where}`, () => {
      const found = everyWorld();
      const verdicts = new Map<string, number>();
      for (const [key, { world }] of found) {
        if (!hasEnded(world)) continue;
        if (!isConsistent(world)) throw new Error(`mixed versions after\n  ${pathTo(found, key)}\n${key}`);
        const verdict = verdictOf(world) ?? "none";
        if (world.devices[0]!.runs !== (verdict === "finished" ? "new" : "old"))
          throw new Error(`the history says ${verdict} after\n  ${pathTo(found, key)}\n${key}`);
        verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
      }

      expect(found.size).above(3_000);
      expect(verdicts.get("failed")).above(50);
      if (isMisfit) expect(verdicts.get("finished")).equal(undefined);
      else expect(verdicts.get("finished")).above(1);
    });

    it(`ends when there are no more faults${where}`, () => {
      const found = everyWorld();
      for (const bad of [[], [0], [1], [0, 1]]) {
        const known = new Map<string, World>();
        for (const { world } of found.values()) {
          const end = fate(world, bad, nature, known);
          if (!isConsistent(end)) throw new Error(`mixed versions from\n${keyOf(world)}\nto\n${keyOf(end)}`);
        }
      }
    });

    it(`${isMisfit ? "goes" : "leads from the beginning to the new version if the images are good, and goes"} back otherwise${where}`, () => {
      for (const bad of [[], [0], [1], [0, 1]]) {
        const isGood = bad.length === 0 && !isMisfit;
        const end = fate(start, bad, nature, new Map());
        expect(verdictOf(end), `bad: ${bad}`).equal(isGood ? "finished" : "failed");
        expect(end.devices.map(({ runs }) => runs)).deep.equal(isGood ? ["new", "new"] : ["old", "old"]);
      }
    });
  }
});
