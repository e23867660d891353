// The loop of a device: an event goes through its machine's step, its effects go to the adapters, and what they answer comes back as
// events. It owns the only mutable state of the firmware. Events that arrive while effects are carried out wait their turn, so
// core never sees one event inside another. An event is let go before what it led to begins: the text of an answer, which is the
// largest of them, must not lie in memory while the next request is made.

import Timer from "timer";
import type { Event, Stamped } from "../core/event.js";

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

/** What a device is: core's device, or one with an app's own machines beside it. */
export interface DeviceMachine<State, Asked extends { readonly type: string }> {
  readonly initial: State;
  step(state: State, event: Stamped): readonly [State, readonly Asked[]];
}

/** Effects by their type, each with the adapter that carries it out. */
export type Handlers<Asked extends { readonly type: string }> = {
  readonly [Type in Asked["type"]]: (effect: Extract<Asked, { readonly type: Type }>) => void;
};

export function createRunner<State, Asked extends { readonly type: string }>(
  machine: DeviceMachine<State, Asked>,
  sources: Sources,
  connect: (dispatch: Dispatch) => Handlers<Asked>,
): Dispatch {
  let state = machine.initial;
  let running = false;
  const queue: Event[] = [];

  /** A function of its own, so that nothing on the stack holds the event when it returns. */
  const hear = (): readonly Asked[] => {
    const event = queue.shift() as Event;
    const [after, effects] = machine.step(state, {
      ...event,
      at: sources.uptimeMs(),
      random: sources.random(),
      freeHeapBytes: sources.freeHeapBytes(),
    });
    state = after;
    if (event.type === "textCollected") letGo(event);
    return effects;
  };

  const dispatch: Dispatch = (event) => {
    queue.push(event);
    if (running) return;
    running = true;
    while (queue.length > 0) for (const effect of hear()) carryOut(effect);
    running = false;
  };

  const handlers = connect(fatal(dispatch));
  const carryOut = (effect: Asked) =>
    (handlers[effect.type as Asked["type"]] as (effect: Asked) => void)(effect);
  return dispatch;
}

/** Who dispatched it is still at it, and holds the event. */
function letGo(event: { text: string }): void {
  event.text = "";
}

/** A bug restarts the device. What is thrown may be swallowed on its way out, by the SDK or by us; so it is thrown again, by itself. */
const fatal =
  (dispatch: Dispatch): Dispatch =>
  (event) => {
    try {
      dispatch(event);
    } catch (error) {
      Timer.set(() => {
        throw error;
      }, 0);
      throw error;
    }
  };
