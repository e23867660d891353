// Named timers over the SDK's `timer` module: setting a name again replaces the timer that runs.

import Timer from "timer";
import type { TimerName } from "../core/effect.js";
import type { Dispatch } from "./runner.js";

export class Timers {
  readonly #dispatch: Dispatch;
  readonly #running = new Map<string, ReturnType<typeof Timer.set>>();

  constructor(dispatch: Dispatch) {
    this.#dispatch = dispatch;
  }

  set(timer: string, delayMs: number): void {
    this.clear(timer);
    const id = Timer.set(() => {
      this.#running.delete(timer);
      this.#dispatch({ type: "timerFired", timer: timer as TimerName }); // or one of the app's own
    }, delayMs);
    this.#running.set(timer, id);
  }

  clear(timer: string): void {
    const id = this.#running.get(timer);
    if (id === undefined) return;
    this.#running.delete(timer);
    Timer.clear(id);
  }
}
