// An image without signed digests on its way into the cache: piece by piece, proved by its MD5 as a whole.

import { expect } from "chai";
import type { CacheEvent } from "../../../../firmware/core/gateway/cache-vocabulary.js";
import {
  fetchPlainImage,
  type PlainEffect,
  type PlainOrder,
  type PlainState,
  plainImageHeard,
  stopPlainImage,
} from "../../../../firmware/core/gateway/plain-image.js";

const MD5 = "0123456789abcdef0123456789abcdef";
const ORDER: PlainOrder = {
  url: "http://updates.test/d/7",
  headers: { authorization: "Bearer x" },
  sizeBytes: 20_000,
  md5: MD5,
};
const STAMP = { at: 0, random: 0.5, freeHeapBytes: 100_000 };
const bytesOf = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (two) => Number.parseInt(two, 16));

class Fetching {
  state: PlainState;
  effects: readonly PlainEffect[];

  constructor(order = ORDER, before?: PlainState) {
    [this.state, this.effects] = fetchPlainImage(order, before);
  }

  give(event: object): this {
    [this.state, this.effects] = plainImageHeard(this.state, event as CacheEvent, STAMP);
    return this;
  }

  proved = (md5: string): this =>
    this.give({ type: "cacheHashed", attempt: this.state.attempt, offset: 0, digest: bytesOf(md5) });
  wrong = (): this => this.proved("f".repeat(32));
  timer = (): this => this.give({ type: "timerFired", timer: "job.image" });

  started(status = 206, range = this.range): this {
    const { request: attempt, order } = this.state;
    const headers = {
      "content-range": `bytes ${range[0]}-${range[1]}/${order.sizeBytes}`,
      "content-length": `${range[1] - range[0] + 1}`,
    };
    return this.give({ type: "responseStarted", attempt, status, headers });
  }

  /** The range that was asked for last. */
  range: readonly [number, number] = [0, 0];
  get asked(): string {
    const found = this.effects.find((effect) => effect.type === "startRequest");
    if (found?.type !== "startRequest") return "";
    const range = found.request.headers.range ?? "";
    const [first = 0, last = 0] = range.slice(6).split("-").map(Number);
    this.range = [first, last];
    return range;
  }

  /** Answers one piece as a whole, sector by sector, and returns what was written of it. */
  piece(): number {
    void this.asked;
    this.started();
    let writtenBytes = 0;
    for (let left = this.range[1] - this.range[0] + 1; left > 0; ) {
      const { request: attempt } = this.state;
      // the first time it is told that bytes wait, afterwards it knows how many
      if (!this.has("readResponse")) this.give({ type: "responseReadable", attempt, count: left });
      const read = this.effects.find((effect) => effect.type === "readResponse");
      const count = read?.type === "readResponse" ? read.maxBytes : 0;
      if (count === 0) throw new Error("nothing is read");
      this.give({ type: "responseData", attempt, bytes: new Uint8Array(count) });
      if (this.has("eraseCache")) this.give({ type: "cacheErased", attempt: this.state.attempt, offset: 0 });
      expect(this.has("writeCache")).equal(true);
      this.give({ type: "cacheWritten", attempt: this.state.attempt, offset: 0, length: count });
      left -= count;
      writtenBytes += count;
    }
    return writtenBytes;
  }

  has = (type: PlainEffect["type"]): boolean => this.effects.some((effect) => effect.type === type);
}

describe("an image that only its MD5 proves", () => {
  it("is not fetched if the flash has it already", () => {
    const fetching = new Fetching();
    expect(fetching.effects).deep.equal([
      { type: "hashCache", attempt: fetching.state.attempt, offset: 0, length: 20_000, algorithm: "MD5" },
    ]);
    expect(fetching.proved(MD5).state.phase).equal("ready");
    expect(fetching.effects).deep.equal([]);
  });

  it("is fetched in pieces of 16 KiB, a sector at a time, and proved as a whole", () => {
    const fetching = new Fetching().wrong();
    expect(fetching.asked).equal("bytes=0-16383");
    expect(fetching.piece()).equal(16_384);
    expect(fetching.asked).equal("bytes=16384-19999");
    expect(fetching.piece()).equal(3_616);
    expect(fetching.state.phase).equal("proving");
    expect(fetching.effects.map(({ type }) => type)).deep.equal(["closeRequest", "clearTimer", "hashCache"]);
    expect(fetching.proved(MD5).state.phase).equal("ready");
  });

  it("is given up if what was fetched has another MD5", () => {
    const fetching = new Fetching().wrong();
    for (let count = 0; count < 2; count++) fetching.piece();
    expect(fetching.wrong().state.phase).equal("failed");
    expect(fetching.effects.some((one) => one.type === "log" && one.message.includes(`not ${MD5}`))).equal(
      true,
    );
  });

  it("is asked for again after a failure, five times in a row, each piece from its beginning", () => {
    for (const fail of [
      (one: Fetching) => one.started(500),
      (one: Fetching) => one.started(206, [0, 99]),
      (one: Fetching) => one.give({ type: "requestFailed", attempt: one.state.request, message: "reset" }),
      (one: Fetching) => one.timer(),
      (one: Fetching) => one.started().give({ type: "responseEnded", attempt: one.state.request }),
    ]) {
      const fetching = new Fetching().wrong();
      void fetching.asked;
      for (let count = 1; count < 5; count++) {
        fail(fetching);
        expect(fetching.state, `${count}`).include({ phase: "waiting", failureCount: count });
        expect(fetching.effects.map(({ type }) => type)).include.members(["closeRequest", "setTimer"]);
        expect(fetching.timer().asked).equal("bytes=0-16383");
      }
      expect(fail(fetching).state.phase).equal("failed");
    }
  });

  it("has its failures forgotten with each piece that is there", () => {
    const fetching = new Fetching().wrong();
    void fetching.asked;
    fetching.started(500).timer();
    fetching.piece();
    expect(fetching.state.failureCount).equal(0);
  });

  it("ends where the flash fails, and hears no answer to another question", () => {
    const fetching = new Fetching();
    const { state } = fetching;
    fetching.give({ type: "cacheHashed", attempt: state.attempt - 1, offset: 0, digest: bytesOf(MD5) });
    fetching.give({ type: "cacheFailed", attempt: state.attempt + 1, message: "worn" });
    fetching.give({ type: "responseEnded", attempt: state.request });
    fetching.give({ type: "timerFired", timer: "job.look" });
    expect(fetching.state).equal(state);
    fetching.give({ type: "cacheFailed", attempt: state.attempt, message: "worn" });
    expect(fetching.state.phase).equal("failed");
  });

  it("uses no number twice, whatever was fetched before", () => {
    const first = new Fetching().wrong();
    const second = new Fetching(ORDER, first.state).wrong();
    expect(second.state.attempt).above(first.state.attempt);
    expect(second.state.request).below(first.state.request);
    expect(stopPlainImage(second.state)).deep.equal([
      { type: "clearTimer", timer: "job.image" },
      { type: "closeRequest", attempt: second.state.request },
    ]);
  });
});
