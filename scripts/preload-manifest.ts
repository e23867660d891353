// `npm run preload`: writes firmware/preload.json, the manifest that names every module of the firmware to be preloaded: linked into the
// flash as it is after its body has run, instead of being built up in the XS heap at every start. mcconfig's star patterns in "preload"
// match JavaScript only, and a name that a build does not have is ignored, so one list of all names serves every build. The main
// modules of the apps are left out: their bodies start the device. With `--check` (in `npm run check`) it writes nothing and fails if
// the list is not up to date, or a module is in no manifest at all.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

interface Manifest {
  readonly creation?: { readonly main?: string };
  readonly modules?: Readonly<Record<string, string | readonly string[]>>;
}

/** One module of ours as mcconfig knows it. */
export interface FirmwareModule {
  /** The name by which other modules import it, such as `firmware/core/update`. */
  readonly name: string;
  /** Absolute path of its TypeScript file. */
  readonly file: string;
}

/** Modules that the manifests below a folder map to TypeScript files there, without the main modules of apps, by name. */
export function mappedModules(folder: string): FirmwareModule[] {
  const manifests = filesBelow(folder)
    .filter((path) => path.endsWith(".json"))
    .map((path) => join(folder, path));
  const mains = new Set<string>();
  const found: FirmwareModule[] = [];
  for (const path of manifests) {
    const { creation, modules = {} } = JSON.parse(readFileSync(path, "utf8")) as Manifest;
    if (creation?.main) mains.add(creation.main);
    for (const [name, sources] of Object.entries(modules))
      for (const source of [sources].flat()) found.push(...mapped(name, source, dirname(path)));
  }
  const byName = new Map(
    found.filter(({ name }) => !mains.has(name)).map((module) => [`${module.name} ${module.file}`, module]),
  );
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** TypeScript files below a folder that no manifest maps, but for declarations and the main modules of apps. */
export function unmappedFiles(folder: string): string[] {
  const mapped = new Set(mappedModules(folder).map(({ file }) => file));
  return filesBelow(folder)
    .filter((path) => isTypeScript(path) && !/^apps\/[^/]+\/main\.ts$/.test(path))
    .filter((path) => !mapped.has(join(folder, path)))
    .sort();
}

/** What one line of "modules" maps: `"firmware/core/*": "../core/*"`, or a single module. Paths of the SDK are skipped. */
function mapped(name: string, source: string, folder: string): FirmwareModule[] {
  if (!source.startsWith(".")) return [];
  if (!source.endsWith("/*")) {
    const file = `${resolve(folder, source)}.ts`;
    return existsSync(file) ? [{ name, file }] : [];
  }
  const from = resolve(folder, source.slice(0, -2));
  return readdirSync(from)
    .filter(isTypeScript)
    .map((path) => ({ name: `${name.slice(0, -1)}${path.slice(0, -3)}`, file: join(from, path) }));
}

const filesBelow = (folder: string) => readdirSync(folder, { recursive: true, encoding: "utf8" });

/** Declaration files have no code. */
const isTypeScript = (path: string) => path.endsWith(".ts") && !path.endsWith(".d.ts");

/** The text of the manifest for a folder, as biome formats it. */
export function preloadManifest(folder: string): string {
  const names = [...new Set(mappedModules(folder).map(({ name }) => name))];
  return `${JSON.stringify({ preload: names }, null, 2)}\n`;
}

function main(): void {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const folder = join(root, "firmware");
  const path = join(folder, "preload.json");
  const text = preloadManifest(folder);
  const problems = unmappedFiles(folder).map(
    (file) => `firmware/${file} is in no manifest's "modules", so that it is in no build`,
  );
  if (!process.argv.includes("--check")) writeFileSync(path, text);
  else if (!existsSync(path) || readFileSync(path, "utf8") !== text)
    problems.push(
      `${relative(root, path)} does not name the modules that the firmware has: run \`npm run preload\``,
    );
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
