// Golden vectors of NVS: results, flash units, images and listings of ESP-IDF's own library, and its repairs after power cuts.

import { createHash } from "node:crypto";
import { Flash, PowerCut } from "../hardware/flash/flash.js";
import {
  Nvs,
  type NvsFlash,
  type NvsHandle,
  type NvsKeys,
  type NvsType,
  type NvsValue,
} from "../hardware/nvs/nvs.js";
import { applyPatches, type CaseChecker, compare, type Difference, type Patches } from "./comparison.js";
import type { VectorFolder } from "./folder.js";

type Operation = readonly [string, string, string?, NvsType?, string?];
type ListingRow = readonly (string | null)[];

export interface ScriptCase {
  readonly kind: string;
  readonly size: number;
  readonly sessions: readonly {
    readonly mount: string;
    readonly ops: readonly Operation[];
    readonly results: readonly (readonly [string, string, number, number])[];
  }[];
  readonly image_base64: string;
  readonly remount: string;
  readonly listing: readonly ListingRow[] | null;
  readonly stats: readonly number[] | null;
}

/** What a mount finds and does. */
interface Mount {
  readonly mount: string;
  readonly mount_ops: number;
  readonly remounted: Patches;
  readonly listing: readonly ListingRow[];
}

export interface PowerCutCase {
  readonly kind: string;
  readonly size: number;
  readonly before_base64: string;
  readonly before_listing: readonly ListingRow[];
  readonly op: Operation;
  readonly unit: "word" | "byte";
  readonly total_units: number;
  readonly uncut_after: Patches;
  readonly uncut_result: string;
  readonly uncut_listing: readonly ListingRow[];
  readonly cuts: readonly (Mount & { readonly cut: number; readonly after: Patches })[];
}

export interface MountCutCase extends Mount {
  readonly kind: string;
  readonly size: number;
  readonly before_base64: string;
  readonly cut: number;
  readonly after: Patches;
}

export interface GeneratedCase {
  readonly size: number;
  readonly image: string;
  readonly mount: string;
  readonly listing: readonly ListingRow[];
  readonly stats: readonly number[];
  readonly encrypted_image?: string;
  readonly eky_hex?: string;
  readonly tky_hex?: string;
}

const LISTED_BYTES_MAX = 64;

export const scriptChecker: CaseChecker<ScriptCase, VectorFolder> = {
  describe: ({ kind }) => kind,
  difference: (script) => {
    const flash = new Flash(script.size);
    for (const [number, session] of script.sessions.entries()) {
      const { error, nvs } = Nvs.mount(flash, 0, script.size);
      const mounted = compare(error, session.mount, `mount of session ${number}`);
      if (mounted !== undefined || nvs === undefined) {
        if (mounted !== undefined) return mounted;
        continue;
      }
      for (const [index, operation] of session.ops.entries()) {
        const at = `session ${number}, operation ${index} ${JSON.stringify(operation.slice(0, 4))}`;
        const difference = compare(measure(flash, nvs, operation), session.results[index], at);
        if (difference !== undefined) return difference;
      }
    }
    const image = compare(flash.bytes, fromBase64(script.image_base64), "image");
    return image ?? compare(contentsOf(flash), { ...expectedContents(script), mount: script.remount });
  },
  parts: {
    unit: "operations",
    count: ({ sessions }) => sessions.reduce((total, { ops }) => total + ops.length, 0),
  },
};

export const powerCutChecker: CaseChecker<PowerCutCase, VectorFolder> = {
  describe: ({ kind, op }) => `${kind}, ${JSON.stringify(op.slice(0, 4))}`,
  difference: (test) => {
    const before = fromBase64(test.before_base64);
    const uncut = uncutDifference(before, test);
    if (uncut !== undefined) return uncut;
    for (const cut of test.cuts) {
      const flash = new Flash(test.size, before);
      flash.cutAfterUnits(cut.cut);
      const isCut = powerFails(() => runOperation(flash, test));
      const at = `cut ${cut.cut}`;
      const difference =
        compare(isCut, cut.cut < test.total_units, `${at}: power fails`) ??
        mountDifference(flash, before, cut, at);
      if (difference !== undefined) return difference;
    }
    return undefined;
  },
  parts: { unit: "cuts", count: ({ cuts }) => cuts.length },
};

export const mountCutChecker: CaseChecker<MountCutCase, VectorFolder> = {
  describe: ({ kind, cut }) => `${kind}, cut ${cut}`,
  difference: (test) => {
    const before = fromBase64(test.before_base64);
    const flash = new Flash(test.size, before);
    flash.cutAfterUnits(test.cut);
    powerFails(() => Nvs.mount(flash, 0, test.size));
    return mountDifference(flash, before, test, "after the cut");
  },
};

export const generatedChecker: CaseChecker<GeneratedCase, VectorFolder> = {
  describe: ({ image }) => image,
  difference: (test, folder) => {
    const { mount, listing, stats } = test;
    const plain = new Flash(test.size, folder.bytes(test.image));
    const difference = compare(contentsOf(plain, { isFull: true }), { mount, listing, stats }, "plain");
    if (difference !== undefined || test.encrypted_image === undefined) return difference;
    const encrypted = new Flash(test.size, folder.bytes(test.encrypted_image));
    const keys = {
      encryptionKey: Buffer.from(test.eky_hex!, "hex"),
      tweakKey: Buffer.from(test.tky_hex!, "hex"),
    };
    return compare(contentsOf(encrypted, { isFull: true, keys }), { mount, listing, stats }, "encrypted");
  },
  parts: { unit: "images", count: ({ encrypted_image }) => (encrypted_image === undefined ? 1 : 2) },
};

/** Result, stage, flash units and erased sectors of one operation. */
function measure(flash: Flash, nvs: Nvs, operation: Operation): unknown[] {
  const units = flash.unitCount;
  const erased = flash.counters.eraseCount;
  const result = perform(nvs, operation);
  return [...result, flash.unitCount - units, flash.counters.eraseCount - erased];
}

function perform(nvs: Nvs, [verb, namespace, key = "", type = "u8", value = ""]: Operation): string[] {
  const { error, handle } = nvs.open(namespace, verb === "openro" ? "readonly" : "readwrite");
  if (!handle) return [error, "open"];
  const result = act(handle, verb, key, type, value);
  return result === "ESP_OK" ? [result, "commit"] : [result, "op"];
}

function act(handle: NvsHandle, verb: string, key: string, type: NvsType, value: string): string {
  if (verb === "set") return handle.set(key, type, parseValue(type, value));
  if (verb === "erase") return handle.erase(key);
  if (verb === "erase_all") return handle.eraseAll();
  return "ESP_OK";
}

function parseValue(type: NvsType, value: string): NvsValue {
  if (type === "blob") return new Uint8Array(Buffer.from(value, "hex"));
  return type === "str" ? Buffer.from(value, "hex").toString("utf8") : BigInt(value);
}

function uncutDifference(before: Uint8Array, test: PowerCutCase): Difference | undefined {
  const untouched = contentsOf(new Flash(test.size, before)).listing;
  const uncut = new Flash(test.size, before);
  const result = runOperation(uncut, test);
  return (
    compare(untouched, test.before_listing, "listing before") ??
    compare(result, test.uncut_result, "result") ??
    compare(uncut.unitCount, test.total_units, "flash units") ??
    compare(uncut.bytes, applyPatches(before, test.uncut_after), "image without a cut") ??
    compare(contentsOf(uncut).listing, test.uncut_listing, "listing without a cut")
  );
}

/** Mounts and performs the operation, which is one more unit for each byte where bytes are counted. */
function runOperation(flash: Flash, { unit, size, op }: PowerCutCase): string | undefined {
  const { nvs } = Nvs.mount(unit === "byte" ? byteWise(flash) : flash, 0, size);
  return nvs && perform(nvs, op)[0];
}

function powerFails(action: () => void): boolean {
  try {
    action();
    return false;
  } catch (error) {
    if (error instanceof PowerCut) return true;
    throw error;
  }
}

/** Power is back: what the cut left, and how the next mount repairs it. */
function mountDifference(
  flash: Flash,
  before: Uint8Array,
  expected: Mount & { readonly after: Patches },
  at: string,
): Difference | undefined {
  flash.powerRestored();
  const after = applyPatches(before, expected.after);
  const left = compare(flash.bytes, after, `${at}, image`);
  if (left !== undefined) return left;
  const units = flash.unitCount;
  const { mount, listing } = contentsOf(flash);
  return (
    compare(mount, expected.mount, `${at}, mount`) ??
    compare(flash.unitCount - units, expected.mount_ops, `${at}, units of the repair`) ??
    compare(flash.bytes, applyPatches(after, expected.remounted), `${at}, repaired image`) ??
    compare(listing ?? [], expected.listing, `${at}, listing`)
  );
}

interface Contents {
  readonly mount: string;
  readonly listing: readonly ListingRow[] | null;
  readonly stats: readonly number[] | null;
}

function expectedContents({ listing, stats }: ScriptCase): Omit<Contents, "mount"> {
  return { listing, stats };
}

function contentsOf(
  flash: Flash,
  options: { readonly isFull?: boolean; readonly keys?: NvsKeys } = {},
): Contents {
  const { error, nvs } = Nvs.mount(flash, 0, flash.sizeBytes, options.keys);
  if (nvs === undefined) return { mount: error, listing: [], stats: null };
  return { mount: error, listing: listingOf(nvs, options.isFull ?? false), stats: statsOf(nvs) };
}

function listingOf(nvs: Nvs, isFull: boolean): ListingRow[] {
  return nvs.list().map(({ namespace, key, type }) => {
    const { error, value } = nvs.get(namespace, key, type);
    if (value === undefined) return [namespace, key, type, null, error];
    return [namespace, key, type, formatValue(value, isFull)];
  });
}

function formatValue(value: NvsValue, isFull: boolean): string {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  const bytes = Buffer.from(value as Uint8Array);
  if (isFull || bytes.length <= LISTED_BYTES_MAX) return `hex:${bytes.toString("hex")}`;
  return `sha256:${bytes.length}:${createHash("sha256").update(bytes).digest("hex")}`;
}

function statsOf(nvs: Nvs): number[] | null {
  const stats = nvs.stats();
  return stats ? [stats.used, stats.free, stats.available, stats.total, stats.namespaces] : null;
}

/** Programs byte by byte, so that each byte is a flash unit. */
function byteWise(flash: Flash): NvsFlash {
  return {
    read: (offset, length) => flash.read(offset, length),
    isErased: (offset, length) => flash.isErased(offset, length),
    eraseSector: (offset) => flash.eraseSector(offset),
    write: (offset, bytes) => {
      bytes.forEach((byte, index) => {
        flash.write(offset + index, Uint8Array.of(byte));
      });
    },
  };
}

const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));
