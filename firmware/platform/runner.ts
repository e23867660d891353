// The loop of a device: an event goes through core's step, its effects go to the adapters, and what they answer comes back as
// events. It owns the only mutable state of the firmware. Events that arrive while effects are carried out wait their turn, so
// core never sees one event inside another.

import { type DeviceState, initialDevice, step } from "../core/device.js";
import type { Effect } from "../core/effect.js";
import type { Event } from "../core/event.js";

/** Hands an event to the device. */
export type Dispatch = (event: Event) => void;

/** The things core cannot make: see Stamped in core/event.ts. */
export interface Sources {
  /** Milliseconds since this boot. */
  uptimeMs(): number;
  /** 0 (included) to 1 (excluded). */
  random(): number;
  freeHeapBytes(): number;
}

/** Effects by their type, each with the adapter that carries it out. */
export type Handlers = {
  readonly [Type in Effect["type"]]: (effect: Extract<Effect, { readonly type: Type }>) => void;
};

export function createRunner(sources: Sources, connect: (dispatch: Dispatch) => Handlers): Dispatch {
  let state: DeviceState = initialDevice;
  let running = false;
  const queue: Event[] = [];

  const dispatch: Dispatch = (event) => {
    queue.push(event);
    if (running) return;
    running = true;
    for (let next = queue.shift(); next; next = queue.shift()) {
      const stamped = {
        ...next,
        at: sources.uptimeMs(),
        random: sources.random(),
        freeHeapBytes: sources.freeHeapBytes(),
      };
      const [after, effects] = step(state, stamped);
      state = after;
      for (const effect of effects) carryOut(effect);
    }
    running = false;
  };

  const handlers = connect(dispatch);
  const carryOut = (effect: Effect) => (handlers[effect.type] as (effect: Effect) => void)(effect);
  return dispatch;
}
