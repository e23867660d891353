// How far a virtual device is with an update, read from its flash and from what was written to it. Asks nothing of the device.

import type { VirtualDevice } from "../../device/device.js";
import { heldBytes, type SlotRecord, type Watch } from "../../device/watch.js";
import { Ota } from "../../hardware/boot/ota.js";
import { OTA_STATE } from "../../hardware/boot/otadata.js";
import { isOtaSlot, type Partition } from "../../hardware/partitions/partition-table.js";
import { versionIn } from "./facts.js";

/** An image that the device is meant to get, if that is known. */
export interface TargetImage {
  readonly version: string;
  readonly bytes: number;
}

export interface UpdateState {
  /**
   * `none`: nothing was written since it was flashed. `receiving`: something was within a minute. `waiting`: not for longer than that, and the
   * image has not been started. `trial`: it runs, and has yet to prove itself. `failed`: it was rolled back. `done`: it runs for good.
   */
  readonly state: "none" | "receiving" | "waiting" | "trial" | "failed" | "done";
  /** Of the image that it is about; "": not known yet. */
  readonly version: string;
  /** Of that image, written so far. */
  readonly doneBytes: number;
  /** 0: not known. */
  readonly totalBytes: number;
}

/** The longest pause of an update that goes on: a gateway waits up to 45 s for others who want the image. */
const PAUSE_MS = 60_000;
const NONE: UpdateState = Object.freeze({ state: "none", version: "", doneBytes: 0, totalBytes: 0 });

/** @param target what is on offer for it */
export function updateState(device: VirtualDevice, watch: Watch, target?: TargetImage): UpdateState {
  const running = device.lastBoot?.booted;
  if (!running) return NONE;
  const runs = versionIn(device, running);
  const stateOf = otaStates(device, running);
  const own = isOtaSlot(running) ? stateOf(running) : undefined;
  if (own === OTA_STATE.NEW || own === OTA_STATE.PENDING_VERIFY) return ended("trial", runs);
  const [slot, record] = lastWritten(device, watch, running) ?? [];
  if (slot && record) {
    const doneBytes = heldBytes(record);
    const isWanted = !target || target.version !== runs;
    const about = { version: target?.version ?? "", doneBytes, totalBytes: target?.bytes ?? 0 };
    const isRecent = device.world.nowMs - record.writtenAtMs <= PAUSE_MS;
    if (isWanted && doneBytes > 0 && isRecent) return { state: "receiving", ...about };
    const state = stateOf(slot);
    if (state === OTA_STATE.INVALID || state === OTA_STATE.ABORTED)
      return ended("failed", versionIn(device, slot));
    if (isWanted && doneBytes > 0 && record.writtenAtMs > bootedAtMs(watch, running))
      return { state: "waiting", ...about };
  }
  return own === OTA_STATE.VALID ? ended("done", runs) : NONE;
}

const ended = (state: UpdateState["state"], version: string): UpdateState => ({ ...NONE, state, version });

/** What the running image was written at: what lies in the other slot since before that is the image before. */
const bootedAtMs = (watch: Watch, running: Partition): number =>
  watch.slots.get(running.label)?.writtenAtMs ?? 0;

function otaStates(device: VirtualDevice, running: Partition): (slot: Partition) => number | undefined {
  const ota = new Ota(device.flash, device.partitions, running, { rollback: true, chip: device.chip });
  return (slot) => ota.stateOf(slot).state;
}

function lastWritten(
  device: VirtualDevice,
  watch: Watch,
  running: Partition,
): readonly [Partition, SlotRecord] | undefined {
  let last: readonly [Partition, SlotRecord] | undefined;
  for (const slot of device.partitions) {
    const record = slot.label === running.label ? undefined : watch.slots.get(slot.label);
    if (record && record.writtenAtMs >= (last?.[1].writtenAtMs ?? 0)) last = [slot, record];
  }
  return last;
}
