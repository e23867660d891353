import { expect } from "chai";
import {
  checksChunks,
  chunkIndex,
  hashChunk,
  isChunkRight,
} from "../../../../firmware/core/update/chunk-check.js";
import type { Job } from "../../../../firmware/core/update/job.js";
import { JOB } from "../update-phases.js";

/** Digest n of a list has 32 bytes n. */
const digest = (n: number) => new Uint8Array(32).fill(n);
const digests = (count: number) => Uint8Array.from({ length: count * 32 }, (_, i) => Math.floor(i / 32));

const LISTED: Job = { ...JOB, release: { ...JOB.release, digests: digests(3) } };
/** 130 chunks, the last one short. */
const PAGED: Job = {
  ...JOB,
  source: { ...JOB.source, kind: "server", digestsUrl: "http://updates.test/digests" } as Job["source"],
  release: { ...JOB.release, digestsOf: "pages", size: 129 * 16_384 + 100, digests: digests(3) },
};

describe("the check of a chunk", () => {
  it("reads back the chunk that is not verified yet, the last one to the end of the image", () => {
    expect(hashChunk(LISTED, 8)).deep.equal({ type: "hashSlot", attempt: 8, offset: 0, length: 16_384 });
    const last = { ...LISTED, verifiedBytes: 32_768 };
    expect(chunkIndex(last)).equal(2);
    expect(hashChunk(last, 8)).include({ offset: 32_768, length: 40_000 - 32_768 });
  });

  it("compares with the digest of this chunk, and of no other", () => {
    const second = { ...LISTED, verifiedBytes: 16_384 };
    expect(isChunkRight(second, digest(1))).equal(true);
    for (const other of [digest(0), digest(2), new Uint8Array(0), digest(1).slice(1)])
      expect(isChunkRight(second, other)).equal(false);
  });

  it("finds the digest in the page that was fetched", () => {
    const job = { ...PAGED, verifiedBytes: 65 * 16_384, page: { index: 1, digests: digests(64) } };
    expect(isChunkRight(job, digest(1))).equal(true);
    expect(isChunkRight(job, digest(65))).equal(false);
  });

  it("takes place where there are digests to compare with", () => {
    expect(checksChunks(LISTED)).equal(true);
    expect(checksChunks({ ...LISTED, wholeOnly: true })).equal(true);
    expect(checksChunks(PAGED)).equal(true);
    expect(checksChunks({ ...PAGED, source: { ...JOB.source } }), "nowhere to fetch them").equal(false);
    expect(checksChunks({ ...PAGED, wholeOnly: true }), "pages only by ranges").equal(false);
    const onePage = { ...PAGED.release, size: 64 * 16_384 };
    expect(checksChunks({ ...PAGED, release: onePage, wholeOnly: true })).equal(true);
    expect(checksChunks({ ...LISTED, release: { ...LISTED.release, digestsOf: "nothing" } })).equal(false);
  });
});
