// `embedded:storage/flash` over the virtual NOR flash: partitions by name, with esp_partition's checks. It protects only
// what ESP-IDF protects: a write into the running partition restarts the chip.

import { SECTOR_BYTES } from "../hardware/flash/flash.js";
import { erasePartition, isReadOnly, writePartition } from "../hardware/partitions/partition-access.js";
import {
  findPartition,
  PARTITION_TYPE_DATA,
  type Partition,
} from "../hardware/partitions/partition-table.js";
import { type Machine, RESET_REASON } from "../machine/machine.js";
import { formatOption, optionsOf } from "./conversion.js";
import { CONSTRUCT, createHandles, type Handles } from "./handle.js";
import type { Native } from "./native.js";

const MODS_TYPE = 0x40;
const MODS_SUBTYPE = 1;

export interface OpenPartition {
  readonly partition: Partition;
  readonly readOnly: boolean;
}

export interface FlashModule {
  readonly exported: object;
  /** The partitions behind the objects that open gave, for the update module. */
  readonly handles: Handles<OpenPartition>;
}

export function createFlash(machine: Machine, native: Native): FlashModule {
  const { realm } = machine;
  const handles = createHandles<OpenPartition>(machine);
  const iterations = createHandles<{ next: number; isFreed: boolean }>(machine);

  class Flash {
    constructor(token?: unknown) {
      if (token !== CONSTRUCT) throw new realm.TypeError();
    }

    close(): void {
      handles.close(this);
    }

    eraseBlock(...parameters: [unknown?, unknown?]): void {
      const { partition } = writable(this);
      native.needArguments(parameters, 1);
      const start = native.integer(parameters[0]);
      const end = parameters.length > 1 ? native.integer(parameters[1]) : start + 1;
      // 32-bit arithmetic without sign, as in the C code.
      const offset = Math.imul(start, SECTOR_BYTES) >>> 0;
      const length = Math.imul(end - start, SECTOR_BYTES) >>> 0;
      if (!isWritable(machine, partition, offset, length)) throw native.error("erase failed");
      if (erasePartition(machine.flash, partition, offset, length) !== "ESP_OK")
        throw native.error("erase failed");
    }

    read(...parameters: [unknown?, unknown?]): unknown {
      const { partition } = handles.stateOf(this);
      if (parameters.length < 2) throw new realm.SyntaxError("C: xsArg(1): invalid index");
      const offset = native.integer(parameters[1]);
      const [wanted] = parameters;
      const target = typeof wanted === "number" ? undefined : native.bytesOf(wanted);
      const length = target?.length ?? native.integer(wanted);
      if (!isInside(partition, offset, length)) throw native.error("read failed");
      const bytes = machine.flash.read(partition.offset + offset, length);
      if (target === undefined) return native.arrayBuffer(bytes);
      target.set(bytes);
      return length;
    }

    write(...parameters: [unknown?, unknown?]): void {
      const { partition } = writable(this);
      if (parameters.length < 2) throw new realm.SyntaxError("C: xsArg(1): invalid index");
      const offset = native.integer(parameters[1]);
      const bytes = native.bytesOf(parameters[0]);
      if (!isWritable(machine, partition, offset, bytes.length)) throw native.error("write failed");
      if (writePartition(machine.flash, partition, offset, bytes) !== "ESP_OK")
        throw native.error("write failed");
    }

    status(): object {
      const { size } = handles.stateOf(this).partition;
      return realm.object({ size, blockLength: SECTOR_BYTES, blocks: Math.floor(size / SECTOR_BYTES) });
    }

    get format(): string {
      return "buffer";
    }

    set format(value: unknown) {
      // biome-ignore lint/suspicious/noDoubleEquals: as the SDK compares
      if (value != "buffer") throw native.rangeError("invalid");
    }
  }

  class PartitionIterator {
    constructor() {
      iterations.open(this, { next: 0, isFreed: false });
    }

    next(): object {
      const iteration = iterations.stateOf(this);
      if (iteration.isFreed) machine.restart(RESET_REASON.panic);
      const partition = machine.partitions[iteration.next];
      if (partition === undefined) return realm.object({ done: true, value: undefined });
      iteration.next += 1;
      return realm.object({ done: false, value: partition.label });
    }

    return(): object | undefined {
      const iteration = iterations.stateOf(this);
      if (iteration.next >= machine.partitions.length) return undefined;
      iteration.isFreed = true;
      return realm.object({ done: true, value: undefined });
    }
  }

  realm.adopt([Flash, PartitionIterator]);

  function writable(flash: Flash): OpenPartition {
    const handle = handles.stateOf(flash);
    if (handle.readOnly) throw native.error("read-only");
    return handle;
  }

  function open(options: unknown): Flash {
    const given = optionsOf(native, options);
    if (!("path" in given)) throw native.error("no path");
    const partition = partitionNamed(machine, native.text(given.path));
    if (partition === undefined) throw native.error("can't find partition");
    const mode = "mode" in given ? native.text(given.mode) : "r+";
    if (mode !== "r" && mode !== "r+") throw native.error("invalid mode");
    if (formatOption(native, given) !== "buffer") throw native.rangeError("unsupported");
    const flash = new Flash(CONSTRUCT);
    handles.open(flash, { partition, readOnly: mode === "r" });
    return flash;
  }

  const exported = {
    open(options: unknown) {
      return open(options);
    },
    [Symbol.iterator]() {
      return new PartitionIterator();
    },
  };
  return { exported, handles };
}

function partitionNamed(machine: Machine, path: string): Partition | undefined {
  switch (path) {
    case "xs":
      return findPartition(machine.partitions, { type: MODS_TYPE, subtype: MODS_SUBTYPE });
    case "running":
      return machine.running;
    case "nextota":
      return machine.ota.nextUpdatePartition();
    default:
      return findPartition(machine.partitions, { type: PARTITION_TYPE_DATA, label: path });
  }
}

function isInside(partition: Partition, offset: number, length: number): boolean {
  return offset >= 0 && length >= 0 && offset + length <= partition.size;
}

/** esp_partition's checks; then the flash driver's, which ends in abort() when the running app is touched. */
function isWritable(machine: Machine, partition: Partition, offset: number, length: number): boolean {
  if (isReadOnly(partition)) return false;
  if (!isInside(partition, offset, length)) return false;
  if (partition.offset === machine.running.offset) machine.restart(RESET_REASON.panic);
  return true;
}
