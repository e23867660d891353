// The facts that the web view shows beside a virtual device's picture, read from outside.

import { newImageReader, readImage } from "../../../firmware/core/update/image.js";
import { parseVersion, versionName } from "../../../firmware/core/update/version.js";
import type { VirtualDevice } from "../../device/device.js";
import type { Partition } from "../../hardware/partitions/partition.js";
import { RESET_REASON } from "../../machine/machine.js";

export interface Facts {
  readonly state: "off" | "asleep" | "starting" | "running";
  /** Of the app in the slot that runs or ran last. */
  readonly app: string;
  readonly version: string;
  /** Label of that slot. */
  readonly slot: string;
  readonly chip: string;
  readonly bootCount: number;
  /** Addresses that it has now. */
  readonly addresses: readonly string[];
  /** Since the world began. */
  readonly seconds: number;
}

export function factsOf(device: VirtualDevice): Facts {
  const slot = device.lastBoot?.booted;
  const description = slot && describe(device, slot);
  return {
    state: stateOf(device),
    app: description?.project ?? "",
    version: nameOf(description?.version),
    slot: slot?.label ?? "",
    chip: device.chip,
    bootCount: device.bootCount,
    addresses: device.network.deviceNamed(device.name)?.stack.interfaces.map(({ address }) => address) ?? [],
    seconds: Math.floor(device.world.nowMs / 1000),
  };
}

function stateOf(device: VirtualDevice): Facts["state"] {
  if (!device.isPowered) return "off";
  if (device.machine) return "running";
  return device.lastReset === RESET_REASON.deepSleep ? "asleep" : "starting";
}

/** Of the image in a slot; "": there is none. */
export const versionIn = (device: VirtualDevice, slot: Partition): string =>
  nameOf(describe(device, slot)?.version);

function nameOf(text = ""): string {
  const version = parseVersion(text);
  return version ? versionName(version) : "";
}

function describe({ flash }: VirtualDevice, { offset, size }: Partition) {
  const image = flash.bytes.subarray(offset, offset + size);
  let reader = newImageReader;
  while (reader.needLength > 0 && !reader.description)
    reader = readImage(
      reader,
      reader.needOffset,
      image.subarray(reader.needOffset, reader.needOffset + reader.needLength),
    );
  return reader.description;
}
