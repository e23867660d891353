// The virtual ESP32's non-volatile storage: what nvs_flash_init, nvs_open, nvs_set_* and nvs_get_* of ESP-IDF v6.0 do, on a NOR
// flash, operation for operation. Results are ESP-IDF's error names; it throws only what the flash throws (a power cut).

import { decodeCText, encodeCText } from "../c-text.js";
import type { NvsError } from "./nvs-errors.js";
import { fromKey, integerBytes, itemType, NAMESPACE_ANY, type NvsItem, toKey } from "./nvs-item.js";
import { PAGE_BYTES } from "./nvs-page.js";
import type { NvsStats } from "./nvs-pages.js";
import { type NvsFlash, type NvsKeys, openNvsPartition } from "./nvs-partition.js";
import { NvsStorage } from "./nvs-storage.js";

export type { NvsError } from "./nvs-errors.js";
export type { NvsStats } from "./nvs-pages.js";
export type { NvsFlash, NvsKeys } from "./nvs-partition.js";

export type NvsType = "u8" | "i8" | "u16" | "i16" | "u32" | "i32" | "u64" | "i64" | "str" | "blob";
/** Integers up to 32 bits are numbers, of 64 bits bigints; blobs are bytes. */
export type NvsValue = number | bigint | string | Uint8Array;

export interface NvsEntry {
  readonly namespace: string;
  readonly key: string;
  readonly type: NvsType;
}

export interface NvsReadResult {
  readonly error: NvsError;
  readonly type?: NvsType;
  readonly value?: NvsValue;
}

const typeNames: Readonly<Record<number, NvsType>> = Object.freeze({
  [itemType.u8]: "u8",
  [itemType.i8]: "i8",
  [itemType.u16]: "u16",
  [itemType.i16]: "i16",
  [itemType.u32]: "u32",
  [itemType.i32]: "i32",
  [itemType.u64]: "u64",
  [itemType.i64]: "i64",
  [itemType.str]: "str",
  [itemType.blob]: "blob",
  [itemType.blobData]: "blob",
  [itemType.blobIndex]: "blob",
});

/** A mounted NVS partition. */
export class Nvs {
  readonly #storage: NvsStorage;

  private constructor(storage: NvsStorage) {
    this.#storage = storage;
  }

  /**
   * nvs_flash_init on the partition at `offset`: repairs what a power cut left. ESP_ERR_NVS_NO_FREE_PAGES and
   * ESP_ERR_NVS_NEW_VERSION_FOUND mean that the firmware has to erase the partition. With keys, it is encrypted.
   */
  static mount(
    flash: NvsFlash,
    offset: number,
    sizeBytes: number,
    keys?: NvsKeys,
  ): { readonly error: NvsError; readonly nvs?: Nvs } {
    const storage = new NvsStorage(openNvsPartition(flash, offset, keys), Math.floor(sizeBytes / PAGE_BYTES));
    const error = storage.mount();
    return error === "ESP_OK" ? { error, nvs: new Nvs(storage) } : { error };
  }

  /** nvs_open. Read-write makes the namespace (one entry) if it is not there; read-only then is ESP_ERR_NVS_NOT_FOUND. */
  open(
    namespace: string,
    mode: "readonly" | "readwrite",
  ): { readonly error: NvsError; readonly handle?: NvsHandle } {
    const { error, index } = this.#storage.openNamespace(toKey(namespace), mode === "readwrite");
    return error === "ESP_OK"
      ? { error, handle: new NvsHandle(this.#storage, index, mode === "readonly") }
      : { error };
  }

  /** Opens the namespace read-write and sets a key. */
  set(namespace: string, key: string, type: NvsType, value: NvsValue): NvsError {
    const { error, handle } = this.open(namespace, "readwrite");
    return handle ? handle.set(key, type, value) : error;
  }

  /** Reads a key; without a type, whatever type it has. */
  get(namespace: string, key: string, type?: NvsType): NvsReadResult {
    const { error, handle } = this.open(namespace, "readonly");
    return handle ? handle.get(key, type) : { error };
  }

  erase(namespace: string, key: string): NvsError {
    const { error, handle } = this.open(namespace, "readwrite");
    return handle ? handle.erase(key) : error;
  }

  eraseAll(namespace: string): NvsError {
    const { error, handle } = this.open(namespace, "readwrite");
    return handle ? handle.eraseAll() : error;
  }

  /** Every key, or those of one namespace, in the order of the library's iterator. */
  list(namespace?: string): readonly NvsEntry[] {
    if (namespace !== undefined) return this.open(namespace, "readonly").handle?.list() ?? [];
    return [...entriesOf(this.#storage, NAMESPACE_ANY)];
  }

  /** nvs_flash_deinit: whatever is open is invalid from now on. */
  close(): void {
    this.#storage.isClosed = true;
  }

  /** nvs_get_stats; undefined where the library fails (a page is being freed). */
  stats(): NvsStats | undefined {
    return this.#storage.stats();
  }
}

/** An open namespace. */
export class NvsHandle {
  readonly #storage: NvsStorage;
  readonly #namespace: number;
  readonly #readOnly: boolean;

  constructor(storage: NvsStorage, namespace: number, readOnly: boolean) {
    this.#storage = storage;
    this.#namespace = namespace;
    this.#readOnly = readOnly;
  }

  /** Sets a key and so replaces a value of whatever type. A NUL inside a string is kept as XS keeps it (c-text.ts); integers wrap to their size. */
  set(key: string, type: NvsType, value: NvsValue): NvsError {
    if (this.#storage.isClosed) return "ESP_ERR_NVS_INVALID_HANDLE";
    if (this.#readOnly) return "ESP_ERR_NVS_READ_ONLY";
    return this.#storage.write(this.#namespace, itemType[type], toKey(key), encodeValue(type, value));
  }

  /** Reads a key. With a type other than the stored one: ESP_ERR_NVS_NOT_FOUND, as in the library. */
  get(key: string, type: NvsType | undefined = this.typeOf(key)): NvsReadResult {
    if (this.#storage.isClosed) return { error: "ESP_ERR_NVS_INVALID_HANDLE" };
    if (type === undefined) return { error: "ESP_ERR_NVS_NOT_FOUND" };
    const { error, bytes } = this.#storage.read(this.#namespace, itemType[type], toKey(key));
    return bytes ? { error, type, value: decodeValue(type, bytes) } : { error };
  }

  /** nvs_find_key. */
  typeOf(key: string): NvsType | undefined {
    return typeNames[this.#storage.typeOf(this.#namespace, toKey(key)) ?? itemType.any];
  }

  erase(key: string): NvsError {
    if (this.#storage.isClosed) return "ESP_ERR_NVS_INVALID_HANDLE";
    if (this.#readOnly) return "ESP_ERR_NVS_READ_ONLY";
    return this.#storage.erase(this.#namespace, toKey(key));
  }

  eraseAll(): NvsError {
    if (this.#readOnly) return "ESP_ERR_NVS_READ_ONLY";
    return this.#storage.eraseNamespace(this.#namespace);
  }

  /** The keys of the namespace in the order of the library's iterator. */
  list(): readonly NvsEntry[] {
    return [...this.entries()];
  }

  /** nvs_entry_find_in_handle and nvs_entry_next: sees what is written or erased behind it while it runs. */
  entries(): Generator<NvsEntry> {
    return entriesOf(this.#storage, this.#namespace);
  }
}

function* entriesOf(storage: NvsStorage, namespace: number): Generator<NvsEntry> {
  let name = "";
  for (const item of storage.items(namespace)) {
    // An entry of a namespace that has no name keeps the name before it, as in the library's iterator.
    name = storage.namespaces.find((entry) => entry.index === item.namespace)?.name ?? name;
    yield { namespace: fromKey(name), key: fromKey(item.key), type: nameOfType(item) };
  }
}

function nameOfType(item: NvsItem): NvsType {
  const name = typeNames[item.type];
  if (name === undefined) throw new Error(`entry type ${item.type} passed the consistency check`);
  return name;
}

function encodeValue(type: NvsType, value: NvsValue): Uint8Array {
  if (type === "blob") {
    if (value instanceof Uint8Array) return value;
    throw new TypeError(`a blob is set from bytes, not from a ${typeof value}`);
  }
  if (type === "str") {
    if (typeof value === "string") return Buffer.concat([encodeCText(value), Buffer.of(0)]);
    throw new TypeError(`a string is set from a string, not from a ${typeof value}`);
  }
  if (typeof value !== "number" && typeof value !== "bigint") {
    throw new TypeError(`an integer is set from a number or bigint, not from a ${typeof value}`);
  }
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, BigInt(value)), true);
  return bytes.subarray(0, integerBytes(itemType[type]));
}

function decodeValue(type: NvsType, bytes: Uint8Array): NvsValue {
  if (type === "blob") return bytes;
  if (type === "str") return decodeCText(bytes);
  const padded = new Uint8Array(8);
  padded.set(bytes);
  const bits = new DataView(padded.buffer).getBigUint64(0, true);
  const width = bytes.length * 8;
  const integer = type.startsWith("i") ? BigInt.asIntN(width, bits) : bits;
  return width === 64 ? integer : Number(integer);
}
