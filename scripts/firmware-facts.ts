// Facts about the JavaScript half of a firmware's build: read from the makefile that mcconfig writes, from what xsl prints, and from the C
// file that xsl writes. It runs nothing.

/** What a build of the firmware costs and what is wrong with it. */
export interface BuildFacts {
  /**
   * Objects that exist before the firmware starts: XS's own and those of preloaded modules. They are in flash; what is missing here is
   * created in the XS heap at the start.
   */
  readonly instances: number;
  /** Modules whose body has run when the build is linked. */
  readonly preloads: number;
  /** Bytes in flash: slots, code, strings and tables. The SDK's and ESP-IDF's machine code comes on top. */
  readonly flashBytes: number;
  /**
   * Bytes that XS allocates at the start besides its heap: a pointer for each object or variable in flash that is still mutable, and
   * tables of names.
   */
  readonly ramBytes: number;
  /** Modules that are not preloaded although their body may run at link time. */
  readonly notPreloaded: readonly string[];
  /** Names of all modules, such as `firmware/core/update`, with the files that they are compiled from. */
  readonly modules: ReadonlyMap<string, string>;
  /** xsl's warnings about mutable objects and variables of preloaded modules: these still cost RAM. */
  readonly warnings: readonly string[];
}

/** Bytes of a txSlot, and of a pointer, on every chip. */
const SLOT_BYTES = 16;
const POINTER_BYTES = 4;
/** A txScript, and an entry of xsHostBuilder. */
const SCRIPT_BYTES = 36;
const BUILDER_BYTES = 12;
/** A key's pointer and its colour. */
const KEY_BYTES = 6;

/**
 * @param makefile the text that mcconfig wrote
 * @param linked what xsl printed
 * @param source the text of mc.xs.c
 * @throws Error if one of them is not in the format of SDK 8.2.3
 */
export function readFacts(makefile: string, linked: string, source: string): BuildFacts {
  const modules = readModules(makefile);
  const preloads = new Set(
    [...makefile.matchAll(/^\t-p (\S+)\.xsb\\?$/gm)].map(([, path]) => moduleName(path!)),
  );
  const main = /^CREATION = -c .*,([^,\n]+),\d+$/m.exec(makefile)?.[1];
  if (modules.size === 0 || preloads.size === 0 || !main)
    throw new Error("the makefile has no modules, no preloads or no main module");
  return {
    instances: Number(must(/^### (\d+) instances/m.exec(linked), "count of instances")[1]),
    preloads: preloads.size,
    flashBytes: flashBytes(source),
    ramBytes: ramBytes(makefile, source),
    // the main module's body starts the device, and a JSON file is only data
    notPreloaded: [...modules]
      .filter(([name, file]) => !preloads.has(name) && name !== main && !file.endsWith(".json"))
      .map(([name]) => name),
    modules,
    warnings: linked.match(/^### warning: .*: (?:not frozen|no const)$/gm) ?? [],
  };
}

/** Whether a warning of xsl concerns one of these modules: it begins with the module's name. */
export const warnsOf = (warning: string, names: Iterable<string>): boolean =>
  [...names].some((name) => warning.startsWith(`### warning: ${name}: `));

function readModules(makefile: string): Map<string, string> {
  const rules = makefile.matchAll(/^\$\(MODULES_DIR\)\/(\S+)\.xsb: (\S+)/gm);
  return new Map([...rules].map(([, path, file]) => [moduleName(path!), file!]));
}

/** mcconfig writes `embedded:io/digital` as the path `~.embedded/io/digital`. */
const moduleName = (path: string) => path.replace(/^~\.([^/]+)\//, "$1:");

function flashBytes(source: string): number {
  const count = (name: string) => Number(new RegExp(`^#define ${name} (\\d+)$`, "m").exec(source)?.[1] ?? 0);
  const slots = count("mxHeapCount") + count("mxStackCount");
  const words =
    count("mxRegExpCount") +
    count("mxBigIntCount") +
    count("mxSlotCount") +
    count("mxNamesCount") +
    count("mxSymbolsCount");
  const sum = (pattern: RegExp) => [...source.matchAll(pattern)].reduce((all, [, n]) => all + Number(n), 0);
  return (
    slots * SLOT_BYTES +
    words * POINTER_BYTES +
    count("mxKeysCount") * KEY_BYTES +
    count("mxScriptsCount") * SCRIPT_BYTES +
    sum(/^static const xsHostBuilder \w+\[(\d+)\] = /gm) * BUILDER_BYTES +
    sum(/^static const txU1 \w+\[(\d+)\] = /gm) +
    literalBytes(source)
  );
}

/** Code of functions and texts: equal ones are in flash once, each aligned to 4 bytes. */
function literalBytes(source: string): number {
  const lines = source.matchAll(/^(?!#).*$/gm);
  const literals = new Set(
    [...lines].flatMap(([line]) => [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text!)),
  );
  let bytes = 0;
  for (const text of literals) {
    const length = text.replace(/\\(?:x[0-9a-f]{2}|[0-7]{1,3}|.)/gi, "x").length + 1;
    bytes += Math.ceil(length / 4) * 4;
  }
  return bytes;
}

function ramBytes(makefile: string, source: string): number {
  const aliases = Number(must(/^#define mxAliasCount (\d+)$/m.exec(source), "mxAliasCount")[1]);
  const creation = must(/^CREATION = -c (\S+)$/m.exec(makefile), "creation")[1]!
    .split(",")
    .map(Number);
  const [, , , , , keys = 0, , names = 0, symbols = 0] = creation;
  return (aliases + keys + names + symbols) * POINTER_BYTES;
}

function must<T>(found: T | null, what: string): T {
  if (found === null) throw new Error(`${what} not found in the build's output`);
  return found;
}
