// The world of virtual devices, networks and people: one heap of events, one clock, one seed. In virtual time
// it jumps from event to event and never waits; in real time the same events happen when the wall clock says so. Nothing
// in it happens outside an event, so the same seed gives the same run. It is independent of devices.

import { performance } from "node:perf_hooks";
import { EventHeap } from "./event-heap.js";
import { randomStream } from "./random.js";

export interface Scheduled {
  /** Cancels the event; after it has happened this does nothing. */
  cancel(): void;
}

export interface WorldOptions {
  readonly seed: number;
  /** Absent or false: virtual time. True: real time. A number: real time, that many times as fast. */
  readonly realTime?: boolean | number;
}

/**
 * The host's own event loop gets a turn after this number of events; in real time as soon as so much time has passed, too: a page has to be
 * answered. In virtual time the host's clock decides nothing, so that a seed gives the same run on every machine.
 */
const EVENTS_PER_TURN = 10_000;
const TURN_MS = 50;
/** So often the time is looked at. */
const EVENTS_PER_LOOK = 32;
/** setTimeout cannot wait longer. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

export class World {
  readonly seed: number;
  #speed: number | undefined;
  #isPaused = false;
  readonly #heap = new EventHeap();
  readonly #posted: (() => void)[] = [];
  readonly #random: () => number;
  #nowMs = 0;
  #sequence = 0;
  #holdCount = 0;
  #isStopped = false;
  #wake: (() => void) | undefined;
  /** Real time: where the world's clock stood at that moment of the wall clock. */
  #anchor: { readonly worldMs: number; readonly wallMs: number } | undefined;

  constructor(options: WorldOptions) {
    this.seed = options.seed;
    this.#random = randomStream(options.seed);
    const realTime = options.realTime ?? false;
    this.changeSpeed(realTime === true ? 1 : realTime === false ? undefined : realTime);
  }

  /** Times as fast as the wall clock; undefined: virtual time. */
  get speed(): number | undefined {
    return this.#speed;
  }

  /** From now on, also while it runs. */
  changeSpeed(speed: number | undefined): void {
    if (speed !== undefined && !(speed > 0)) throw new RangeError(`speed ${speed} is not above 0`);
    this.#speed = speed;
    this.#goOn();
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Time stands still until `resume`; only what comes from outside still happens. */
  pause(): void {
    this.#isPaused = true;
    this.#wake?.();
  }

  resume(): void {
    this.#isPaused = false;
    this.#goOn();
  }

  /** What the wall clock has done before is forgotten. */
  #goOn(): void {
    this.#anchor = { worldMs: this.#nowMs, wallMs: performance.now() };
    this.#wake?.();
  }

  /** Milliseconds since the world began; stands still inside an event. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** The next number in [0, 1) of the world's one stream. */
  random(): number {
    return this.#random();
  }

  /** A separate stream, so that the number of draws in one place does not change what others get. */
  randomStream(name: string): () => number {
    return randomStream(`${this.seed}/${name}`);
  }

  /** Runs `action` `delayMs` from now (at once if negative), after all events already due at that moment. */
  schedule(delayMs: number, action: () => void): Scheduled {
    if (Number.isNaN(delayMs)) throw new RangeError("delay is not a number of milliseconds");
    const event = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      sequence: this.#sequence,
      action: action as (() => void) | undefined,
    };
    this.#sequence += 1;
    this.#heap.push(event);
    this.#wake?.();
    return {
      cancel: () => {
        event.action = undefined;
      },
    };
  }

  /** Waits for the host: virtual time stands still until the promise has settled; then `then` or `failed` is an event. */
  hold<T>(promise: Promise<T>, then: (value: T) => void, failed: (error: unknown) => void = rethrow): void {
    this.#holdCount += 1;
    const settle = (action: () => void): void => {
      this.#holdCount -= 1;
      this.schedule(0, action);
      this.#wake?.();
    };
    promise.then(
      (value) => settle(() => then(value)),
      (error: unknown) => settle(() => failed(error)),
    );
  }

  /** Something happened outside, such as data on a real socket: `action` runs as soon as possible. */
  post(action: () => void): void {
    this.#posted.push(action);
    this.#wake?.();
  }

  /** Whether no event is left to happen by itself. */
  get isIdle(): boolean {
    return this.#holdCount === 0 && this.#posted.length === 0 && this.#heap.peek() === undefined;
  }

  /**
   * Runs events until `done()` (called between events), for at most `limitMs` of the world's time.
   * @returns whether it is done; false at the limit, after stop, or, in virtual time, when nothing is left to happen.
   */
  async runUntil(done: () => boolean, options: { readonly limitMs: number }): Promise<boolean> {
    const endMs = this.#nowMs + options.limitMs;
    this.#isStopped = false;
    this.#anchor = { worldMs: this.#nowMs, wallMs: performance.now() };
    let turnBeganAt = performance.now();
    for (let eventCount = 1; !done(); eventCount += 1) {
      if (this.#isStopped) return false;
      const isLong =
        this.#speed !== undefined &&
        eventCount % EVENTS_PER_LOOK === 0 &&
        performance.now() - turnBeganAt > TURN_MS;
      if (isLong || eventCount % EVENTS_PER_TURN === 0) {
        await yieldToOthers();
        turnBeganAt = performance.now();
      }
      if ((await this.#step(endMs)) === "over") return done();
    }
    return true;
  }

  /** Runs events for this time. */
  async runFor(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await this.runUntil(() => false, { limitMs: ms });
    if (this.#speed === undefined && !this.#isStopped) this.#nowMs = Math.max(this.#nowMs, endMs);
  }

  /** Ends runUntil after the event that happens now. */
  stop(): void {
    this.#isStopped = true;
    this.#wake?.();
  }

  #step(endMs: number): Promise<"ran" | "over"> {
    if (this.#isPaused) return this.#pausedStep();
    return this.#speed === undefined ? this.#virtualStep(endMs) : this.#realStep(endMs);
  }

  async #pausedStep(): Promise<"ran"> {
    const posted = this.#posted.shift();
    if (posted !== undefined) posted();
    else await this.#woken();
    return "ran";
  }

  async #virtualStep(endMs: number): Promise<"ran" | "over"> {
    const posted = this.#posted.shift();
    if (posted !== undefined) {
      posted();
      return "ran";
    }
    if (this.#holdCount > 0) {
      await this.#woken();
      return "ran";
    }
    const next = this.#heap.peek();
    if (next === undefined) return "over";
    if (next.atMs > endMs) {
      this.#nowMs = endMs;
      return "over";
    }
    this.#take();
    return "ran";
  }

  async #realStep(endMs: number): Promise<"ran" | "over"> {
    const wallMs = Math.min(this.#wallTime(), endMs);
    const next = this.#heap.peek();
    if (next !== undefined && next.atMs <= wallMs) {
      this.#take();
      return "ran";
    }
    this.#nowMs = Math.max(this.#nowMs, wallMs);
    const posted = this.#posted.shift();
    if (posted !== undefined) posted();
    else if (wallMs >= endMs) return "over";
    else await this.#woken((Math.min(next?.atMs ?? endMs, endMs) - wallMs) / this.#speed!);
    return "ran";
  }

  #take(): void {
    const event = this.#heap.pop()!;
    const action = event.action!;
    event.action = undefined;
    this.#nowMs = Math.max(this.#nowMs, event.atMs);
    action();
  }

  #wallTime(): number {
    const { worldMs, wallMs } = this.#anchor!;
    return worldMs + (performance.now() - wallMs) * this.#speed!;
  }

  #woken(timeoutMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const wait = timeoutMs === undefined ? undefined : Math.min(Math.ceil(timeoutMs), LONGEST_WAIT_MS);
      const timer = wait === undefined ? undefined : setTimeout(() => this.#wake?.(), wait);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }
}

function yieldToOthers(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function rethrow(error: unknown): never {
  throw error;
}
