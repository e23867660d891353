import { expect } from "chai";
import { type Mutation, sweepMutant } from "./mutant.js";

interface Safety {
  readonly safety: string;
  readonly journey: string;
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
    safety: "the CRC check of otadata",
    journey: "failing",
    mutation: {
      file: "host-sim/hardware/boot/otadata.ts",
      original: "return entry.crc === sequenceCrc(entry.sequence);",
      mutated: "return entry.crc === sequenceCrc(entry.sequence) || true;",
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

describe("the sweep of a device without", function () {
  this.timeout(300_000);

  for (const { safety, journey, mutation } of SAFETIES) {
    it(`${safety} fails, and names the cut`, async () => {
      const { exitCode, result, log } = await sweepMutant(mutation, "--journey", journey, "--pairs", "0");
      expect(exitCode, log).equal(1);
      expect(result.failed, log).not.empty;
      expect(result.failed[0]).match(new RegExp(`^${journey}(:|$)`));
    });
  }

  it("nothing survives every cut: it is the mutations that fail", async () => {
    const { exitCode, result } = await sweepMutant(undefined, "--journey", "settings", "--pairs", "0");
    expect(exitCode).equal(0);
    expect(result.cuts).above(300);
    expect(result.survived).equal(result.cuts);
  });
});
