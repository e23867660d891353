// The cache fetches an image once, and passes on only what has its digest.

import { createHash } from "node:crypto";
import { expect } from "chai";
import { bytesEqual } from "../../../../firmware/core/bytes.js";
import type { Event, Stamp } from "../../../../firmware/core/event.js";
import {
  availableBytes,
  type CacheOutput,
  type CacheState,
  cacheHeard,
  doubtChunk,
  fillCache,
  initialCache,
  pauseCache,
  useCacheFor,
} from "../../../../firmware/core/gateway/cache.js";
import type { CacheEffect, CacheEvent } from "../../../../firmware/core/gateway/cache-vocabulary.js";
import {
  type CachedImage,
  readCachedImage,
  writeCachedImage,
} from "../../../../firmware/core/gateway/cached-image.js";
import { Connections, isHttp } from "./connection.js";
import { carryOutOnCache, Flash } from "./flash.js";
import { CHUNK_BYTES, makeRelease, SERVER, type TestRelease, text, UpdateServer } from "./update-server.js";

const SIZE = 100_000;
const CHUNK_COUNT = 7;
const RELEASE = makeRelease(SIZE);
/** Three pages of digests. */
const LARGE = makeRelease(130 * CHUNK_BYTES + 64, 9);

const imageOf = ({ id, manifest }: TestRelease): CachedImage =>
  readCachedImage(
    JSON.stringify({
      target: `/api/ota/download/${id}?device=node-1`,
      digests: `/api/ota/download/${id}/digests?device=node-1`,
      manifest,
    }),
  )!;

/** A cache with its flash and its server; time passes only in timers. */
class Fixture {
  state: CacheState = initialCache;
  readonly server: UpdateServer;
  flash = new Flash(0x240000);
  readonly grown: number[] = [];
  readonly stopped: Extract<CacheOutput, { type: "cacheStopped" }>[] = [];
  readonly logs: string[] = [];
  readonly waitsMs: number[] = [];
  nowMs = 0;
  largestPiece = 0;
  /** Changes what is written. */
  fault: (effect: CacheEffect) => CacheEvent | undefined = () => undefined;
  #connections: Connections;
  #queue: (Event | CacheEvent | { type: "timerFired"; timer: string })[] = [];
  #actions: (() => void)[] = [];
  #timerMs: number | undefined;

  constructor(...releases: TestRelease[]) {
    this.server = new UpdateServer(...releases);
    this.#connections = this.#connect();
  }
  #connect = () =>
    new Connections(
      (request) => this.server.answer(request),
      (event) => this.#queue.push(event),
      (_delayMs, action) => this.#actions.push(action),
    );
  use(release: TestRelease): this {
    this.#take(useCacheFor(this.state, imageOf(release)));
    return this;
  }
  fill = () => this.#take(fillCache(this.state, SOURCE)).run();
  doubt = (index: number) => this.#take(doubtChunk(this.state, index, SOURCE)).run();
  pause = () => this.#take(pauseCache(this.state));
  /** Everything in RAM is lost. */
  restart(release: TestRelease): this {
    this.#queue = [];
    this.#actions = [];
    this.#timerMs = undefined;
    this.#connections = this.#connect();
    this.state = initialCache;
    return this.use(release);
  }
  /** Until nothing happens any more, or for so many steps. */
  run(stepCount = Number.POSITIVE_INFINITY): this {
    for (let count = 0; count < stepCount; count++) {
      const event = this.#queue.shift();
      const action = event ? undefined : this.#actions.shift();
      if (event) this.hear(event);
      else if (action) action();
      else if (this.#timerMs !== undefined) {
        this.nowMs += this.#timerMs;
        this.#timerMs = undefined;
        this.hear({ type: "timerFired", timer: "relay.cache" });
      } else return this;
    }
    return this;
  }
  hear(event: Event | CacheEvent | { type: "timerFired"; timer: string }): this {
    return this.#take(cacheHeard(this.state, event, SOURCE, this.#stamp));
  }
  holds = (release: TestRelease) =>
    bytesEqual(this.flash.bytes.slice(0, release.image.length), release.image);
  ranges = () =>
    this.server.asked
      .filter(({ path }) => !path.includes("digests"))
      .map(({ headers }) => headers.range ?? "all");

  get #stamp(): Stamp {
    return { at: this.nowMs, random: 0.5, freeHeapBytes: 0 };
  }
  #take([state, outputs]: readonly [CacheState, readonly CacheOutput[]]): this {
    this.state = state;
    for (const output of outputs) {
      if (output.type === "cacheGrown") this.grown.push(output.availableBytes);
      else if (output.type === "cacheStopped") this.stopped.push(output);
      else if (output.type === "log") this.logs.push(output.message);
      else if (output.type === "setTimer") {
        this.#timerMs = output.delayMs;
        this.waitsMs.push(output.delayMs);
      } else if (output.type === "clearTimer") this.#timerMs = undefined;
      else if (isHttp(output)) this.#connections.carryOut(output);
      else if (output.type === "hashBytes") {
        const digest = new Uint8Array(createHash("sha256").update(output.bytes).digest());
        this.#queue.push({ ...output, type: "bytesHashed", digest });
      } else {
        if (output.type === "writeCache")
          this.largestPiece = Math.max(this.largestPiece, output.bytes.length);
        this.#queue.push(this.fault(output) ?? carryOutOnCache(this.flash, output));
      }
    }
    return this;
  }
}

const SOURCE = Object.freeze({ server: SERVER, headers: Object.freeze({ authorization: "Bearer node-1" }) });

describe("the cache of a gateway", () => {
  it("fetches each byte once, in pieces of a sector at most, as the node that may have it", () => {
    const cache = new Fixture(RELEASE).use(RELEASE).fill();
    expect(cache.holds(RELEASE)).equal(true);
    expect(cache.grown.at(-1)).equal(SIZE);
    expect(cache.state.fetchedBytes).equal(SIZE);
    expect(cache.largestPiece).at.most(4_096);
    expect(cache.flash.erasedCount).equal(Math.ceil(SIZE / 4_096));
    expect(cache.ranges()).length(CHUNK_COUNT);
    expect(cache.ranges()[1]).equal("bytes=16384-32767");
    for (const { headers } of cache.server.asked) expect(headers.authorization).equal("Bearer node-1");
    expect(cache.state.phase).equal("idle");
  });

  it("tells how much of it is there, chunk by chunk", () => {
    const cache = new Fixture(RELEASE).use(RELEASE);
    expect(availableBytes(initialCache)).equal(0);
    expect(availableBytes(cache.state)).equal(0);
    cache.fill();
    expect(cache.grown).deep.equal([16_384, 32_768, 49_152, 65_536, 81_920, 98_304, SIZE]);
    expect(availableBytes(cache.state)).equal(SIZE);
  });

  it("fetches one page of digests at a time", () => {
    const cache = new Fixture(LARGE).use(LARGE).fill();
    expect(cache.holds(LARGE)).equal(true);
    const pages = cache.server.asked.filter(({ path }) => path.includes("digests"));
    expect(pages.map(({ headers }) => headers.range)).deep.equal([
      "bytes=0-2047",
      "bytes=2048-4095",
      "bytes=4096-4191",
    ]);
    expect(cache.state.page?.digests.length).equal(96);
  });

  it("fetches nothing that the flash holds already, whenever it was restarted", () => {
    for (let stepCount = 1; stepCount < 700; stepCount += 23) {
      const cache = new Fixture(RELEASE).use(RELEASE);
      cache.run = Fixture.prototype.run.bind(cache, stepCount);
      cache.fill();
      cache.run = Fixture.prototype.run;
      const thereBefore = Math.floor((cache.grown.at(-1) ?? 0) / CHUNK_BYTES);
      const askedBefore = cache.ranges().length;
      cache.restart(RELEASE).fill();
      expect(cache.holds(RELEASE), `${stepCount} steps`).equal(true);
      const again = cache.ranges().slice(askedBefore);
      expect(again.length, `${stepCount} steps`).at.most(CHUNK_COUNT - thereBefore);
      expect(cache.fill().ranges().length).equal(askedBefore + again.length);
    }
  });

  it("fetches a chunk again that came or was written wrong", () => {
    const cache = new Fixture(RELEASE).use(RELEASE);
    let spoiltCount = 0;
    cache.server.lie = ({ headers }, honest) => {
      if (headers.range !== "bytes=16384-32767" || spoiltCount++ > 0) return honest;
      return { ...honest, body: honest.body.slice().fill(0, 100, 101) };
    };
    cache.fill();
    expect(cache.holds(RELEASE)).equal(true);
    expect(cache.ranges().filter((range) => range === "bytes=16384-32767")).length(2);
    expect(cache.logs[0]).include("chunk 1 of the image in the cache: chunk 1 has another digest");
  });

  it("looks at a chunk that a device doubts, and fetches it again only if it is wrong", () => {
    const cache = new Fixture(RELEASE).use(RELEASE).fill();
    const asked = cache.ranges().length;
    cache.doubt(3);
    expect(cache.ranges()).length(asked);
    cache.flash.bytes[3 * CHUNK_BYTES + 5]! ^= 1;
    cache.doubt(3);
    expect(cache.ranges().slice(asked)).deep.equal(["bytes=49152-65535"]);
    expect(cache.holds(RELEASE)).equal(true);
    expect(cache.doubt(99).state.phase).equal("idle");
  });

  it("gives up after five failures in a row, and says what the server answered", () => {
    const cache = new Fixture(RELEASE).use(RELEASE);
    cache.server.lie = ({ path }, honest) => (path.includes("digests") ? honest : undefined);
    cache.fill();
    expect(cache.stopped).deep.equal([{ type: "cacheStopped", status: 0, retryAfterMs: 0 }]);
    expect(cache.ranges()).length(5);
    expect(cache.state.phase).equal("idle");
    cache.server.lie = (_asked, honest) => honest;
    expect(cache.fill().holds(RELEASE)).equal(true);
  });

  for (const [status, retryAfter, count] of [
    [401, undefined, 1],
    [404, undefined, 1],
    [500, undefined, 5],
    [429, "3600", 1],
    [429, "7", 5],
  ] as const)
    it(`asks ${count} times a server that answers ${status}, Retry-After ${retryAfter ?? "missing"}`, () => {
      const cache = new Fixture(RELEASE).use(RELEASE);
      const headers = retryAfter === undefined ? {} : { "retry-after": retryAfter };
      cache.server.lie = ({ path }, honest) =>
        path.includes("digests") ? honest : text(status, {}, headers);
      cache.fill();
      expect(cache.ranges()).length(count);
      expect(cache.stopped).deep.equal([
        { type: "cacheStopped", status, retryAfterMs: Number(retryAfter ?? 0) * 1_000 },
      ]);
    });

  it("waits for a server that is silent, and breaks off", () => {
    const cache = new Fixture(RELEASE).use(RELEASE);
    cache.server.lie = ({ path }, honest) =>
      path.includes("digests") ? honest : { ...honest, endsAfter: 5_000 };
    cache.fill();
    expect(cache.stopped).length(1);
    expect(cache.logs).length(5);
  });

  it("takes no page of digests with another hash", () => {
    const cache = new Fixture(RELEASE).use(RELEASE);
    cache.server.lie = ({ path }, honest) =>
      path.includes("digests") ? { ...honest, body: honest.body.slice().reverse() } : honest;
    cache.fill();
    expect(cache.stopped).length(1);
    expect(cache.ranges()).deep.equal([]);
  });

  it("ends a try whose flash fails", () => {
    const cache = new Fixture(RELEASE).use(RELEASE);
    cache.fault = ({ type, attempt }) =>
      type === "writeCache" ? { type: "cacheFailed", attempt, message: "write protected" } : undefined;
    cache.fill();
    expect(cache.logs[0]).include("write protected");
    expect(cache.stopped).length(1);
  });

  it("goes over to another image, and drops what still arrives of the first", () => {
    const cache = new Fixture(RELEASE, LARGE).use(RELEASE);
    cache.run = Fixture.prototype.run.bind(cache, 60);
    cache.fill();
    cache.run = Fixture.prototype.run;
    cache.use(LARGE);
    expect(availableBytes(cache.state)).equal(0);
    cache.fill();
    expect(cache.holds(LARGE)).equal(true);
  });

  it("goes on where it was when the network comes back", () => {
    const cache = new Fixture(RELEASE).use(RELEASE);
    cache.run = Fixture.prototype.run.bind(cache, 40);
    cache.fill();
    cache.run = Fixture.prototype.run;
    expect(cache.state.phase).equal("streaming");
    expect(cache.pause().state.phase).equal("waiting");
    expect(cache.run().holds(RELEASE)).equal(true);
    expect(cache.pause().state.phase).equal("idle");
  });

  it("ignores answers that are not its own, in every phase", () => {
    const strange: (Event | CacheEvent)[] = [-1, 0, 99, -99].flatMap((attempt) => [
      { type: "responseStarted", attempt, status: 200, headers: {} },
      { type: "responseReadable", attempt, count: 10 },
      { type: "responseData", attempt, bytes: new Uint8Array(9) },
      { type: "bytesCollected", attempt, bytes: new Uint8Array(9) },
      { type: "responseEnded", attempt },
      { type: "requestFailed", attempt, message: "no" },
      { type: "cacheErased", attempt: attempt * 1_000, offset: 0 },
      { type: "cacheWritten", attempt: attempt * 1_000, offset: 0, length: 1 },
      { type: "cacheHashed", attempt: attempt * 1_000, offset: 0, digest: new Uint8Array(32) },
      { type: "cacheFailed", attempt: attempt * 1_000 - 1, message: "no" },
    ]);
    const cache = new Fixture(RELEASE).use(RELEASE);
    cache.run = Fixture.prototype.run.bind(cache, 1);
    cache.fill();
    const phases = new Set<string>();
    for (let step = 0; step < 400; step++) {
      phases.add(cache.state.phase);
      const before = cache.state;
      for (const event of strange) expect(cache.hear(event).state, `${step} ${event.type}`).equal(before);
      cache.run();
    }
    expect([...phases]).include.members([
      "paging",
      "hashingPage",
      "checking",
      "requesting",
      "streaming",
      "idle",
    ]);
    expect(cache.holds(RELEASE)).equal(true);
  });
});

describe("what a gateway knows of an image", () => {
  it("survives a restart", () => {
    const image = imageOf(RELEASE);
    expect(readCachedImage(writeCachedImage(image))).deep.equal(image);
    expect(image.id).match(/^[0-9a-f]{16}$/);
  });

  for (const [name, stored] of Object.entries({
    nothing: undefined,
    "no JSON": "x",
    "another server": JSON.stringify({ target: "http://a/b", digests: "/d", manifest: RELEASE.manifest }),
    "a path that leads to another server": JSON.stringify({
      target: "//a/b",
      digests: "/d",
      manifest: RELEASE.manifest,
    }),
    "no manifest": JSON.stringify({ target: "/a", digests: "/d", manifest: "x.y.z" }),
  }))
    it(`is none where NVS has ${name}`, () => {
      expect(readCachedImage(stored)).equal(undefined);
    });
});
