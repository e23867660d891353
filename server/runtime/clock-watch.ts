// Notices that the clock was set back, and has the stored times corrected before anything else is done with them: see store/clock.ts. A
// clock may have been ahead before this server started, and that of another server on the same store: so it looks when it starts,
// and every hour.

import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import { CLOCK_SKEW_MS, type ClockStore } from "../store/clock.js";

const LOOK_EVERY_MS = 60 * 60_000;
/** Before that nobody ran this server: a computer without a battery begins in 1970, and every stored time is right. */
const EARLIEST_MS = Date.UTC(2026, 0);

interface ClockWatchOptions {
  readonly store: ClockStore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly log: FastifyBaseLogger | undefined;
}

export class ClockWatch {
  readonly #options: ClockWatchOptions;
  /** The latest time that was seen since the clock was last set back. */
  #latest = Number.NEGATIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  constructor(options: ClockWatchOptions) {
    this.#options = options;
  }

  /** Requests wait until the times are right. */
  join(app: FastifyInstance): void {
    app.addHook("onRequest", (_request, _reply, done) => {
      const looking = this.#wasSetBack() ? this.#look() : this.#looking;
      // A database that is away says so in its own error.
      if (looking)
        looking.then(
          () => done(),
          () => done(),
        );
      else done();
    });
  }

  /** Called every few seconds. */
  async tick(): Promise<void> {
    const now = this.#options.now();
    if (this.#wasSetBack() || now - this.#lookedAt >= LOOK_EVERY_MS) await this.#look();
  }

  #wasSetBack(): boolean {
    const now = this.#options.now();
    const isBehind = now < this.#latest - CLOCK_SKEW_MS;
    if (isBehind || now > this.#latest) this.#latest = now;
    return isBehind;
  }

  #look(): Promise<void> {
    const { store, now, log } = this.#options;
    this.#looking ??= (async () => {
      const time = Math.round(now());
      this.#lookedAt = time;
      if (time < EARLIEST_MS) return;
      const count = await store.pullBackTimes(time);
      if (count > 0) log?.warn({ count }, "times were stored while a clock was ahead: they count as now");
    })().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }
}
