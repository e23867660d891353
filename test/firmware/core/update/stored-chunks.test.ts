// Chunks that come into the slot by another way than as an answer (a broadcast): they are checked like those that the slot held before.

import { expect } from "chai";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Event } from "../../../../firmware/core/event.js";
import { OFFER_NOTE_KEY } from "../../../../firmware/core/update/offer-crashes.js";
import { SETBACKS_KEY } from "../../../../firmware/core/update/setbacks.js";
import { STALL_MS, type UpdatePhase } from "../../../../firmware/core/update/state.js";
import { updateStep } from "../../../../firmware/core/update/update.js";
import { Download, type DownloadOptions } from "../download.js";
import { stamped } from "../events.js";
import { inPhase, jobOf } from "../update-phases.js";

const SIZE = 70 * 4096 + 1600;

type Request = Extract<Effect, { readonly type: "startRequest" }>;
const startOf = ({ request }: Request): number =>
  Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1]);

/** A download whose image never comes as an answer: `store` puts something into the slot instead. */
class Broadcast {
  readonly download: Download;
  readonly from: number[] = [];

  constructor(store: (broadcast: Broadcast, from: number) => void, options: Partial<DownloadOptions> = {}) {
    this.download = new Download({
      sizeBytes: SIZE,
      ...options,
      fault: (effect): Event | undefined => {
        if (effect.type !== "startRequest" || !effect.request.url.endsWith("/image")) return undefined;
        const from = startOf(effect);
        this.from.push(from);
        store(this, from);
        return { type: "chunkStored", attempt: effect.attempt };
      },
    });
  }
  put(offset: number, count = 4096): void {
    this.download.flash.set(this.download.image.subarray(offset, offset + count), offset);
  }
}

describe("chunks that come into the slot by another way", () => {
  it("make up a whole image, of which nothing is read or written as an answer", () => {
    const { download, from } = new Broadcast((broadcast, offset) => broadcast.put(offset));
    download.run();
    expect(download.outcome).equal("restarting");
    expect(from).deep.equal(Array.from({ length: 71 }, (_, index) => index * 4096));
    for (const type of ["readResponse", "writeSlot", "eraseSlot"]) expect(download.types).not.include(type);
    expect(download.asked, "pages of digests come as ever").deep.equal([
      "/digests bytes=0-2047",
      "/digests bytes=2048-2271",
    ]);
  });

  it("are all taken that are there, with one request for those behind them", () => {
    const { download, from } = new Broadcast((broadcast, offset) => broadcast.put(offset, 10 * 4096));
    download.run();
    expect(download.outcome).equal("restarting");
    expect(from).deep.equal([0, 10, 20, 30, 40, 50, 60, 70].map((index) => index * 4096));
  });

  it("are reported in tenths, and end what counts against the image", () => {
    const { download } = new Broadcast((broadcast, offset) => broadcast.put(offset));
    download.run();
    const steps = download.reports.filter(({ step }) => step === "downloading");
    expect(steps).length(9);
    expect(steps.at(-1)?.bytes_downloaded).above(0.9 * SIZE);
    expect(download.stored.has(SETBACKS_KEY)).equal(false);
    expect(download.stored.has(OFFER_NOTE_KEY)).equal(false);
  });

  it("that are wrong are requested again after a pause, and count as failed tries until one is right", () => {
    let failCount = 3;
    const { download, from } = new Broadcast((broadcast, offset) => {
      broadcast.put(offset);
      if (offset === 8192 && failCount-- > 0) broadcast.download.flash[9000] = 0;
    });
    download.run();
    expect(download.outcome).equal("restarting");
    expect(from.slice(0, 4)).deep.equal([0, 4096, 8192, 8192]);
    expect(download.retryDelaysMs).deep.equal([750, 1_500, 3_000]);
    expect(download.logs.filter((line) => line.includes("CHUNK_MISMATCH"))).length(3);
  });

  it("that are wrong each time end the attempt after five tries", () => {
    const { download, from } = new Broadcast(({ download: { flash } }, offset) => {
      flash[offset] = 0x33;
    });
    download.run();
    expect(download.outcome).equal("CHUNK_MISMATCH");
    expect(from).length(5);
  });

  it("end the try to fetch the image as a whole, and what is in the slot by then is kept", () => {
    let failCount = 3;
    const from: number[] = [];
    const whole: Download = new Download({
      sizeBytes: SIZE,
      thereBytes: 20 * 4096,
      fault: (effect) => {
        if (effect.type !== "startRequest" || !effect.request.url.endsWith("/image")) return undefined;
        const { attempt } = effect;
        if (failCount-- > 0) return { type: "responseStarted", attempt, status: 503, headers: {} };
        const offset = startOf(effect) || 0;
        from.push(offset);
        whole.flash.set(whole.image.subarray(offset, offset + 4096), offset);
        return { type: "chunkStored", attempt };
      },
    });
    whole.run();
    expect(whole.outcome).equal("restarting");
    expect(from.slice(0, 2)).deep.equal([0, 20 * 4096]);
  });

  it("count only for the request that is open, of a server, and where chunks can be checked", () => {
    const phases: readonly UpdatePhase[] = ["idle", "checking", "waiting", "resuming", "proving", "arming"];
    for (const phase of phases) {
      const state = inPhase(phase);
      expect(updateStep(state, stamped({ type: "chunkStored", attempt: state.attempt })), phase).deep.equal([
        state,
        [],
      ]);
    }
    const requesting = inPhase("requesting");
    const stale: Event = { type: "chunkStored", attempt: requesting.attempt + 2 };
    expect(updateStep(requesting, stamped(stale))).deep.equal([requesting, []]);
    const { attempt } = requesting;
    const unchecked = inPhase("streaming", undefined, {
      release: { ...jobOf(requesting).release, digestsOf: "nothing" },
    });
    const pushed = inPhase("streaming", undefined, {
      source: { kind: "push", connection: 3, acknowledged: false },
    });
    for (const state of [unchecked, pushed])
      for (const type of ["chunkStored", "chunkProgress"] as const) {
        const [next, effects] = updateStep(state, stamped({ type, attempt }));
        expect(next).equal(state);
        if (type === "chunkStored" || state === pushed) expect(effects).deep.equal([]);
      }
  });

  it("close the request that they answer, and drop what had come as an answer", () => {
    const streaming = inPhase("streaming", undefined, {
      verifiedBytes: 4096,
      offset: 5000,
      pending: new Uint8Array(10),
      available: 100,
    });
    const [next, effects] = updateStep(
      streaming,
      stamped({ type: "chunkStored", attempt: streaming.attempt }),
    );
    expect(next.phase).equal("resuming");
    expect(jobOf(next)).include({ offset: 4096, available: 0, pending: undefined });
    expect(effects[0]).deep.equal({ type: "clearTimer", timer: "transfer" });
    expect(effects[1]).deep.equal({ type: "closeRequest", attempt: streaming.attempt });
    expect(effects[2]).include({ type: "hashSlot", offset: 4096 });
  });

  it("keep a try alive as long as bytes of them come", () => {
    for (const phase of ["requesting", "streaming"] as const) {
      const state = inPhase(phase);
      const [next, effects] = updateStep(state, stamped({ type: "chunkProgress", attempt: state.attempt }));
      expect(next).equal(state);
      expect(effects).deep.equal([{ type: "setTimer", timer: "transfer", delayMs: STALL_MS }]);
    }
    const idle = inPhase("idle");
    expect(updateStep(idle, stamped({ type: "chunkProgress", attempt: 0 }))).deep.equal([idle, []]);
  });
});
