// A node without a network: core's device by radio, its role, and the signals between nodes. This file only composes.

import type { Stamped } from "../../../core/event.js";
import {
  newRadioDevice,
  type RadioDeviceEffect,
  type RadioDeviceEvent,
  type RadioDeviceState,
  radioDeviceStep,
} from "../../../core/radio/radio-device.js";
import {
  hearByRadio,
  initialSignals,
  isSignal,
  SIGNAL_FRAME,
  type SignalState,
  sayByRadio,
  sendAgain,
} from "./radio-signal.js";
import { isListening } from "./role.js";
import {
  initialRole,
  type RoleSettings,
  type RoleState,
  type RoleStep,
  roleStarted,
  roleStep,
  signalHeard,
} from "./role-part.js";
import { isOfRole, type OwnEffect, type OwnEvent } from "./vocabulary.js";

export interface RadioNodeState {
  readonly radio: RadioDeviceState;
  readonly role: RoleState;
  readonly signals: SignalState;
}

export interface RadioNodeSettings extends RoleSettings {
  /** groupOf in core/radio/beacon.ts. */
  readonly group: number;
}

export const initialRadioNode: RadioNodeState = Object.freeze({
  radio: newRadioDevice,
  role: initialRole,
  signals: initialSignals,
});

export type RadioNodeEvent = OwnEvent<RadioDeviceEvent>;
export type RadioNodeEffect = OwnEffect<RadioDeviceEffect>;
type Step = readonly [RadioNodeState, readonly RadioNodeEffect[]];

export function radioNodeStep(
  state: RadioNodeState,
  event: Stamped<RadioNodeEvent>,
  settings: RadioNodeSettings,
): Step {
  if (event.type === "frameSent" && event.frame === SIGNAL_FRAME) return [state, []];
  if (isOfRole(event)) {
    if (event.type !== "timerFired" || event.timer !== "role.signal")
      return carried(state, roleStep(state.role, event, settings), event, settings);
    const [signals, effects] = sendAgain(state.signals, event.random);
    return [{ ...state, signals }, effects];
  }
  if (event.type === "frameReceived" && isSignal(event.bytes)) return heard(state, event, settings);
  const [radio, effects] = radioDeviceStep(state.radio, event as Stamped<RadioDeviceEvent>, settings.group);
  const next = { ...state, radio };
  if (event.type !== "booted") return [next, effects];
  const [started, more] = carried(next, [initialRole, roleStarted(settings)], event, settings);
  return [started, [...effects, ...more]];
}

function heard(
  state: RadioNodeState,
  event: Stamped<Extract<RadioDeviceEvent, { readonly type: "frameReceived" }>>,
  settings: RadioNodeSettings,
): Step {
  if (!isListening(settings.role)) return [state, []];
  const [signals, signal] = hearByRadio(state.signals, event, settings.group);
  const next = { ...state, signals };
  return signal ? carried(next, signalHeard(state.role, signal, settings), event, settings) : [next, []];
}

/** What the role says goes into the air, and what it reads into the next check. */
function carried(
  state: RadioNodeState,
  [role, outputs]: RoleStep,
  { at, random, freeHeapBytes }: Stamped<RadioNodeEvent>,
  settings: RadioNodeSettings,
): Step {
  let next = { ...state, role };
  const effects: RadioNodeEffect[] = [];
  for (const output of outputs) {
    if (output.type === "say") {
      const [signals, sent] = sayByRadio(next.signals, output.signal, { ...settings, random });
      next = { ...next, signals };
      effects.push(...sent);
    } else if (output.type === "reading") {
      const { readings } = output;
      const taken = { type: "readingsTaken", readings, at, random, freeHeapBytes } as const;
      const [radio, more] = radioDeviceStep(next.radio, taken, settings.group);
      next = { ...next, radio };
      effects.push(...more);
    } else effects.push(output);
  }
  return [next, effects];
}
