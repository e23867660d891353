// Named timers over the SDK's `timer` module: setting a name again replaces the timer that runs. None fires before its time: the SDK drops
// fractions of a millisecond, and a machine that is woken too early sets the rest again, as often as the chip can.

import Timer from "timer";
import type { TimerName } from "../core/effect.js";
import type { Dispatch } from "./runner.js";

/** The SDK counts in 32 bits: what is longer fires at once, and again. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export class Timers {
  readonly #dispatch: Dispatch;
  readonly #running = new Map<string, ReturnType<typeof Timer.set>>();

  constructor(dispatch: Dispatch) {
    this.#dispatch = dispatch;
  }

  set(timer: string, delayMs: number): void {
    this.clear(timer);
    const id = Timer.set(
      () => {
        this.#running.delete(timer);
        this.#dispatch({ type: "timerFired", timer: timer as TimerName }); // or one of the app's own
      },
      Math.min(Math.max(0, Math.ceil(delayMs)), MAX_DELAY_MS),
    );
    this.#running.set(timer, id);
  }

  clear(timer: string): void {
    const id = this.#running.get(timer);
    if (id === undefined) return;
    this.#running.delete(timer);
    Timer.clear(id);
  }
}
