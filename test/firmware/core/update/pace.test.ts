// Kind: who sends little keeps the device busy. A timer ends silence; these send a byte before it fires.

import { expect } from "chai";
import type { Event, Stamped } from "../../../../firmware/core/event.js";
import { type UpdateState, updateStep } from "../../../../firmware/core/update/update.js";
import { stamped } from "../events.js";
import { inPhase, JOB } from "../update-phases.js";

const LARGE = { ...JOB.release, size: 4_000_000 };
const REQUESTING = inPhase("requesting", undefined, { release: LARGE, rangeEnd: LARGE.size });
const HOUR_MS = 3_600_000;

describe("a sender that is too slow", () => {
  const START: Event = { type: "responseStarted", attempt: 0, status: 200, headers: {} };

  /** The same event again and again, so many ms apart; what is read is written at once. `at`: when the machine gave up. */
  function dribble(gapMs: number, event: Event, state: UpdateState) {
    let next = state;
    let at = 0;
    for (; next.phase === "streaming" && at < HOUR_MS; at += gapMs) {
      const [read] = updateStep(next, { ...stamped(event), at } as Stamped);
      next = read;
      const job = "job" in next ? next.job : undefined;
      if (next.phase === "streaming" && job?.pending)
        next = { ...next, job: { ...job, offset: job.offset + job.pending.length, pending: undefined } };
    }
    return { at, state: next };
  }
  const bytes = new Uint8Array(1);

  for (const gapMs of [25_000, 5_000, 100])
    it(`is given up within two minutes: a byte each ${gapMs} ms`, () => {
      const [begun] = updateStep(REQUESTING, stamped(START));
      const { at, state } = dribble(gapMs, { type: "responseData", attempt: 0, bytes }, begun);
      expect(at).within(60_000, 120_000);
      expect(state.phase).equal("waiting");
    });

  it("is not one that keeps the pace", () => {
    const piece = new Uint8Array(1024);
    const [begun] = updateStep(REQUESTING, stamped(START));
    const { at, state } = dribble(3_000, { type: "responseData", attempt: 0, bytes: piece }, begun);
    expect(state.phase).equal("streaming");
    expect(at).equal(HOUR_MS);
  });

  it("of a push is given up too, after a longer time", () => {
    const source = { kind: "push", connection: 3, acknowledged: false } as const;
    const begun = inPhase("streaming", undefined, { source, release: LARGE, rangeEnd: LARGE.size });
    const { at, state } = dribble(25_000, { type: "pushData", connection: 3, bytes }, begun);
    expect(at).within(180_000, 240_000);
    expect(state.phase).equal("idle");
  });
});
