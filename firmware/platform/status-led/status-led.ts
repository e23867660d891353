// The status LED on a pin, through `embedded:io/digital`. core/status-led.ts decides when it is on.

import Digital from "embedded:io/digital";
import Timer from "timer";
import { initialLed, lightAt, showStatus as nextState } from "../../core/status-led.js";
import type { Display } from "../app-host.js";

export function createStatusLed(pin: number, activeLow: boolean): Display {
  const led = new Digital({ pin, mode: Digital.Output, activeLow, initialValue: 0 });
  const beganAt = Date.now();
  const now = () => Math.max(0, Date.now() - beganAt);
  let state = initialLed;
  let timer: ReturnType<typeof Timer.set> | undefined;

  const play = () => {
    const { on, lastsMs } = lightAt(state, now());
    led.write(on ? 1 : 0);
    timer = lastsMs === undefined ? undefined : Timer.set(play, lastsMs);
  };

  return {
    showStatus(status) {
      state = nextState(state, status, now());
      Timer.clear(timer);
      play();
    },
  };
}
