// A pair whose firmware is built with one safeguard disabled: the sweep has to find each. The journey without any fault may fail already.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { PairJourneyError } from "../../host-sim/sweep/pair/recording.js";
import { preparePairBench, runOrdeal } from "../../host-sim/sweep/pair/sweep.js";
import type { Mutation } from "./mutant.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface Safeguard {
  readonly without: string;
  /** What happens to the pair. */
  readonly id: string;
  readonly mutation: Mutation;
}

const SAFEGUARDS: readonly Safeguard[] = [
  {
    without: "the wait for the leader's word",
    id: "system:crashing-receiver",
    mutation: {
      file: "firmware/core/update/check-answer.ts",
      original: 'const hold = value.get("hold") === true ? { hold: true } : {};',
      mutated: "const hold = {};",
    },
  },
  {
    without: "the way back at the leader's word",
    id: "system:misfit",
    mutation: {
      file: "firmware/core/update/check-answer.ts",
      original: "...(isSha256(revert) ? { revert } : {}),",
      mutated: "",
    },
  },
  {
    without: "the wait for the end of a trial",
    id: "system:crashing-transmitter",
    mutation: {
      file: "firmware/core/system/goals.ts",
      original: "isStarted(member, report) && !report?.isOnTrial && report?.problem === undefined",
      mutated: "isStarted(member, report)",
    },
  },
  {
    without: "the look whether both fit",
    id: "system:misfit",
    mutation: {
      file: "firmware/apps/receiver/core/leader.ts",
      original: "return this.state.peer?.isCompatible ? {} : { isMisfit: true };",
      mutated: "return {};",
    },
  },
  {
    without: "the job that is kept over a restart",
    id: "system:crashing-transmitter",
    mutation: {
      file: "firmware/core/system/orchestrator.ts",
      original: "const text = stored[JOB_KEY];",
      mutated: "const text = stored.none;",
    },
  },
  {
    without: "the trial",
    id: "system:crashing-receiver",
    mutation: {
      file: "firmware/core/trial/boot-validation.ts",
      original: '{ ...initialTrial, ...limits, phase: "trial", serverReached: isPushed },\n    [',
      mutated: '{ ...initialTrial, ...limits, phase: "validating" },\n    [\n      { type: "markValid" },',
    },
  },
];

/** What goes wrong; undefined: nothing. */
async function problemOf({ id, mutation }: Safeguard): Promise<string | undefined> {
  const { file, original, mutated } = mutation;
  const source = readFileSync(`${ROOT}${file}`, "utf8");
  expect(source.split(original).length, `"${original}" occurs once in ${file}`).equal(2);
  const replace = (path: string) =>
    path.endsWith(`/${file}`) ? source.replace(original, mutated) : undefined;
  try {
    const bench = await preparePairBench(1, undefined, replace);
    return (await runOrdeal(bench, id)).problem;
  } catch (error) {
    if (error instanceof PairJourneyError) return error.message;
    throw error;
  }
}

describe("the sweep of a pair without", function () {
  this.timeout(600_000);

  for (const safeguard of SAFEGUARDS)
    it(`${safeguard.without} fails at ${safeguard.id}`, async () => {
      expect(await problemOf(safeguard)).a("string");
    });
});
