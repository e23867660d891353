// Named timers over the SDK's `timer` module: setting a name again replaces the timer that runs.

import Timer from "timer";
import type { TimerName } from "../core/effect.js";
import type { Dispatch } from "./runner.js";

export function createTimers(dispatch: Dispatch) {
  const running = new Map<TimerName, ReturnType<typeof Timer.set>>();

  const clear = (timer: TimerName) => {
    const id = running.get(timer);
    if (id === undefined) return;
    running.delete(timer);
    Timer.clear(id);
  };

  return {
    clear,
    set(timer: TimerName, delayMs: number) {
      clear(timer);
      const id = Timer.set(() => {
        running.delete(timer);
        dispatch({ type: "timerFired", timer });
      }, delayMs);
      running.set(timer, id);
    },
  };
}
