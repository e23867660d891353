// Virtual devices in one house whose firmware is a radio that does what it is told: apps/radio.ts.

import { fileURLToPath } from "node:url";
import type { RadioEffect } from "../../firmware/core/radio/vocabulary.js";
import { type DeviceOptions, VirtualDevice } from "../../host-sim/device/device.js";
import { buildImage } from "../../host-sim/image-build/image.js";
import { VirtualNetwork } from "../../host-sim/network/virtual-network.js";
import { World } from "../../host-sim/world/world.js";
import { PARTITIONS_8MB } from "../host-sim/run-source.js";

const APP = fileURLToPath(new URL("apps/radio.ts", import.meta.url));

export const BROADCAST = "ff:ff:ff:ff:ff:ff";
/** The address of the device with this index. */
export const macOf = (index: number): string => `24:6f:28:00:00:0${index}`;

type SendFrame = Extract<RadioEffect, { type: "sendFrame" }>;
export interface Step {
  readonly atMs: number;
  readonly effect:
    | Exclude<RadioEffect, SendFrame>
    | (Omit<SendFrame, "bytes"> & { readonly bytes: number[] });
  /** So many frames, with numbers that count up. */
  readonly repeat?: number;
}

export interface Plan {
  readonly script: readonly Step[];
  /** Joins this open network. */
  readonly join?: { readonly atMs: number; readonly ssid: string };
  /** The firmware computes from then on, for so long. */
  readonly busyAtMs?: number;
  readonly busyMs?: number;
}

export const start = (channel = 1): Step => ({ atMs: 0, effect: { type: "startRadio", channel } });
export const tune = (atMs: number, channel: number): Step => ({
  atMs,
  effect: { type: "tuneRadio", channel },
});
export const send = (atMs: number, to: string, bytes: readonly number[], frame = 1, repeat = 1): Step => ({
  atMs,
  effect: { type: "sendFrame", frame, to, bytes: [...bytes] },
  repeat,
});

/** What a device traces of a frame that has left. */
export const sent = (frame: number, isAcknowledged: boolean): string =>
  JSON.stringify({ type: "frameSent", frame, isAcknowledged });

export interface Radios {
  readonly network: VirtualNetwork;
  readonly devices: readonly VirtualDevice[];
  /** What each device has traced so far. */
  lines(): string[][];
}

/** Devices with these plans, after this time. */
export async function runRadios(
  plans: readonly Plan[],
  {
    ms = 2_000,
    engine,
    prepare,
  }: {
    readonly ms?: number;
    readonly prepare?: (network: VirtualNetwork) => void;
  } & Pick<DeviceOptions, "engine"> = {},
): Promise<Radios> {
  const world = new World({ seed: 5 });
  const network = new VirtualNetwork({ world });
  prepare?.(network);
  const traces = plans.map(() => "");
  const devices: VirtualDevice[] = [];
  for (const [index, plan] of plans.entries()) {
    const device = new VirtualDevice({
      world,
      network,
      name: `device ${index}`,
      mac: Uint8Array.from(macOf(index).split(":"), (digits) => Number.parseInt(digits, 16)),
      ...(engine === undefined ? {} : { engine }),
      onTrace: (text) => {
        traces[index] += text;
      },
    });
    const config = { server: "", keys: [], ...plan };
    device.flashFactory(PARTITIONS_8MB, await buildImage({ app: APP, version: "1.0.0", config }));
    device.powerOn();
    devices.push(device);
  }
  await world.runFor(ms);
  return { network, devices, lines: () => traces.map((text) => text.split("\n").slice(0, -1)) };
}
