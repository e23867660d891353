// A folder of golden vectors: data measured on ESP-IDF's and Moddable's own code. It reads files and judges nothing. Files may be
// packed (NAME.gz), so that a copy beside the tests stays small.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const PACKED = ".gz";
/** All of them where they lie beside the project, else the project's own copy, which is a subset. */
const DEFAULT_FOLDERS = ["../../../shared/vectors", "../../test/vectors"].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

export function defaultVectorFolder(): VectorFolder {
  const found = DEFAULT_FOLDERS.find((path) => existsSync(path));
  if (found === undefined) throw new Error(`there are no golden vectors in ${DEFAULT_FOLDERS.join(" or ")}`);
  return new VectorFolder(found);
}

export class VectorFolder {
  readonly path: string;
  readonly #read = new Map<string, Uint8Array>();

  constructor(path: string) {
    this.path = path;
  }

  /** Names of the files in the folder or a subfolder, sorted, without `.gz`; none if it is not there. */
  list(subfolder = ""): string[] {
    const path = join(this.path, subfolder);
    if (!existsSync(path)) return [];
    const files = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isFile());
    return files.map(({ name }) => (name.endsWith(PACKED) ? name.slice(0, -PACKED.length) : name)).sort();
  }

  /** Names of its subfolders, sorted. */
  subfolders(): string[] {
    const entries = readdirSync(this.path, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  }

  /** Not to be changed: many cases share it. @throws Error that names the file when it is absent or packed wrongly */
  bytes(name: string): Uint8Array {
    const bytes = this.#read.get(name) ?? readPacked(join(this.path, name));
    this.#read.set(name, bytes);
    return bytes;
  }

  text(name: string): string {
    return new TextDecoder().decode(this.bytes(name));
  }

  /** The cases of NAME.jsonl (one JSON object a line) or NAME.json (an array). */
  cases<Case>(name: string): Case[] {
    if (name.endsWith(".json")) return JSON.parse(this.text(name)) as Case[];
    const lines = this.text(name).split("\n").entries();
    return [...lines].flatMap(([index, line]) =>
      line.trim() === "" ? [] : [parse<Case>(line, name, index)],
    );
  }

  /** One JSON value that is not a list of cases. */
  object<Value>(name: string): Value {
    return JSON.parse(this.text(name)) as Value;
  }
}

function readPacked(path: string): Uint8Array {
  if (existsSync(path)) return new Uint8Array(readFileSync(path));
  if (!existsSync(path + PACKED)) throw new Error(`there is no file ${path}, nor ${path}${PACKED}`);
  try {
    return new Uint8Array(gunzipSync(readFileSync(path + PACKED)));
  } catch (error) {
    throw new Error(`${path}${PACKED} cannot be unpacked: ${(error as Error).message}`);
  }
}

function parse<Case>(line: string, name: string, index: number): Case {
  try {
    return JSON.parse(line) as Case;
  } catch (error) {
    throw new Error(`${name}, line ${index + 1}: ${(error as Error).message}`);
  }
}
