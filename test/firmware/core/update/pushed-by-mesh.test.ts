// An image that comes from a painlessMesh gateway: as a push of which only the MD5 is known, not the length.

import { expect } from "chai";
import type { Event, Stamped } from "../../../../firmware/core/event.js";
import { STALL_MS } from "../../../../firmware/core/update/state.js";
import { updateStep } from "../../../../firmware/core/update/update.js";
import { Download, hex, md5 } from "../download.js";
import { stamped } from "../events.js";
import { inPhase, JOB } from "../update-phases.js";

const SIZE = 12_448;
const MD5 = hex(md5(new Download({ sizeBytes: SIZE }).image));
const pushed = (meshMd5 = MD5, more = {}, body?: Uint8Array) =>
  new Download({ sizeBytes: SIZE, listsChunks: true }).push({ mesh: { md5: meshMd5 }, ...more }, body);

describe("an image that is pushed by the mesh", () => {
  it("ends with its last bytes, and is checked by its MD5", () => {
    const download = pushed();
    expect(download.outcome).equal("restarting");
    expect(download.answers[0]?.status).equal(200);
    expect(download.flash.subarray(0, SIZE)).deep.equal(download.image);
    const proof = download.effects.filter(({ type }) => type === "hashSlot").at(-1);
    expect(proof).include({ offset: 0, length: SIZE, algorithm: "MD5" });
  });

  it("is refused when it has another MD5", () => {
    const download = pushed("a".repeat(32));
    expect(download.answers[0]).property("status").equal(422);
    expect(download.answers[0]?.body).match(/have MD5 [0-9a-f]{32}, expected is a{32}/);
    expect(download.types).not.include("armSlot");
  });

  it("is refused when it ends too early or too late", () => {
    const { image } = new Download({ sizeBytes: SIZE });
    const longer = new Uint8Array(SIZE + 16);
    longer.set(image);
    for (const body of [image.slice(0, SIZE - 16), longer]) {
      const download = pushed(hex(md5(body)), {}, body);
      expect(download.answers[0]?.body).match(new RegExp(`file is ${body.length} bytes`));
      expect(download.types).not.include("armSlot");
    }
  });

  it("has its length from its release when it is signed, and its SHA-256", () => {
    const { release, image } = new Download({ sizeBytes: SIZE, listsChunks: true });
    const download = pushed("a".repeat(32), { release });
    expect(download.outcome).equal("restarting");
    expect(download.flash.subarray(0, SIZE)).deep.equal(image);
  });

  it("may be silent for as long as ten requests of 30 s, and no longer", () => {
    const source = { kind: "push", connection: 3, acknowledged: false, isSlow: true } as const;
    let state = inPhase("streaming", undefined, { source });
    let silentMs = 0;
    for (; state.phase === "streaming" && silentMs < 3_600_000; silentMs += STALL_MS)
      [state] = updateStep(state, stamped({ type: "timerFired", timer: "transfer" }));
    expect(silentMs).equal(11 * STALL_MS);
    expect(state.phase).equal("idle");
  });

  it("is given up when its parts come so seldom that it would take days", () => {
    const release = { ...JOB.release, size: 4_000_000 };
    const source = { kind: "push", connection: 3, acknowledged: false, isSlow: true } as const;
    let state = inPhase("streaming", undefined, { source, release, rangeEnd: release.size });
    const part: Event = { type: "pushData", connection: 3, bytes: new Uint8Array(1) };
    let at = 0;
    for (; state.phase === "streaming" && at < 3_600_000; at += 25_000) {
      [state] = updateStep(state, { ...stamped(part), at } as Stamped);
      if (state.phase === "streaming" && state.job.pending) {
        const offset = state.job.offset + state.job.pending.length;
        state = { ...state, job: { ...state.job, offset, pending: undefined } };
      }
    }
    expect(at).within(600_000, 660_000);
    expect(state.phase).equal("idle");
  });
});
