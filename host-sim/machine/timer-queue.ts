// The timers of one boot, in the order in which they were made, with the SDK's rules: those due are chosen before the first
// of them runs; a timer that is neither repeating nor unscheduled is gone after its callback, even if the callback
// rescheduled it once more. It reads no clock: times in whole milliseconds are given to it.

/** One timer. Its fields belong to the queue. */
export interface TimerRecord {
  readonly callback: () => void;
  triggerMs: number;
  /** 0: fires once; below 0: unscheduled, but kept. */
  repeatMs: number;
  isUnscheduled: boolean;
  isFiring: boolean;
  useCount: number;
  /** Called when a timer that fired for the last time is let go. */
  onGone: (() => void) | undefined;
}

export class TimerQueue {
  #timers: TimerRecord[] = [];

  get size(): number {
    return this.#timers.length;
  }

  add(nowMs: number, delayMs: number, repeatMs: number, callback: () => void): TimerRecord {
    const timer: TimerRecord = {
      callback,
      triggerMs: nowMs + delayMs,
      repeatMs,
      isUnscheduled: false,
      isFiring: false,
      useCount: 1,
      onGone: undefined,
    };
    this.#timers.push(timer);
    return timer;
  }

  reschedule(timer: TimerRecord, nowMs: number, delayMs: number, repeatMs: number): void {
    timer.triggerMs = nowMs + delayMs;
    timer.repeatMs = repeatMs;
    timer.isUnscheduled = false;
  }

  /** Keeps the timer for a later reschedule. */
  unschedule(timer: TimerRecord): void {
    timer.isUnscheduled = true;
    timer.isFiring = false;
    timer.repeatMs = -1;
  }

  /** From inside its own callback the timer goes when the callback has returned. */
  remove(timer: TimerRecord): void {
    timer.isUnscheduled = true;
    timer.isFiring = false;
    timer.useCount -= 1;
    if (timer.useCount <= 0) this.#timers = this.#timers.filter((one) => one !== timer);
  }

  /** Fires what is due. `run` runs a callback and returns false when the boot is over. */
  execute(nowMs: number, run: (callback: () => void) => boolean): void {
    for (const timer of this.#timers) {
      if (!timer.isUnscheduled && timer.triggerMs <= nowMs) timer.isFiring = true;
    }
    for (;;) {
      const timer = this.#timers.find((one) => one.isFiring);
      if (timer === undefined) return;
      timer.isFiring = false;
      timer.triggerMs += timer.repeatMs;
      timer.useCount += 1;
      if (!run(timer.callback)) return;
      timer.useCount -= 1;
      if (timer.useCount <= 0 || timer.repeatMs === 0) {
        timer.onGone?.();
        this.remove(timer);
      }
    }
  }

  /** When the next timer fires; undefined when none will. */
  get nextMs(): number | undefined {
    let next: number | undefined;
    for (const { isUnscheduled, triggerMs } of this.#timers) {
      if (!isUnscheduled && (next === undefined || triggerMs < next)) next = triggerMs;
    }
    return next;
  }

  clear(): void {
    this.#timers = [];
  }
}
