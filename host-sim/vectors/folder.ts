// A folder of golden vectors: data measured on ESP-IDF's and Moddable's own code. It reads files and checks nothing. Files may be
// packed (NAME.gz), so that a copy beside the tests stays small.

import { type Dirent, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const PACKED = ".gz";
const [BESIDE, OWN] = ["../../../shared/vectors", "../../test/vectors"].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
) as [string, string];

/** The project's own, which are a part of those that may lie beside it, and some more. */
export function defaultVectorFolder(): VectorFolder {
  const own = new VectorFolder(OWN);
  return existsSync(BESIDE) ? new VectorFolder(BESIDE, own) : own;
}

export class VectorFolder {
  readonly path: string;
  readonly #more: VectorFolder | undefined;
  readonly #read = new Map<string, Uint8Array>();

  /** @param more has the files that this one has not, whatever their ending */
  constructor(path: string, more?: VectorFolder) {
    this.path = path;
    this.#more = more;
  }

  /** Names of the files in the folder or a subfolder, sorted, without `.gz`; none if it is not there. */
  list(subfolder = ""): string[] {
    const own = namesIn(join(this.path, subfolder), (entry) => entry.isFile()).map(unpacked);
    const known = new Set(own.map(withoutEnding));
    const more = this.#more?.list(subfolder).filter((name) => !known.has(withoutEnding(name))) ?? [];
    return [...own, ...more].sort();
  }

  /** Names of its subfolders, sorted. */
  subfolders(): string[] {
    const own = namesIn(this.path, (entry) => entry.isDirectory());
    return [...new Set([...own, ...(this.#more?.subfolders() ?? [])])].sort();
  }

  /** Not to be changed: many cases share it. @throws Error that names the file when it is absent or packed wrongly */
  bytes(name: string): Uint8Array {
    const path = join(this.path, name);
    const isMore = this.#more !== undefined && !existsSync(path) && !existsSync(path + PACKED);
    const bytes = this.#read.get(name) ?? (isMore ? this.#more.bytes(name) : readPacked(path));
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

function namesIn(path: string, isWanted: (entry: Dirent) => boolean): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter(isWanted)
    .map(({ name }) => name);
}

const unpacked = (name: string): string => (name.endsWith(PACKED) ? name.slice(0, -PACKED.length) : name);
const withoutEnding = (name: string): string => name.replace(/\.[^.]*$/, "");

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
