// The virtual functions of firmware/platform/radio/skyslot-parts.c, with the same bounds: test/host-sim/modules/block-parts-twin.test.ts
// compares both.

import { ESP_ERROR_CODES } from "../hardware/esp-error.js";
import {
  findPartition,
  PARTITION_TYPE_DATA,
  type Partition,
} from "../hardware/partitions/partition-table.js";
import type { Machine } from "../machine/machine.js";
import { COST, spend } from "./costs.js";

const BLOCK_BYTES = 16_384;
const PART_BYTES = 224;
const PART_SET_BYTES = 10;
const MAX_ROWS = 31;

type BufferOf = (value: unknown, byteLength: number) => Uint8Array;

/**
 * @param bufferOf a firmware's buffer of at least this size
 * @param nextSlot the slot that the next update goes to, unless it is the one that runs
 */
export function blockPartsFunctions(
  machine: Pick<Machine, "flash" | "partitions" | "compute">,
  bufferOf: BufferOf,
  nextSlot: () => Partition | undefined,
): Record<string, unknown> {
  const cache = () => findPartition(machine.partitions, { type: PARTITION_TYPE_DATA, label: "cache" });
  return {
    skyslot_add_parts(isCache: unknown, from: unknown, size: unknown, set: unknown, result: unknown) {
      const partition = Number(isCache) === 0 ? nextSlot() : cache();
      const [offset, length] = [Number(from) >>> 0, Number(size) >>> 0];
      const [parts, sum] = [bufferOf(set, PART_SET_BYTES), bufferOf(result, PART_BYTES)];
      if (partition === undefined) return ESP_ERROR_CODES.ESP_ERR_NOT_FOUND;
      if (length > BLOCK_BYTES || offset + length > partition.size)
        return ESP_ERROR_CODES.ESP_ERR_INVALID_ARG;
      for (let part = 0; part < 8 * PART_SET_BYTES; part++) {
        if (((parts[part >> 3]! >> (part & 7)) & 1) === 0) continue;
        const start = part * PART_BYTES;
        if (start >= length) return ESP_ERROR_CODES.ESP_ERR_INVALID_ARG;
        const count = Math.min(PART_BYTES, length - start);
        add(sum, machine.flash.read(partition.offset + offset + start, count));
        spend(machine, count * COST.addedByte);
      }
      return 0;
    },
    skyslot_add_parities(rows: unknown, combination: unknown, result: unknown) {
      const [parities, sum] = [bufferOf(rows, MAX_ROWS * PART_BYTES), bufferOf(result, PART_BYTES)];
      for (let row = 0; row < MAX_ROWS; row++) {
        if (((Number(combination) >> row) & 1) === 0) continue;
        add(sum, parities.subarray(row * PART_BYTES, (row + 1) * PART_BYTES));
        spend(machine, PART_BYTES * COST.addedByte);
      }
    },
  };
}

function add(sum: Uint8Array, bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) sum[i]! ^= bytes[i]!;
}
