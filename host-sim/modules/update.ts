// `embedded:update` over the virtual esp_ota_* functions. It decides nothing: they determine what is
// written where, when sectors are erased and when an image is refused.

import { type OtaSize, OtaWriters } from "../hardware/boot/ota-write.js";
import type { Partition } from "../hardware/partitions/partition-table.js";
import type { Machine } from "../machine/machine.js";
import { formatOption, optionsOf } from "./conversion.js";
import { COST, spend } from "./costs.js";
import type { FlashModule } from "./flash.js";
import { CONSTRUCT, createHandles } from "./handle.js";
import type { Native } from "./native.js";

const UINT32_MAX = 0xffffffff;

interface OpenUpdate {
  readonly partition: Partition;
  readonly append: boolean;
  /** Upper bound of the image's length so far, bytes. */
  writtenBytes: number;
  /** Of OtaWriters; 0 once it is complete, whether or not the image was good. */
  handle: number;
}

export function createUpdate(machine: Machine, native: Native, flash: FlashModule): object {
  const { realm, ota } = machine;
  const writers = new OtaWriters(machine.flash, ota);
  const handles = createHandles<OpenUpdate>(machine);

  class Update {
    constructor(token?: unknown) {
      if (token !== CONSTRUCT) throw new realm.TypeError();
    }

    close(): void {
      const update = handles.close(this);
      if (update !== undefined && update.handle !== 0) writers.abort(update.handle);
    }

    complete(): void {
      const update = incomplete(this);
      const handle = update.handle;
      update.handle = 0;
      // the image is verified at the end and once more before it is selected
      spend(machine, 2 * update.writtenBytes * COST.verifiedByte);
      if (writers.end(handle) !== "ESP_OK") throw native.error("end failed");
      if (ota.setBoot(update.partition) !== "ESP_OK") throw native.error("can't change boot partition");
    }

    write(...parameters: [unknown?, unknown?]): void {
      const update = incomplete(this);
      const error = update.append ? append(update, parameters) : writeAt(update, parameters);
      if (error !== "ESP_OK") throw native.error("write failed");
    }

    get format(): string {
      return "buffer";
    }

    set format(value: unknown) {
      // biome-ignore lint/suspicious/noDoubleEquals: as the SDK compares
      if (value != "buffer") throw native.rangeError("invalid");
    }
  }

  realm.adopt(Update);

  function incomplete(object: Update): OpenUpdate {
    const update = handles.stateOf(object);
    if (update.handle === 0) throw native.error("already complete");
    return update;
  }

  function append(update: OpenUpdate, parameters: readonly unknown[]): string {
    if (parameters.length > 1) throw native.error("offset not allowed");
    native.needArguments(parameters, 1);
    const bytes = native.bytesOf(parameters[0]);
    wrote(update, update.writtenBytes, bytes.length);
    return writers.write(update.handle, bytes);
  }

  function writeAt(update: OpenUpdate, parameters: readonly unknown[]): string {
    if (parameters.length < 2) throw new realm.SyntaxError("C: xsArg(1): invalid index");
    const offset = native.number(parameters[1]);
    if (offset < 0 || offset > UINT32_MAX) throw native.rangeError("invalid offset");
    const bytes = native.bytesOf(parameters[0]);
    wrote(update, offset, bytes.length);
    // The chip converts NaN to the highest number.
    return writers.writeWithOffset(
      update.handle,
      bytes,
      Number.isNaN(offset) ? UINT32_MAX : Math.trunc(offset),
    );
  }

  function wrote(update: OpenUpdate, offset: number, length: number): void {
    update.writtenBytes = Math.min(
      update.partition.size,
      Math.max(update.writtenBytes, offset + length || 0),
    );
    spend(machine, length * COST.updateByte);
  }

  function open(options: unknown): Update {
    const given = optionsOf(native, options);
    if (!("partition" in given)) throw native.error("no partition");
    const { partition, readOnly } = flash.handles.stateOf(given.partition);
    if (readOnly) throw native.error("read-only partition");
    const mode = "mode" in given ? native.text(given.mode) : "a";
    if (mode !== "a" && mode !== "w") throw native.rangeError("invalid mode");
    if (formatOption(native, given) !== "buffer") throw native.rangeError("unsupported");
    const size = sizeOption(given, partition);
    const { error, handle } = writers.begin(partition, mode === "a" ? "sequential" : size);
    if (error !== "ESP_OK") throw native.error("begin failed");
    const update = new Update(CONSTRUCT);
    handles.open(update, { partition, append: mode === "a", writtenBytes: 0, handle });
    return update;
  }

  function sizeOption(given: object, partition: Partition): OtaSize {
    if (!("byteLength" in given)) return "unknown";
    const size = native.number(given.byteLength);
    if (!(size >= 0 && size <= partition.size)) throw native.rangeError("invalid byteLength");
    return Math.trunc(size);
  }

  return {
    open(options: unknown) {
      return open(options);
    },
  };
}
