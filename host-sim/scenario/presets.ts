// Scenarios that have a name: a pair, and a mesh of a gateway with nodes. Data only.

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
/** Long enough for every device to have checked, at the pace of the apps. */
const SETTLE_SECONDS = 240;

export const presetScenario = (preset: Preset, options: PresetOptions): Scenario =>
  preset === "pair" ? pair(options) : mesh(options);

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
  config: {},
  far: [],
  ...changes,
});

const radio = (loss: number): RadioTerms => ({ loss, duplication: 0.01, delayMs: DELAY_MS });
/** Of the Wi-Fi task, and of XS while it collects garbage: frames overtake each other. */
const DELAY_MS = 5;

/** An order for all nodes of a type: the gateway fetches the image once, every node takes it from the air when its next check is due. */
function mesh({ nodes, loss, seed }: PresetOptions): Scenario {
  return {
    name: "mesh",
    seed,
    limitSeconds: 3 * 3600,
    devices: [
      device("gateway", "gateway", "gateway", { table: "8mb-gateway" }),
      device("node", ROLE, "node", { count: nodes, config: { role: ROLE } }),
    ],
    radio: radio(loss),
    steps: [
      { type: "wait", seconds: SETTLE_SECONDS },
      { type: "order", deviceType: ROLE, version: NEW, rule: "each" },
      { type: "until", who: "node", version: NEW, seconds: 2 * 3600 },
    ],
    expect: { versions: { gateway: OLD, node: NEW }, framesPerPart: 1.6, serverShare: 1.05 },
  };
}
/** A node's device type is its role. */
const ROLE = "pir";

/** Both devices take the new version of theirs: the receiver from the server, the transmitter through the receiver. */
function pair({ loss, seed }: PresetOptions): Scenario {
  return {
    name: "pair",
    seed,
    limitSeconds: 2 * 3600,
    devices: [
      device("receiver", "receiver", "receiver", { table: "8mb-gateway" }),
      device("transmitter", "transmitter", "transmitter"),
    ],
    radio: radio(loss),
    steps: [
      { type: "wait", seconds: SETTLE_SECONDS },
      { type: "publish", deviceType: "receiver", version: NEW },
      { type: "publish", deviceType: "transmitter", version: NEW },
      { type: "until", who: "all", version: NEW, seconds: 3600 },
    ],
    expect: { versions: { receiver: NEW, transmitter: NEW } },
  };
}
