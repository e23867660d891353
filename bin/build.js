// Bundles the command with what it imports into build/command: one command starts after each change of the sources and builds, those
// that follow only look whether the sources are still the same. Plain JavaScript, because it runs before anything can load TypeScript.
// Several may build at a time, and a server may still import parts of an older build: files are named by their contents, appear whole,
// and are deleted a week after they have been replaced.

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const ENTRY = "server/cli/main.ts";
const OUT = join(ROOT, "build", "command");
const LIST = join(OUT, "inputs.json");
const KEPT_MS = 7 * 24 * 3600 * 1000;

/** Packages that have native parts, files of their own or threads, and those that only some commands load whole. */
const EXTERNAL = [
  "@fastify/swagger-ui",
  "acorn",
  "better-sqlite3",
  "esbuild",
  "pg-native",
  "pino",
  "pino-pretty",
  "tsx",
];
/** What stands for all packages: npm writes the second whenever it installs. */
const PACKAGES = ["package.json", "package-lock.json", "node_modules/.package-lock.json", "bin/build.js"];

/**
 * @typedef {object} Inputs
 * @property {string} entry name of the module to start
 * @property {Record<string, string>} stamps size and time of each source
 */

/**
 * URL of the module to start, or `undefined` if there is none that was made of the present sources.
 * @returns {string | undefined}
 */
export function builtCommand() {
  try {
    /** @type {Inputs} */
    const { entry, stamps } = JSON.parse(readFileSync(LIST, "utf8"));
    for (const path in stamps) if (stampOf(path) !== stamps[path]) return undefined;
    return pathToFileURL(join(OUT, entry)).href;
  } catch {
    return undefined;
  }
}

/**
 * Builds the command. @returns as builtCommand; `undefined` where this user may not write
 * @returns {Promise<string | undefined>}
 */
export async function buildCommand() {
  try {
    mkdirSync(OUT, { recursive: true });
  } catch {
    return undefined;
  }
  const { build } = await import("esbuild");
  const before = Date.now();
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [ENTRY],
    outdir: OUT,
    entryNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: EXTERNAL,
    // packages in CommonJS call it for Node's own modules
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
    plugins: [{ name: "places", setup: keepPlaces }],
    logLevel: "silent",
  });
  /** @type {Record<string, string>} */
  const stamps = {};
  for (const path of [...PACKAGES, ...Object.keys(metafile.inputs).filter(isOwn)]) {
    const stamp = stampOf(path);
    // changed while it was read: the next start builds again
    stamps[path] = Number(stamp.split(" ")[1]) >= before ? "changed" : stamp;
  }
  try {
    for (const { path, contents } of outputFiles) writeWhole(path, contents);
    const entry = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === ENTRY);
    if (!entry) throw new Error("the bundle has no module to start");
    writeWhole(LIST, JSON.stringify({ entry: basename(entry[0]), stamps }));
    removeReplaced(new Set(outputFiles.map(({ path }) => basename(path))));
    return pathToFileURL(join(ROOT, entry[0])).href;
  } catch (error) {
    if (isWriteFailure(error)) return undefined;
    throw error;
  }
}

/** A module's own URL stays that of its source: files beside it are found by that.
 * @param {import("esbuild").PluginBuild} bundler */
function keepPlaces(bundler) {
  bundler.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, ({ path }) => {
    const text = readFileSync(path, "utf8");
    if (!text.includes("import.meta.url")) return undefined;
    const place = relative(OUT, path).split(sep).join("/");
    const contents = text.replaceAll(
      "import.meta.url",
      `new URL(${JSON.stringify(place)}, import.meta.url).href`,
    );
    return { contents, loader: /** @type {"ts" | "tsx" | "js"} */ (/tsx?$/.exec(path)?.[0] ?? "js") };
  });
}

/** @param {string} path of an input, from the root */
const isOwn = (path) => !path.startsWith("..") && !path.includes("node_modules/") && !path.includes(":");

/** @param {string} path from the root */
function stampOf(path) {
  const { size, mtimeMs } = statSync(join(ROOT, path), { throwIfNoEntry: false }) ?? { size: -1, mtimeMs: 0 };
  return `${size} ${mtimeMs}`;
}

/** @param {string} path @param {string | Uint8Array} contents */
function writeWhole(path, contents) {
  const part = `${path}.${process.pid}`;
  writeFileSync(part, contents);
  renameSync(part, path);
}

/** @param {ReadonlySet<string>} present */
function removeReplaced(present) {
  for (const name of readdirSync(OUT)) {
    if (present.has(name) || name === basename(LIST)) continue;
    const path = join(OUT, name);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (age > KEPT_MS) rmSync(path, { force: true });
  }
}

/** @param {unknown} error */
const isWriteFailure = (error) =>
  ["EACCES", "EPERM", "EROFS", "ENOSPC"].includes(/** @type {NodeJS.ErrnoException} */ (error).code ?? "");
