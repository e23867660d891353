// A node that is in a network, and in a painlessMesh there: what every device does, images for its role from any gateway of that mesh, and what its
// role says and hears as broadcasts. This file only composes.

import { step } from "../../../core/device.js";
import { type DeviceState, initialDevice } from "../../../core/device-state.js";
import type { Effect, TimerEffect } from "../../../core/effect.js";
import type { Event, Stamped, TimerFired } from "../../../core/event.js";
import { broadcast, broadcastText } from "../../../core/mesh/broadcast.js";
import {
  type FedDevice,
  initialMeshNode,
  type MeshNodeEvent,
  type MeshNodeState,
  meshNodeStep,
} from "../../../core/mesh/node.js";
import { MD5_KEY } from "../../../core/mesh/receiver.js";
import type { MeshEffect, MeshEvent } from "../../../core/mesh/vocabulary.js";
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
import { readSignal, writeSignal } from "./signal.js";
import { isOfRole, type OwnEffect, type OwnEvent } from "./vocabulary.js";

export interface MeshedState {
  readonly device: DeviceState;
  readonly mesh: MeshNodeState;
  readonly role: RoleState;
}

export const initialMeshed: MeshedState = Object.freeze({
  device: initialDevice,
  mesh: initialMeshNode,
  role: initialRole,
});

/** What it keeps in NVS besides core's: an MD5 in hex. */
export const MESHED_STORES: Readonly<Record<string, number>> = Object.freeze({ [MD5_KEY]: 32 });

export interface MeshedSettings extends RoleSettings {
  /** IPv4; empty: the gateway connects to the node. */
  readonly gateway: string;
}

export type MeshedEvent = OwnEvent<MeshEvent | TimerFired<string>>;
export type MeshedEffect = OwnEffect<MeshEffect | TimerEffect<string>>;
type Step = readonly [MeshedState, readonly MeshedEffect[]];

/** As painlessMesh's nodes on all kinds of ESP32 say. */
const HARDWARE = "ESP32";

/** What the device becomes, and what it does, in order. */
export function meshedStep(state: MeshedState, event: Stamped<MeshedEvent>, settings: MeshedSettings): Step {
  if (isOfRole(event)) return carried(state, roleStep(state.role, event, settings), event, settings);
  const [next, effects] = deviceStep(state, event, settings);
  const then = followUp(next, event, settings);
  if (!then) return [next, effects];
  const [after, more] = carried(next, then, event, settings);
  return [after, [...effects, ...more]];
}

function deviceStep({ device, mesh, role }: MeshedState, event: Stamped, settings: MeshedSettings): Step;
function deviceStep(state: MeshedState, event: Stamped<MeshedEvent>, settings: MeshedSettings): Step;
function deviceStep(
  { device, mesh, role }: MeshedState,
  event: Stamped<MeshedEvent>,
  { role: name, gateway }: MeshedSettings,
): Step {
  const fed: FedDevice<DeviceState> = {
    device,
    step,
    settings: ({ push }) => ({
      role: name,
      gateway,
      hardware: HARDWARE,
      acceptsUnsigned: push.acceptUnsigned,
      slotBytes: push.slotBytes,
    }),
  };
  const [nextMesh, nextDevice, effects] = meshNodeStep(mesh, fed, event as Stamped<MeshNodeEvent>);
  return [{ device: nextDevice, mesh: nextMesh, role }, effects];
}

/** What the role makes of an event that was not for it. */
function followUp(
  { role, mesh }: MeshedState,
  event: Stamped<MeshedEvent>,
  settings: MeshedSettings,
): RoleStep | undefined {
  if (event.type === "booted") return [initialRole, roleStarted(settings)];
  if (event.type !== "meshReceived" || !isListening(settings.role)) return undefined;
  const { list } = mesh.neighbours;
  if (!list.some(({ number, nodeId }) => number === event.neighbour && nodeId !== 0)) return undefined;
  const text = broadcastText(event.text, mesh.neighbours);
  const signal = text === undefined ? undefined : readSignal(text);
  return signal && signalHeard(role, signal, settings);
}

function carried(
  state: MeshedState,
  [role, outputs]: RoleStep,
  { at, random, freeHeapBytes }: Stamped<MeshedEvent>,
  settings: MeshedSettings,
): Step {
  let next: MeshedState = { ...state, role };
  const effects: MeshedEffect[] = [];
  for (const output of outputs) {
    if (output.type === "say") effects.push(...broadcast(next.mesh.neighbours, writeSignal(output.signal)));
    else if (output.type === "reading") {
      const { readings } = output;
      const taken: Stamped<Event> = { type: "readingsTaken", readings, at, random, freeHeapBytes };
      const [after, more] = deviceStep(next, taken, settings);
      next = after;
      effects.push(...more);
    } else effects.push(output as Effect);
  }
  return [next, effects];
}
