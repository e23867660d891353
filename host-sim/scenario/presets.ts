// Scenarios that have a name: a pair, and a mesh of a gateway with nodes. Data only.

import { fileURLToPath } from "node:url";
import type { DeviceGroup, RadioTerms, Scenario } from "./scenario.js";

export const PRESETS = Object.freeze(["pair", "mesh"] as const);
export type Preset = (typeof PRESETS)[number];

/** What the command line may change of one. */
export interface PresetOptions {
  readonly nodes: number;
  readonly loss: number;
  readonly seed: number;
}

const OLD = "1.0.0";
const NEW = "1.1.0";
/** Quicker than in the field, and the same for every device of a scenario. */
const PACE = Object.freeze({ checkSeconds: 60, trialSeconds: 15, trialDeadlineSeconds: 300 });

export const presetScenario = (preset: Preset, options: PresetOptions): Scenario =>
  preset === "pair" ? pair(options) : mesh(options);

const isReal = (name: string): string => fileURLToPath(new URL(`./apps/${name}.ts`, import.meta.url));

const device = (
  name: string,
  type: string,
  app: string,
  changes: Partial<DeviceGroup> = {},
): DeviceGroup => ({
  name,
  type,
  app,
  count: 1,
  version: OLD,
  chip: "esp32",
  table: "8mb",
  config: PACE,
  far: [],
  ...changes,
});

const radio = (loss: number): RadioTerms => ({ loss, duplication: 0.01, delayMs: 0 });

/** The gateway fetches the image once; every node takes it from the air. All ask at the same time, as when the power comes back. */
function mesh({ nodes, loss, seed }: PresetOptions): Scenario {
  const config = { ...PACE, group: "mesh" };
  return {
    name: "mesh",
    seed,
    limitSeconds: 3 * 3600,
    devices: [
      device("gateway", "gateway", isReal("gateway"), { table: "8mb-gateway", config }),
      device("node", "node", isReal("node"), { count: nodes, config }),
    ],
    radio: radio(loss),
    steps: [
      { type: "wait", seconds: 60 },
      { type: "publish", deviceType: "node", version: NEW },
      { type: "cutPower", who: "node", seconds: 2 },
      { type: "until", who: "node", version: NEW, seconds: 2 * 3600 },
    ],
    expect: { versions: { gateway: OLD, node: NEW }, framesPerPart: 1.6, serverShare: 1.05 },
  };
}

/** Both devices take the new version of theirs: the receiver from the server, the transmitter through the receiver. */
function pair({ loss, seed }: PresetOptions): Scenario {
  const config = { ...PACE, telemetrySeconds: 5 };
  return {
    name: "pair",
    seed,
    limitSeconds: 2 * 3600,
    devices: [
      device("receiver", "receiver", "receiver", { table: "8mb-gateway", config }),
      device("transmitter", "transmitter", "transmitter", { config }),
    ],
    radio: radio(loss),
    steps: [
      { type: "wait", seconds: 120 },
      { type: "publish", deviceType: "receiver", version: NEW },
      { type: "publish", deviceType: "transmitter", version: NEW },
      { type: "until", who: "all", version: NEW, seconds: 3600 },
    ],
    expect: { versions: { receiver: NEW, transmitter: NEW } },
  };
}
