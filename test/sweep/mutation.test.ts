// A device that is built with one safety check disabled: the sweep has to find each.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { JourneyName } from "../../host-sim/sweep/recording.js";
import { type SweepResult, sweep } from "../../host-sim/sweep/sweep.js";
import { type Mutation, sweepMutant } from "./mutant.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface Safety {
  readonly safety: string;
  readonly journey: JourneyName;
  readonly mutation: Mutation;
}

const SAFETIES: readonly Safety[] = [
  {
    safety: "the re-verification before arming",
    journey: "update",
    mutation: {
      file: "firmware/core/update/install.ts",
      original: "if (toHex(event.digest) !== expected) {",
      mutated: "if (toHex(event.digest) !== expected && job.release.size < 0) {",
    },
  },
  {
    safety: "the trial",
    journey: "failing",
    mutation: {
      file: "firmware/core/trial/boot-validation.ts",
      original: '{ ...initialTrial, ...limits, phase: "trial", serverReached: isPushed },\n    [',
      mutated: '{ ...initialTrial, ...limits, phase: "validating" },\n    [\n      { type: "markValid" },',
    },
  },
  {
    safety: "the trial of an image whose state power has torn",
    journey: "failing",
    mutation: {
      file: "firmware/core/trial/boot-validation.ts",
      original: 'next: [{ type: "beginTrial" }],',
      mutated: "next: [],",
    },
  },
  {
    safety: "the note that a trial was passed",
    journey: "failing",
    mutation: {
      file: "firmware/core/update/record.ts",
      original: "isRecorded(image, record) && !record.passed;",
      mutated: "isRecorded(image, record) && record.firmwareId < 0;",
    },
  },
  {
    safety: "the chunk check on resume",
    journey: "update",
    mutation: {
      file: "firmware/core/update/install.ts",
      original: "if (!isChunkRight(job, event.digest)) return chunkMissing",
      // the first chunk is still checked: without that no update succeeds, interrupted or not
      mutated: "if (chunkIndex(job) === 0 && !isChunkRight(job, event.digest)) return chunkMissing",
    },
  },
];

/** In the virtual hardware, which is not built with the firmware: it takes a copy of the project. */
const CRC_CHECK: Mutation = {
  file: "host-sim/hardware/boot/otadata.ts",
  original: "return entry.crc === sequenceCrc(entry.sequence);",
  mutated: "return entry.crc === sequenceCrc(entry.sequence) || true;",
};

function sweepWithout(journey: JourneyName, { file, original, mutated }: Mutation): Promise<SweepResult> {
  const source = readFileSync(`${ROOT}${file}`, "utf8");
  expect(source.split(original).length, `"${original}" occurs once in ${file}`).equal(2);
  const replace = (path: string) =>
    path.endsWith(`/${file}`) ? source.replace(original, mutated) : undefined;
  return sweep({ seed: 1, journeys: [journey], failFast: true, workerCount: 0, replace });
}

describe("the sweep of a device without", function () {
  this.timeout(300_000);

  for (const { safety, journey, mutation } of SAFETIES) {
    it(`${safety} fails, and names the cut`, async () => {
      const { failed } = await sweepWithout(journey, mutation);
      expect(failed).not.empty;
      expect(failed[0]?.id).match(new RegExp(`^${journey}(:|$)`));
    });
  }

  it("the CRC check of otadata fails, and names the cut", async () => {
    const parameters = ["--journey", "failing", "--pairs", "0", "--workers", "1"];
    const { exitCode, result, log } = await sweepMutant(CRC_CHECK, ...parameters);
    expect(exitCode, log).equal(1);
    expect(result.failed[0], log).match(/^failing:/);
  });

  it("nothing survives every cut: it is the mutations that fail", async () => {
    const { cuts, survived, failed } = await sweep({ seed: 1, journeys: ["settings"], workerCount: 0 });
    expect(failed).empty;
    expect(cuts).above(300);
    expect(survived).equal(cuts);
  });
});
