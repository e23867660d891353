// Locates the golden vectors: all of them in ../shared/vectors where that is at hand, else the subset in test/vectors. It
// reads files and judges nothing. A test that finds none is skipped, and says why.

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const ROOTS = ["../../shared/vectors/", "./vectors/"].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/**
 * The cases of one file, whose name is given without ending: NAME.jsonl.gz (one object a line) or NAME.json (an array).
 * Empty where the vectors are absent; the reason is printed then, and the test should call `this.skip()`.
 */
export function readVectors<Case>(name: string): readonly Case[] {
  for (const root of ROOTS) {
    const lines = `${root}${name}.jsonl.gz`;
    if (existsSync(lines)) return parseLines<Case>(gunzipSync(readFileSync(lines)).toString("utf8"));
    const array = `${root}${name}.json`;
    if (existsSync(array)) return JSON.parse(readFileSync(array, "utf8")) as Case[];
  }
  reportAbsent(name);
  return [];
}

/** One JSON value that is not a list of cases: NAME.json; undefined where it is absent. */
export function readVectorObject<Value>(name: string): Value | undefined {
  const bytes = readVectorFile(`${name}.json`);
  return bytes === undefined ? undefined : (JSON.parse(Buffer.from(bytes).toString("utf8")) as Value);
}

/** A binary file of the vectors, such as "images/esp32-00.bin" (the subset keeps it as .gz); undefined where it is absent. */
export function readVectorFile(path: string): Uint8Array | undefined {
  for (const root of ROOTS) {
    if (existsSync(root + path)) return new Uint8Array(readFileSync(root + path));
    if (existsSync(`${root}${path}.gz`)) return new Uint8Array(gunzipSync(readFileSync(`${root}${path}.gz`)));
  }
  reportAbsent(path);
  return undefined;
}

/** `[[offset, "hex"], …]` */
export type Patches = readonly (readonly [number, string])[];

/** Replaces the bytes at the offsets; what lies past the end counted as 0xFF before. */
export function applyPatches(base: Uint8Array, patches: Patches = []): Uint8Array {
  const ends = patches.map(([offset, hex]) => offset + hex.length / 2);
  const patched = new Uint8Array(Math.max(base.length, ...ends)).fill(0xff);
  patched.set(base);
  for (const [offset, hex] of patches) patched.set(Buffer.from(hex, "hex"), offset);
  return patched;
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** Collects what disagrees, by kind, so that a failure shows the pattern and not only the first case. */
export class Disagreements {
  readonly #byKind = new Map<string, string[]>();

  add(kind: string, message: string): void {
    const messages = this.#byKind.get(kind) ?? [];
    messages.push(message);
    this.#byKind.set(kind, messages);
  }

  /** Empty when everything agreed; else a line for each kind with its count and first cases. */
  report(): string {
    return [...this.#byKind]
      .map(([kind, messages]) => `${kind}: ${messages.length}, e.g. ${messages.slice(0, 2).join(" | ")}`)
      .join("\n");
  }
}

function parseLines<Case>(text: string): Case[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Case);
}

function reportAbsent(name: string): void {
  process.stderr.write(
    `golden vectors "${name}" are absent (looked in ${ROOTS.join(" and ")}); tests are skipped\n`,
  );
}
