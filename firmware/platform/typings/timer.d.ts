// modules/base/timer.

declare module "timer" {
  /** An opaque host object. */
  class TimerId {
    private constructor();
    private readonly brand: unknown;
  }

  export type { TimerId };

  const timer: {
    /** Once after `delayMs` (0 if absent), then every `repeatMs` if given. */
    set(callback: (id: TimerId) => void, delayMs?: number, repeatMs?: number): TimerId;
    repeat(callback: (id: TimerId) => void, intervalMs: number): TimerId;
    /** Without a delay: unschedules. */
    schedule(id: TimerId, delayMs?: number, repeatMs?: number): void;
    clear(id: TimerId | undefined | null): void;
    /** Blocks. */
    delay(delayMs: number): void;
  };
  export default timer;
}
