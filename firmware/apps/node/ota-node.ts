// A node for an app's main.ts, with the name that painlessMesh's examples have: starts a device that takes the images for its role. Decides
// nothing.

import type { Stamped, TimerFired } from "../../core/event.js";
import type { MeshEffect, MeshEvent } from "../../core/mesh/vocabulary.js";
import { groupOf } from "../../core/radio/beacon.js";
import type { CombineEvent, CombineParts } from "../../core/radio/block-vocabulary.js";
import {
  newRadioDevice,
  RADIO_STORES,
  type RadioDeviceEvent,
  type RadioDeviceState,
  radioDeviceStep,
} from "../../core/radio/radio-device.js";
import type { RadioEffect, RadioEvent } from "../../core/radio/vocabulary.js";
import type { App, Display } from "../../platform/app-host.js";
import { meshHandlers } from "../../platform/mesh/mesh-port.js";
import { createBlockMemory } from "../../platform/radio/block-memory.js";
import { createRadio } from "../../platform/radio/radio.js";
import { startMachine } from "../../platform/start.js";
import { createStatusLed } from "../../platform/status-led/status-led.js";
import type { NodeConfig } from "./config.js";
import {
  initialMeshed,
  MESHED_STORES,
  type MeshedEvent,
  type MeshedState,
  meshedStep,
} from "./core/mesh-node.js";
import type { Role } from "./core/role.js";

/** What the node has for its role. */
export interface NodeParts extends Pick<App, "canIdentify" | "connectLight"> {
  readonly connect?: () => Display;
}

/** Starts the device: by radio, or in a painlessMesh, as its build says. Once. */
export function enableOTAReceive(role: Role, config: Omit<NodeConfig, "role">, parts: NodeParts = {}): void {
  const { link = "radio", statusLed } = config;
  const light = statusLed && (() => createStatusLed(statusLed.pin, statusLed.activeLow));
  const all: NodeParts = { ...parts, connectLight: parts.connectLight ?? light };
  if (link === "mesh") startInMesh(role, config, all);
  else startByRadio(config, all);
}

function startByRadio({ group: name = "mesh" }: Omit<NodeConfig, "role">, parts: NodeParts): void {
  const group = groupOf(name);
  startMachine<RadioDeviceState, RadioEvent | CombineEvent | TimerFired<string>, RadioEffect | CombineParts>(
    {
      initial: newRadioDevice,
      step: (state, event: Stamped<RadioDeviceEvent>) => radioDeviceStep(state, event, group),
    },
    {
      ...parts,
      stores: RADIO_STORES,
      connectLink: ({ dispatch, native }) => ({
        ...createRadio(dispatch, native),
        ...createBlockMemory(dispatch, native),
      }),
    },
  );
}

function startInMesh(role: Role, { meshGateway = "" }: Omit<NodeConfig, "role">, parts: NodeParts): void {
  const settings = { role, gateway: meshGateway };
  startMachine<MeshedState, MeshEvent | TimerFired<string>, MeshEffect>(
    {
      initial: initialMeshed,
      step: (state, event: Stamped<MeshedEvent>) => meshedStep(state, event, settings),
    },
    {
      ...parts,
      stores: MESHED_STORES,
      connectLink: ({ dispatch }) => meshHandlers(dispatch),
    },
  );
}
