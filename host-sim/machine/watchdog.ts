// ESP-IDF's task watchdog (components/esp_system/task_wdt), as firmware/platform/sdkconfig sets it up: it watches the SDK's loop, which
// feeds it around every message, and the IDLE task, which feeds it whenever nothing else has to run. So it restarts a chip whose code computes for
// too long in one turn or never waits, however short the turns are. Its time starts over when both have fed it since it last
// did. It knows times on the chip's clock only.

/** CONFIG_ESP_TASK_WDT_TIMEOUT_S, in milliseconds. */
export const WATCHDOG_MS = 5_000;
/** What our firmware sets when it starts: skyslot_widen_watchdog in firmware/platform/native. */
export const WIDE_WATCHDOG_MS = 2 * WATCHDOG_MS;

export class Watchdog {
  #timeoutMs = WATCHDOG_MS;
  #beganAtMs: number;
  #hasLoopFed = false;
  #hasIdleFed = false;

  constructor(nowMs: number) {
    this.#beganAtMs = nowMs;
  }

  /** When it fires unless it is fed before. */
  get deadlineMs(): number {
    return this.#beganAtMs + this.#timeoutMs;
  }

  /** Between two messages. */
  loopFeeds(nowMs: number): void {
    this.#hasLoopFed = true;
    if (this.#hasIdleFed) this.#begin(nowMs);
  }

  /** The loop's task waits. */
  idleFeeds(nowMs: number): void {
    this.#hasIdleFed = true;
    if (this.#hasLoopFed) this.#begin(nowMs);
  }

  /** What esp_task_wdt_reconfigure does: the time starts over; tasks that have fed need not feed again. */
  widen(nowMs: number): void {
    this.#timeoutMs = WIDE_WATCHDOG_MS;
    this.#beganAtMs = nowMs;
  }

  #begin(nowMs: number): void {
    this.#beganAtMs = nowMs;
    this.#hasLoopFed = false;
    this.#hasIdleFed = false;
  }
}
