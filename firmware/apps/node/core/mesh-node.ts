// A node that is in a network, and in a painlessMesh there: what every device does, and images for its role from any gateway of that mesh. This
// file only composes.

import { step } from "../../../core/device.js";
import { type DeviceState, initialDevice } from "../../../core/device-state.js";
import type { Effect, TimerEffect } from "../../../core/effect.js";
import type { Event, Stamped, TimerFired } from "../../../core/event.js";
import {
  type FedDevice,
  initialMeshNode,
  type MeshNodeEvent,
  type MeshNodeState,
  meshNodeStep,
} from "../../../core/mesh/node.js";
import { MD5_KEY } from "../../../core/mesh/receiver.js";
import type { MeshEffect, MeshEvent } from "../../../core/mesh/vocabulary.js";

export interface MeshedState {
  readonly device: DeviceState;
  readonly mesh: MeshNodeState;
}

export const initialMeshed: MeshedState = Object.freeze({ device: initialDevice, mesh: initialMeshNode });

/** What it keeps in NVS besides core's: an MD5 in hex. */
export const MESHED_STORES: Readonly<Record<string, number>> = Object.freeze({ [MD5_KEY]: 32 });

export interface MeshedSettings {
  readonly role: string;
  /** IPv4; empty: the gateway connects to the node. */
  readonly gateway: string;
}

export type MeshedEvent = Event | MeshEvent | TimerFired<string>;
export type MeshedEffect = Effect | MeshEffect | TimerEffect<string>;

/** As painlessMesh's nodes on all kinds of ESP32 say. */
const HARDWARE = "ESP32";

/** What the device becomes, and what it does, in order. */
export function meshedStep(
  { device, mesh }: MeshedState,
  event: Stamped<MeshedEvent>,
  settings: MeshedSettings,
): readonly [MeshedState, readonly MeshedEffect[]] {
  const fed: FedDevice<DeviceState> = {
    device,
    step,
    settings: ({ push }) => ({
      ...settings,
      hardware: HARDWARE,
      acceptsUnsigned: push.acceptUnsigned,
      slotBytes: push.slotBytes,
    }),
  };
  const [nextMesh, nextDevice, effects] = meshNodeStep(mesh, fed, event as Stamped<MeshNodeEvent>);
  return [{ device: nextDevice, mesh: nextMesh }, effects];
}
