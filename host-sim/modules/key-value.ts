// `embedded:storage/key-value` over the virtual NVS: a domain is an NVS namespace, every write is committed at once. It
// stores nothing itself; the NVS determines what a power cut leaves.

import { encodeText } from "../engine/realm.js";
import type { Nvs, NvsEntry, NvsHandle, NvsType } from "../hardware/nvs/nvs.js";
import { type Machine, RESET_REASON } from "../machine/machine.js";
import { boundedString, formatOption, knownFormat, optionsOf, toBigInt } from "./conversion.js";
import { COST, spend } from "./costs.js";
import { CONSTRUCT, createHandles } from "./handle.js";
import type { Native } from "./native.js";

/** The native code's buffers for keys and domains, with the final zero. */
const NAME_BYTES_MAX = 64;

/** NVS type of each format that can be set. */
const TYPES: Readonly<Record<string, NvsType>> = Object.freeze({
  buffer: "blob",
  string: "str",
  uint8: "u8",
  int8: "i8",
  uint16: "u16",
  int16: "i16",
  uint32: "u32",
  int32: "i32",
  uint64: "u64",
  int64: "i64",
});

interface Directory {
  readonly handle: NvsHandle;
  readonly readOnly: boolean;
  format: string;
}

interface Iteration {
  readonly entries: Iterator<NvsEntry>;
  current: NvsEntry | undefined;
  /** After return() the native iterator is freed: the next use of it crashes the chip. */
  isFreed: boolean;
}

export function createKeyValue(machine: Machine, native: Native): object {
  const { realm } = machine;
  const directories = createHandles<Directory>(machine);
  const iterations = createHandles<Iteration>(machine);

  class StorageIterator {
    constructor(directory: Directory) {
      const entries = directory.handle.entries();
      iterations.open(this, { entries, current: entries.next().value ?? undefined, isFreed: false });
    }

    next(): object {
      const iteration = iterations.stateOf(this);
      if (iteration.isFreed) machine.restart(RESET_REASON.panic);
      const { current } = iteration;
      if (current === undefined) return realm.object({ done: true, value: undefined });
      iteration.current = iteration.entries.next().value ?? undefined;
      return realm.object({ done: false, value: current.key });
    }

    return(): object | undefined {
      const iteration = iterations.stateOf(this);
      if (iteration.current === undefined) return undefined;
      iteration.isFreed = true;
      return realm.object({ done: true, value: undefined });
    }
  }

  class Storage {
    constructor(token?: unknown) {
      if (token !== CONSTRUCT) throw new realm.TypeError();
    }

    close(): void {
      directories.close(this);
    }

    delete(...parameters: [unknown?]): void {
      native.needArguments(parameters, 1);
      const key = boundedString(native, parameters[0], NAME_BYTES_MAX);
      const { handle } = writable(this);
      const error = handle.erase(key);
      if (error !== "ESP_ERR_NVS_NOT_FOUND") check(error);
    }

    read(...parameters: [unknown?, unknown?]): unknown {
      native.needArguments(parameters, 1);
      const key = boundedString(native, parameters[0], NAME_BYTES_MAX);
      const { handle, format } = directories.stateOf(this);
      const type = TYPES[format];
      if (type === undefined) throw native.error("unexpected");
      spend(machine, COST.keyValueRead);
      return type === "blob" || type === "str"
        ? readVariable(handle, key, type, parameters.slice(1))
        : readNumber(handle, key, type);
    }

    write(...parameters: [unknown?, unknown?]): void {
      native.needArguments(parameters, 1);
      const key = boundedString(native, parameters[0], NAME_BYTES_MAX);
      const { handle, format } = writable(this);
      const type = TYPES[format];
      if (type === undefined) throw native.error("unexpected");
      native.needArguments(parameters, 2);
      check(handle.set(key, type, encode(type, parameters[1])));
      spend(machine, COST.keyValueWrite);
    }

    [Symbol.iterator](): StorageIterator {
      return new StorageIterator(directories.stateOf(this));
    }

    get format(): string {
      return directories.stateOf(this).format;
    }

    set format(value: unknown) {
      const format = knownFormat(native, value);
      if (TYPES[format] === undefined) throw native.rangeError("unsupported");
      directories.stateOf(this).format = format;
    }
  }

  realm.adopt([Storage, StorageIterator]);

  function writable(storage: Storage): Directory {
    const directory = directories.stateOf(storage);
    if (directory.readOnly) throw native.error("read-only");
    return directory;
  }

  function check(error: string): void {
    if (error !== "ESP_OK") throw native.error(error);
  }

  function readVariable(handle: NvsHandle, key: string, type: "blob" | "str", rest: unknown[]): unknown {
    const stored = handle.typeOf(key);
    if (stored === undefined) return undefined;
    if (stored !== type) throw native.typeError("mismatch");
    const { error, value } = handle.get(key, type);
    check(error);
    if (!(value instanceof Uint8Array)) return value;
    if (rest.length === 0) return native.arrayBuffer(value);
    const target = native.bytesOf(rest[0]);
    if (target.length < value.length) throw native.rangeError("buffer too small");
    target.set(value);
    return value.length;
  }

  function readNumber(handle: NvsHandle, key: string, type: NvsType): unknown {
    const { error, value } = handle.get(key, type);
    if (error === "ESP_ERR_NVS_NOT_FOUND") return undefined;
    check(error);
    return value;
  }

  function encode(type: NvsType, value: unknown): number | bigint | string | Uint8Array {
    switch (type) {
      case "blob":
        return native.bytesOf(value);
      case "str":
        return native.text(value);
      case "u64":
      case "i64":
        return toBigInt(native, value);
      case "u32":
        return native.integer(value) >>> 0;
      default:
        return native.integer(value);
    }
  }

  function open(options: unknown): Storage {
    const given = optionsOf(native, options);
    if (!("path" in given)) throw native.error("no path");
    let domain = boundedString(native, given.path, NAME_BYTES_MAX);
    if (encodeText(domain).length === 0) throw native.error("invalid");
    if (domain.endsWith("/")) domain = domain.slice(0, -1);
    const mode = "mode" in given ? native.text(given.mode) : "r+";
    if (mode !== "r" && mode !== "r+") throw native.error("invalid mode");
    const readOnly = mode === "r";
    const format = formatOption(native, given);
    const { error, handle } = nvsOf(machine, native).open(domain, readOnly ? "readonly" : "readwrite");
    check(error);
    const storage = new Storage(CONSTRUCT);
    directories.open(storage, { handle: handle!, readOnly, format });
    return storage;
  }

  return {
    open(options: unknown) {
      return open(options);
    },
  };
}

function nvsOf(machine: Machine, native: Native): Nvs {
  if (machine.nvs === undefined) throw native.error("ESP_ERR_NVS_NOT_INITIALIZED");
  return machine.nvs;
}
