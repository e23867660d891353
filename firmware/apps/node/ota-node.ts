// A node for an app's main.ts, with the name that painlessMesh's examples have: starts a device that takes the images for its role. Decides
// nothing.

import config from "mc/config";
import type { Stamped, TimerFired } from "../../core/event.js";
import type { MeshEffect, MeshEvent } from "../../core/mesh/vocabulary.js";
import { groupOf } from "../../core/radio/beacon.js";
import type { CombineEvent, CombineParts } from "../../core/radio/block-vocabulary.js";
import { RADIO_STORES } from "../../core/radio/radio-device.js";
import type { RadioEffect, RadioEvent } from "../../core/radio/vocabulary.js";
import type { App, Board } from "../../platform/app-host.js";
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
import {
  initialRadioNode,
  type RadioNodeEvent,
  type RadioNodeState,
  radioNodeStep,
} from "./core/radio-node.js";
import type { Role } from "./core/role.js";
import type { PinEffect, PinEvent } from "./core/vocabulary.js";
import { connectPins } from "./pins/pins.js";

type Settings = Omit<NodeConfig, "role">;
type Parts = Pick<App, "connectLight"> & {
  readonly connect: (board: Pick<Board<PinEvent>, "dispatch" | "native">) => ReturnType<typeof connectPins>;
};

/** Starts the device in its role: by radio, or in a painlessMesh, as its build says. Once. */
export function enableOTAReceive(role: Role, settings: Settings = config as Settings): void {
  const { link = "radio", statusLed } = settings;
  // what is given to mcconfig on its command line is text
  const pins = {
    inputPin: Number(settings.inputPin ?? NO_PIN),
    lightPin: Number(settings.lightPin ?? NO_PIN),
    dhtPin: Number(settings.dhtPin ?? NO_PIN),
  };
  const parts: Parts = {
    connectLight: statusLed && (() => createStatusLed(statusLed.pin, statusLed.activeLow)),
    connect: (board) => connectPins(role, pins, board),
  };
  if (link === "mesh") startInMesh(role, settings, parts);
  else startByRadio(role, settings, parts);
}

/** No chip has it: a role that needs it says so. */
const NO_PIN = 255;

const roleSettings = (role: Role, { dhtKind = "dht22", sampleSeconds = 60 }: Settings) => ({
  role,
  dhtKind,
  sampleSeconds: Number(sampleSeconds),
});

function startByRadio(role: Role, own: Settings, parts: Parts): void {
  const settings = { ...roleSettings(role, own), group: groupOf(own.group ?? "mesh") };
  startMachine<
    RadioNodeState,
    RadioEvent | CombineEvent | TimerFired<string> | PinEvent,
    RadioEffect | CombineParts | PinEffect
  >(
    {
      initial: initialRadioNode,
      step: (state, event: Stamped<RadioNodeEvent>) => radioNodeStep(state, event, settings),
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

function startInMesh(role: Role, own: Settings, parts: Parts): void {
  const settings = { ...roleSettings(role, own), gateway: own.meshGateway ?? "" };
  startMachine<MeshedState, MeshEvent | TimerFired<string> | PinEvent, MeshEffect | PinEffect>(
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
