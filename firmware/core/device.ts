// The whole device: an event goes to the machines that listen to it (machines.ts); the events that they raise are
// delivered before the next event from outside, so that data flows one way and the order is always the same. This file only composes.

import { certificateTime } from "./clock.js";
import type { DeviceState } from "./device-state.js";
import { statusOf } from "./device-status.js";
import type { Effect } from "./effect.js";
import type { Event, Raise, Stamped } from "./event.js";
import { LISTENERS, type Machine } from "./machines.js";
import { isSameStatus, type Status } from "./status.js";
import { bootNotice } from "./trial/boot-notice.js";

/** More raised events than this for one event from outside is a loop between machines: a bug, so it throws. */
const MAX_RAISED = 64;

/** The device's next state, and the effects in order. */
export function step(state: DeviceState, event: Stamped): readonly [DeviceState, readonly Effect[]] {
  const effects: Effect[] = event.type === "booted" ? [...bootNotice(event)] : [];
  const raised: Event[] = [];
  let next = deliver(state, event, effects, raised);
  for (let i = 0; i < raised.length; i++) {
    if (i >= MAX_RAISED) throw new Error(`more than ${MAX_RAISED} events raised by one ${event.type}`);
    const { at, random, freeHeapBytes } = event;
    next = deliver(next, { ...(raised[i] as Event), at, random, freeHeapBytes } as Stamped, effects, raised);
  }
  if (next.update.clock !== state.update.clock) effects.push(certificateTime(next.update.clock));
  return [shown(next, event, effects, raised), effects];
}

/** Runs one event through the machines that listen to it; adds to `effects` and `raised`. */
function deliver(state: DeviceState, event: Stamped, effects: Effect[], raised: Event[]): DeviceState {
  const listeners = LISTENERS[event.type];
  let next = state;
  // by index: this runs for each piece of an image, and an iterator costs as much on XS as the machine itself
  for (let i = 0; i < listeners.length; i++) {
    const machine = listeners[i] as Machine;
    const [part, asked] = machine.step(next, event);
    if (part !== next[machine.name]) next = { ...next, [machine.name]: part };
    for (let j = 0; j < asked.length; j++) {
      const effect = asked[j] as Effect | Raise;
      if (effect.type === "raise") raised.push(effect.event);
      else effects.push(effect);
    }
  }
  return next;
}

/** Adds what a person can see: an error when one happens, the status when it changes. */
function shown(state: DeviceState, event: Stamped, effects: Effect[], raised: readonly Event[]): DeviceState {
  if (isFailure(event) || raised.some(isFailure)) effects.push({ type: "showStatus", status: ERROR });
  const status = statusOf(state);
  if (event.type !== "booted" && isSameStatus(state.status, status)) return state;
  effects.push({ type: "showStatus", status });
  return { ...state, status };
}

const isFailure = ({ type }: Event) => type === "updateFailed" || type === "trialFailed";

const ERROR: Status = Object.freeze({ name: "error", percent: 0 });
