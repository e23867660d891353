// Watches a device from outside, as a person with a logic analyser on its flash would: what it starts, what it writes to its slots,
// what it says. Never touches the device.

import { SECTOR_BYTES } from "../hardware/flash/flash.js";
import { PARTITION_TYPE_APP, type Partition } from "../hardware/partitions/partition-table.js";
import type { VirtualDevice } from "./device.js";
import type { DeviceEvent } from "./device-event.js";

/** What happened to one app slot since the watch began. */
export interface SlotRecord {
  bytesWritten: number;
  /** Bytes written of the image that came last, by sector: since the slot's first sector was erased. */
  readonly held: Map<number, number>;
  /** On the world's clock, of the last write, ms. */
  writtenAtMs: number;
  /** Erases of each sector, by its index in the slot. */
  readonly erases: Map<number, number>;
}

export class Watch {
  readonly slots = new Map<string, SlotRecord>();
  /** Erased sectors of the whole flash: NVS and otadata too. */
  eraseCount = 0;
  readonly #apps: readonly Partition[];

  constructor(device: VirtualDevice, onSlotWrite: (label: string, record: SlotRecord) => void = () => {}) {
    this.#apps = device.partitions.filter(({ type }) => type === PARTITION_TYPE_APP);
    device.flash.onOperation = ({ kind, offset, length }, when) => {
      if (when !== "after") return;
      if (kind === "erase") this.eraseCount += length / SECTOR_BYTES;
      const slot = this.#apps.find((app) => offset >= app.offset && offset < app.offset + app.size);
      if (!slot) return;
      const record = this.#recordOf(slot.label);
      const sector = Math.floor((offset - slot.offset) / SECTOR_BYTES);
      if (kind === "erase")
        for (let each = sector; each < sector + length / SECTOR_BYTES; each += 1) noteErase(record, each);
      else noteWrite(record, sector, length, device.world.nowMs);
      onSlotWrite(slot.label, record);
    };
  }

  #recordOf(label: string): SlotRecord {
    const known = this.slots.get(label);
    if (known) return known;
    const record: SlotRecord = { bytesWritten: 0, held: new Map(), writtenAtMs: 0, erases: new Map() };
    this.slots.set(label, record);
    return record;
  }
}

function noteErase(record: SlotRecord, sector: number): void {
  record.erases.set(sector, (record.erases.get(sector) ?? 0) + 1);
  if (sector === 0) record.held.clear();
  else record.held.delete(sector);
}

function noteWrite(record: SlotRecord, sector: number, length: number, nowMs: number): void {
  record.bytesWritten += length;
  record.held.set(sector, (record.held.get(sector) ?? 0) + length);
  record.writtenAtMs = nowMs;
}

/** Bytes of the image that a slot holds so far. */
export function heldBytes({ held }: SlotRecord): number {
  let sum = 0;
  for (const bytes of held.values()) sum += bytes;
  return sum;
}

/** One sentence about what happened to a device, or undefined if it is not worth one. */
export function describeEvent(event: DeviceEvent): string | undefined {
  switch (event.type) {
    case "booted":
      return `boot ${event.bootCount}: ${event.partition.label} starts`;
    case "bootFailed":
      return `boot failed: ${event.message}`;
    case "uncaught":
      return `uncaught ${event.name}: ${event.message}`;
    case "restarted":
      if (event.cause === "deepSleep") return "asleep";
      return event.cause === "restart" ? undefined : `restart (${event.cause})`;
    case "powerCut":
      return "power was cut";
    case "poweredOff":
      return "powered off";
  }
}
