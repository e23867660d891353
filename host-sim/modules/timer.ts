// `timer` over the timers of the machine's event loop. Ids are objects; the native functions differ in what they do with a
// used id or a value that is no id, and that is kept.

import type { Machine } from "../machine/machine.js";
import type { TimerRecord } from "../machine/timer-queue.js";
import type { Native } from "./native.js";

export function createTimer(machine: Machine, native: Native): object {
  const { realm, timers } = machine;
  const records = new WeakMap<object, TimerRecord>();

  function recordOf(id: unknown): TimerRecord | undefined {
    return typeof id === "object" && id !== null ? records.get(id) : undefined;
  }

  function create(callback: unknown, delayMs: number, repeatMs: number): object {
    const id = realm.object({});
    const timer = timers.add(machine.uptimeMs(), delayMs, repeatMs, () => {
      if (typeof callback !== "function") throw new realm.TypeError("callback: not a function");
      Reflect.apply(callback, realm.globalThis, [id]);
    });
    timer.onGone = () => records.delete(id);
    records.set(id, timer);
    return id;
  }

  // biome-ignore lint/complexity/noStaticOnlyClass: firmware can construct it, as on the chip
  class Timer {
    static set(...parameters: unknown[]): object {
      native.needArguments(parameters, 1);
      const [callback, delay, repeat] = parameters;
      return create(callback, native.integer(delay ?? 0), native.integer(repeat ?? 0));
    }

    static repeat(...parameters: unknown[]): object {
      if (parameters.length < 2) throw new realm.SyntaxError("C: xsArg(1): invalid index");
      const interval = native.integer(parameters[1]);
      return create(parameters[0], interval, interval);
    }

    static schedule(...parameters: unknown[]): void {
      native.needArguments(parameters, 1);
      const [id, delay, repeat] = parameters;
      const timer = recordOf(id);
      if (timer === undefined) throw native.invalidHandle(true);
      if (parameters.length === 1) timers.unschedule(timer);
      else timers.reschedule(timer, machine.uptimeMs(), native.integer(delay), native.integer(repeat ?? 0));
    }

    static clear(id: unknown): void {
      const timer = recordOf(id);
      if (timer === undefined) return;
      timer.onGone?.();
      timers.remove(timer);
    }

    static delay(...parameters: unknown[]): void {
      native.needArguments(parameters, 1);
      machine.wait(native.integer(parameters[0]));
    }
  }
  return Timer;
}
