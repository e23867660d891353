// How NVS reaches its partition: page headers and state bitmaps as they are, entries through the encryption if there is one.
// It never reads or writes outside the partition's range of the flash.

import { createCipheriv, createDecipheriv } from "node:crypto";
import { ENTRY_BYTES } from "./nvs-item.js";

/** What NVS needs of a NOR flash. */
export interface NvsFlash {
  read(offset: number, length: number): Uint8Array;
  isErased(offset: number, length: number): boolean;
  write(offset: number, bytes: Uint8Array): void;
  eraseSector(offset: number): void;
}

/** The two 32-byte keys of an NVS key partition. */
export interface NvsKeys {
  readonly encryptionKey: Uint8Array;
  readonly tweakKey: Uint8Array;
}

/** A range of the flash; all offsets are relative to its start. */
export interface NvsPartition {
  readRaw(offset: number, length: number): Uint8Array;
  isErased(offset: number, length: number): boolean;
  writeRaw(offset: number, bytes: Uint8Array): void;
  readEntry(offset: number): Uint8Array;
  /** Writes one or more whole entries in a single flash operation. */
  writeEntries(offset: number, bytes: Uint8Array): void;
  eraseSector(offset: number): void;
}

/** A plain partition, or with keys an encrypted one (AES-256-XTS, each entry by itself). */
export function openNvsPartition(flash: NvsFlash, start: number, keys?: NvsKeys): NvsPartition {
  const readRaw = (offset: number, length: number) => flash.read(start + offset, length);
  const isErased = (offset: number, length: number) => flash.isErased(start + offset, length);
  const writeRaw = (offset: number, bytes: Uint8Array) => flash.write(start + offset, bytes);
  const eraseSector = (offset: number) => flash.eraseSector(start + offset);
  if (!keys) {
    const readEntry = (offset: number) => readRaw(offset, ENTRY_BYTES);
    return { readRaw, isErased, writeRaw, readEntry, writeEntries: writeRaw, eraseSector };
  }
  const key = Buffer.concat([keys.encryptionKey, keys.tweakKey]);
  return {
    readRaw,
    isErased,
    writeRaw,
    eraseSector,
    readEntry: (offset) => decryptEntry(key, offset, readRaw(offset, ENTRY_BYTES)),
    writeEntries: (offset, bytes) => writeRaw(offset, encryptEntries(key, offset, bytes)),
  };
}

function encryptEntries(key: Uint8Array, offset: number, plain: Uint8Array): Uint8Array {
  const encrypted = new Uint8Array(plain.length);
  for (let at = 0; at < plain.length; at += ENTRY_BYTES) {
    const cipher = createCipheriv("aes-256-xts", key, tweakOf(offset + at));
    encrypted.set(cipher.update(plain.subarray(at, at + ENTRY_BYTES)), at);
  }
  return encrypted;
}

function decryptEntry(key: Uint8Array, offset: number, encrypted: Uint8Array): Uint8Array {
  return new Uint8Array(createDecipheriv("aes-256-xts", key, tweakOf(offset)).update(encrypted));
}

/** The entry's offset in the partition, as a 16-byte little-endian number. */
function tweakOf(offset: number): Uint8Array {
  const tweak = new Uint8Array(16);
  new DataView(tweak.buffer).setUint32(0, offset, true);
  return tweak;
}
