// Test helper: runs the text of a module as the firmware of a fresh virtual device, until nothing is left to happen or the
// limit is reached, and collects what it traced and what happened to the device.

import { readFileSync } from "node:fs";
import { type DeviceOptions, VirtualDevice } from "../../host-sim/device/device.js";
import type { DeviceEvent } from "../../host-sim/device/device-event.js";
import { buildFirmwareImage } from "../../host-sim/hardware/image/app-image.js";
import { World } from "../../host-sim/world/world.js";

export const PARTITIONS_8MB = readFileSync(new URL("../../partitions/8mb.csv", import.meta.url), "utf8");

export interface SourceRun {
  readonly world: World;
  readonly device: VirtualDevice;
  /** The trace, line by line. */
  readonly lines: string[];
  readonly events: DeviceEvent[];
}

export function imageOf(source: string): Uint8Array {
  return buildFirmwareImage({ chip: "esp32", version: "1.0.0", project: "test", bundle: source });
}

/** A device with this firmware, not powered yet. */
export function deviceWith(source: string, options: Partial<DeviceOptions> = {}): SourceRun {
  const world = options.world ?? new World({ seed: 1 });
  const lines: string[] = [];
  const events: DeviceEvent[] = [];
  let held = "";
  const device = new VirtualDevice({
    name: "device",
    ...options,
    world,
    onTrace: (text) => {
      const parts = (held + text).split("\n");
      held = parts.pop() ?? "";
      lines.push(...parts);
    },
    onEvent: (event) => {
      events.push(event);
      options.onEvent?.(event);
    },
  });
  device.flashFactory(PARTITIONS_8MB, imageOf(source));
  return { world, device, lines, events };
}

export async function runSource(
  source: string,
  options: Partial<DeviceOptions> & { readonly limitMs?: number } = {},
): Promise<SourceRun> {
  const run = deviceWith(source, options);
  run.device.powerOn();
  await run.world.runUntil(() => false, { limitMs: options.limitMs ?? 60_000 });
  return run;
}

/** Types of events, with the cause of a restart. */
export function typesOf(events: readonly DeviceEvent[]): string[] {
  return events.map((event) => (event.type === "restarted" ? `restarted: ${event.cause}` : event.type));
}
