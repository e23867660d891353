// What has to hold of one device's flash while it recovers, whatever a power cut has left. Watches the flash and the boots; never touches them.
//
//   - what starts is a released image, whole; one that does not work only ever runs on trial, and is never validated; where
//     power has left it in otadata as another state, it is put on trial before it can crash
//   - otadata never selects a slot that does not hold such an image
//   - no sector is written or erased but those of NVS, otadata, the slot that does not run, and what else the device may change

import type { DeviceEvent } from "../device/device-event.js";
import {
  activeEntry,
  decodeOtadataEntry,
  EMPTY_SEQUENCE,
  isValid,
  OTA_STATE,
  OTADATA_ENTRY_BYTES,
  readOtadata,
  slotOfSequence,
} from "../hardware/boot/otadata.js";
import type { Flash } from "../hardware/flash/flash.js";
import { otaSlots, type Partition } from "../hardware/partitions/partition-table.js";
import { nvsOf, otadataOf } from "./places.js";
import type { SweepRelease } from "./release.js";

export interface ChecksOptions {
  readonly flash: Flash;
  readonly partitions: readonly Partition[];
  /** All that a device can have. */
  readonly releases: readonly SweepRelease[];
  /** Of data, that the device may change. */
  readonly also?: Partition | undefined;
}

export class FlashChecks {
  readonly #flash: Flash;
  readonly #releases: readonly SweepRelease[];
  readonly #otadata: Partition;
  readonly #slots: readonly Partition[];
  readonly #free: readonly Partition[];
  #untriedCount = 0;

  constructor({ flash, partitions, releases, also }: ChecksOptions) {
    this.#flash = flash;
    this.#releases = releases;
    this.#otadata = otadataOf(partitions);
    this.#slots = otaSlots(partitions);
    this.#free = [nvsOf(partitions), this.#otadata, ...(also ? [also] : [])];
  }

  /** What is wrong with what starts. */
  *booted({ partition }: Extract<DeviceEvent, { type: "booted" }>): Iterable<string> {
    const release = this.releaseIn(partition);
    if (release === undefined) yield `what starts in ${partition.label} is no whole image`;
    else if (!release.works && this.stateOf(partition) !== OTA_STATE.PENDING_VERIFY) {
      // the boot loader cannot see that power has torn the state: the firmware has to, before it crashes
      this.#untriedCount += 1;
      if (this.#untriedCount > 1)
        yield `${release.version} in ${partition.label} starts ${this.#untriedCount} times, and not on trial`;
    }
  }

  /** What is wrong with an operation that the flash has done. */
  *operated(kind: string, offset: number, running: Partition | undefined): Iterable<string> {
    const idle = this.#slots.find(
      (slot) => slot !== running && slot.offset !== running?.offset && isIn(offset, slot),
    );
    const isFree = this.#free.some((partition) => isIn(offset, partition));
    if (!isFree && (idle === undefined || running === undefined))
      yield `${kind} at 0x${offset.toString(16)}, outside ${this.#free.map(({ label }) => label).join(", ")} and the slot that does not run`;
    if (kind === "write" && isIn(offset, this.#otadata))
      yield* this.#selected(offset - ((offset - this.#otadata.offset) % 4096));
  }

  /** The release that is whole in a partition. */
  releaseIn({ offset }: Partition): SweepRelease | undefined {
    return this.#releases.find(
      ({ image }) => Buffer.compare(this.#flash.view(offset, image.length), image) === 0,
    );
  }

  /** Of a slot, in the otadata entry that counts; undefined: that is of another slot, or there is none. */
  stateOf(partition: Partition): number | undefined {
    const entries = readOtadata(this.#flash, this.#otadata);
    const active = activeEntry(entries);
    if (active === undefined) return undefined;
    const slot = this.#slots[slotOfSequence(entries[active].sequence, this.#slots.length)];
    return slot?.offset === partition.offset ? entries[active].state : undefined;
  }

  *#selected(sector: number): Iterable<string> {
    const bytes = this.#flash.view(sector, OTADATA_ENTRY_BYTES);
    const entry = decodeOtadataEntry(bytes.slice());
    if (!isValid(entry) || entry.sequence === EMPTY_SEQUENCE) return;
    const slot = this.#slots[slotOfSequence(entry.sequence, this.#slots.length)]!;
    const release = this.releaseIn(slot);
    if (release === undefined) yield `otadata selects ${slot.label}, which holds no whole image`;
    else if (entry.state === OTA_STATE.VALID && !release.works)
      yield `${release.version} was validated, and does not work`;
  }
}

const isIn = (offset: number, partition: Partition): boolean =>
  offset >= partition.offset && offset < partition.offset + partition.size;
