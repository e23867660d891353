// NVS against golden vectors measured on ESP-IDF v6.0's own library: results, flash images, flash units, repairs after power cuts.

import { createHash } from "node:crypto";
import { expect } from "chai";
import { Flash, PowerCut } from "../../../host-sim/hardware/flash.js";
import {
  Nvs,
  type NvsFlash,
  type NvsHandle,
  type NvsType,
  type NvsValue,
} from "../../../host-sim/hardware/nvs.js";
import { applyPatches, type Patches, readVectorFile, readVectors } from "../../vectors.js";

type Operation = readonly [string, string, string?, NvsType?, string?];
type ListingRow = readonly (string | null)[];

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

function listingOf(nvs: Nvs, full = false): ListingRow[] {
  return nvs.list().map(({ namespace, key, type }) => {
    const { error, value } = nvs.get(namespace, key, type);
    if (value === undefined) return [namespace, key, type, null, error];
    return [namespace, key, type, formatValue(value, full)];
  });
}

function formatValue(value: NvsValue, full: boolean): string {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  const bytes = Buffer.from(value as Uint8Array);
  if (full || bytes.length <= 64) return `hex:${bytes.toString("hex")}`;
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
    eraseSector: (offset) => flash.eraseSector(offset),
    write: (offset, bytes) => {
      bytes.forEach((byte, index) => {
        flash.write(offset + index, Uint8Array.of(byte));
      });
    },
  };
}

function expectImage(actual: Uint8Array, expected: Uint8Array, what: string): void {
  const at = actual.findIndex((byte, index) => byte !== expected[index]);
  expect(at, `${what}: first byte that differs`).to.equal(-1);
  expect(actual.length, what).to.equal(expected.length);
}

interface Script {
  kind: string;
  size: number;
  sessions: { mount: string; ops: Operation[]; results: [string, string, number, number][] }[];
  image_base64: string;
  remount: string;
  listing: ListingRow[] | null;
  stats: number[] | null;
}

interface PowerCutCase {
  kind: string;
  size: number;
  before_base64: string;
  before_listing: ListingRow[];
  op: Operation;
  unit: "word" | "byte";
  total_units: number;
  uncut_after: Patches;
  uncut_result: string;
  uncut_listing: ListingRow[];
  cuts: {
    cut: number;
    after: Patches;
    mount: string;
    mount_ops: number;
    remounted: Patches;
    listing: ListingRow[];
  }[];
}

interface MountCutCase {
  kind: string;
  size: number;
  before_base64: string;
  cut: number;
  after: Patches;
  mount: string;
  mount_ops: number;
  remounted: Patches;
  listing: ListingRow[];
}

interface Generated {
  size: number;
  image: string;
  mount: string;
  listing: ListingRow[];
  stats: number[];
  encrypted_image?: string;
  eky_hex?: string;
  tky_hex?: string;
}

describe("NVS against ESP-IDF's own library", function () {
  this.timeout(120_000);
  it("gives the same results, flash units and image for every script", function () {
    const scripts = readVectors<Script>("nvs-scripts");
    if (scripts.length === 0) this.skip();
    let operationCount = 0;
    scripts.forEach((script, number) => {
      const name = `script ${number} (${script.kind})`;
      const flash = new Flash(script.size);
      script.sessions.forEach((session, sessionNumber) => {
        const { error, nvs } = Nvs.mount(flash, 0, script.size);
        expect(error, `${name} mount ${sessionNumber}`).to.equal(session.mount);
        session.ops.forEach((operation, index) => {
          const units = flash.unitCount;
          const erased = flash.counters.eraseCount;
          const result = perform(nvs!, operation);
          const measured = [...result, flash.unitCount - units, flash.counters.eraseCount - erased];
          expect(measured, `${name}, ${sessionNumber}.${index} ${operation.slice(0, 4)}`).to.deep.equal(
            session.results[index],
          );
          operationCount += 1;
        });
      });
      expectImage(flash.bytes, Buffer.from(script.image_base64, "base64"), name);
      const { error, nvs } = Nvs.mount(flash, 0, script.size);
      expect(error, name).to.equal(script.remount);
      expect(nvs ? listingOf(nvs) : [], name).to.deep.equal(script.listing);
      expect(nvs ? statsOf(nvs) : null, name).to.deep.equal(script.stats);
    });
    expect(operationCount).to.be.greaterThan(0);
  });

  it("leaves the same flash after every power cut and repairs it the same way", function () {
    const vectors = readVectors<PowerCutCase>("nvs-powercut");
    if (vectors.length === 0) this.skip();
    let cutCount = 0;
    vectors.forEach((vector, number) => {
      const name = `operation ${number} (${vector.kind})`;
      const before = Buffer.from(vector.before_base64, "base64");
      const untouched = Nvs.mount(new Flash(vector.size, before), 0, vector.size);
      expect(listingOf(untouched.nvs!), name).to.deep.equal(vector.before_listing);
      const uncut = new Flash(vector.size, before);
      const units = runOperation(uncut, vector);
      expect(units, `${name} units`).to.equal(vector.total_units);
      expectImage(uncut.bytes, applyPatches(before, vector.uncut_after), name);
      expect(listingOf(Nvs.mount(uncut, 0, vector.size).nvs!), name).to.deep.equal(vector.uncut_listing);
      for (const cut of vector.cuts) {
        const what = `${name} cut ${cut.cut}`;
        const flash = new Flash(vector.size, before);
        flash.cutAfterUnits(cut.cut);
        if (cut.cut < vector.total_units) expect(() => runOperation(flash, vector), what).to.throw(PowerCut);
        else runOperation(flash, vector);
        flash.powerRestored();
        const after = applyPatches(before, cut.after);
        expectImage(flash.bytes, after, what);
        expectMount(flash, after, cut, what);
        cutCount += 1;
      }
    });
    expect(cutCount).to.be.greaterThan(0);
  });

  it("repairs the same way after a power cut during the repair", function () {
    const vectors = readVectors<MountCutCase>("nvs-powercut-mount");
    if (vectors.length === 0) this.skip();
    vectors.forEach((vector, number) => {
      const what = `mount ${number} (${vector.kind}) cut ${vector.cut}`;
      const before = Buffer.from(vector.before_base64, "base64");
      const flash = new Flash(vector.size, before);
      flash.cutAfterUnits(vector.cut);
      try {
        Nvs.mount(flash, 0, vector.size);
      } catch (error) {
        expect(error, what).to.be.instanceOf(PowerCut);
      }
      flash.powerRestored();
      const after = applyPatches(before, vector.after);
      expectImage(flash.bytes, after, what);
      expectMount(flash, after, vector, what);
    });
  });

  it("reads what the partition generator wrote, plain and encrypted", function () {
    const vectors = readVectors<Generated>("nvs-generator");
    if (vectors.length === 0) this.skip();
    let encryptedCount = 0;
    for (const vector of vectors) {
      const flash = new Flash(vector.size, readVectorFile(vector.image));
      const { error, nvs } = Nvs.mount(flash, 0, vector.size);
      expect(error, vector.image).to.equal(vector.mount);
      expect(nvs ? listingOf(nvs, true) : null, vector.image).to.deep.equal(vector.listing);
      expect(nvs ? statsOf(nvs) : null, vector.image).to.deep.equal(vector.stats);
      if (!vector.encrypted_image) continue;
      const encrypted = new Flash(vector.size, readVectorFile(vector.encrypted_image));
      const encryptionKey = Buffer.from(vector.eky_hex!, "hex");
      const tweakKey = Buffer.from(vector.tky_hex!, "hex");
      const mounted = Nvs.mount(encrypted, 0, vector.size, { encryptionKey, tweakKey });
      expect(mounted.error, vector.encrypted_image).to.equal(vector.mount);
      expect(listingOf(mounted.nvs!, true), vector.encrypted_image).to.deep.equal(vector.listing);
      encryptedCount += 1;
    }
    expect(encryptedCount).to.be.greaterThan(0);
  });
});

/** Mounts, performs the operation and returns the flash units of both. */
function runOperation(flash: Flash, { unit, size, op, uncut_result }: PowerCutCase): number {
  const { nvs } = Nvs.mount(unit === "byte" ? byteWise(flash) : flash, 0, size);
  expect(perform(nvs!, op)[0]).to.equal(uncut_result);
  return flash.unitCount;
}

function expectMount(
  flash: Flash,
  after: Uint8Array,
  expected: Omit<MountCutCase, "before_base64">,
  what: string,
): void;
function expectMount(
  flash: Flash,
  after: Uint8Array,
  expected: PowerCutCase["cuts"][number],
  what: string,
): void;
function expectMount(
  flash: Flash,
  after: Uint8Array,
  expected: PowerCutCase["cuts"][number],
  what: string,
): void {
  const units = flash.unitCount;
  const { error, nvs } = Nvs.mount(flash, 0, flash.sizeBytes);
  expect(error, what).to.equal(expected.mount);
  expect(flash.unitCount - units, `${what} repair`).to.equal(expected.mount_ops);
  expectImage(flash.bytes, applyPatches(after, expected.remounted), `${what} remounted`);
  expect(nvs ? listingOf(nvs) : [], what).to.deep.equal(expected.listing);
}
