// Named timers over the SDK's `timer` module: setting a name again replaces the timer that runs.

import Timer from "timer";
import type { TimerName } from "../core/effect.js";
import type { Dispatch } from "./runner.js";

export class Timers {
  readonly #dispatch: Dispatch;
  readonly #running = new Map<TimerName, ReturnType<typeof Timer.set>>();

  constructor(dispatch: Dispatch) {
    this.#dispatch = dispatch;
  }

  set(timer: TimerName, delayMs: number): void {
    this.clear(timer);
    const id = Timer.set(() => {
      this.#running.delete(timer);
      this.#dispatch({ type: "timerFired", timer });
    }, delayMs);
    this.#running.set(timer, id);
  }

  clear(timer: TimerName): void {
    const id = this.#running.get(timer);
    if (id === undefined) return;
    this.#running.delete(timer);
    Timer.clear(id);
  }
}
