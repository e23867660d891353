// `npm run firmware:check`: the JavaScript half of the firmware's build (mcconfig, tsc, xsc, xsl with its preloads) with the Moddable
// SDK at $MODDABLE, for every variant and chip, and what it shows about memory. ESP-IDF is not needed: nothing is compiled to machine code,
// so that the C files, sdkconfig and the linker are not tested. Without $MODDABLE it says that it was skipped, and succeeds. With
// `--record` the instance counts of this run become the minimum for later runs.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Build, BuildError, FirmwareBuilder, toolsFolder } from "./firmware-build.js";
import { type BuildFacts, readFacts, warnsOf } from "./firmware-facts.js";
import { checkSdkconfigs, encryptionNotice } from "./firmware-sdkconfig.js";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const CHIPS = ["esp32", "esp32/esp32c3", "esp32/esp32s3", "esp32/esp32c6"] as const;
/** Only the ESP32 has an Ethernet MAC. */
const ETHERNET_CHIPS = ["esp32"] as const;
/** What an Ethernet build must not contain: the SDK's Wi-Fi, and our modules for it. */
const WIFI = /network\/wifi\/|xs6wifi|skyslot-portal/;
/** Concurrent builds. */
const BUILDS_AT_ONCE = 2;
/** How many instances each build had when they were recorded. */
const RECORD = join(ROOT, "scripts/firmware-instances.json");

const problems = checkSdkconfigs(ROOT);
console.log(encryptionNotice(ROOT));
const sdk = process.env.MODDABLE;
if (sdk) problems.push(...(await checkBuilds(sdk)));
else console.log("firmware:check: mcconfig, tsc, xsc and xsl SKIPPED, because MODDABLE is not set");
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

async function checkBuilds(moddable: string): Promise<string[]> {
  const tools = toolsFolder(moddable);
  if (!existsSync(join(tools, "mcconfig")))
    return [`MODDABLE is ${moddable}, but its host tools are not built: no ${join(tools, "mcconfig")}`];
  const refusal = spawnSync("sh", [join(ROOT, "firmware/platform/sdk-release.sh")], { encoding: "utf8" });
  if (refusal.status !== 0 || refusal.stdout !== "") return [`${refusal.stdout}${refusal.stderr}`.trim()];

  const work = mkdtempSync(join(tmpdir(), "skyslot-firmware-"));
  try {
    const builder = new FirmwareBuilder(ROOT, moddable, work);
    const recorded = JSON.parse(readFileSync(RECORD, "utf8")) as Record<string, number>;
    const counted: Record<string, number> = {};
    const bound = new Set<string>();
    const found: string[] = [];
    console.log("                     instances  preloads  JavaScript in flash  RAM besides the XS heap");
    const queue = builds();
    const takeNext = async () => {
      for (let next = queue.shift(); next; next = queue.shift())
        found.push(...(await checkBuild(builder, next, moddable, counted, bound)));
    };
    await Promise.all(Array.from({ length: BUILDS_AT_ONCE }, takeNext));
    if (found.length === 0) found.push(...checkBinding(bound));
    if (found.length === 0 && process.argv.includes("--record"))
      writeFileSync(RECORD, `${JSON.stringify(counted, Object.keys(counted).sort(), 2)}\n`);
    else
      for (const [name, count] of Object.entries(counted))
        if (count < (recorded[name] ?? 0))
          found.push(
            `${name}: ${count} instances, ${recorded[name]} when it was recorded: the rest is built up in the XS heap at the start. ` +
              "Where code became less: npm run firmware:check -- --record",
          );
    return found;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** What mcconfig would silently override: the manifests that a manifest includes are read after it. */
function checkManifest({ manifest }: Build): string[] {
  const set = readFileSync(manifest, "utf8").match(/"(?:SDKCONFIGPATH|PARTITIONS_FILE)[^"]*"/g) ?? [];
  return set.map(
    (name) => `${manifest}: ${name} is overridden by an included manifest: set it in manifest-app.json`,
  );
}

/** Every app's manifest for every chip, and the Ethernet builds. */
function builds(): Build[] {
  const apps = join(ROOT, "firmware/apps");
  return readdirSync(apps)
    .sort()
    .flatMap((app) => [
      ...CHIPS.map((platform) => ({ manifest: join(apps, app, "manifest.json"), platform })),
      ...ETHERNET_CHIPS.map((platform) => ({
        manifest: join(apps, app, "manifest-ethernet.json"),
        platform,
      })),
    ])
    .filter(({ manifest }) => existsSync(manifest));
}

/** Builds, prints a line, and returns what is wrong. */
async function checkBuild(
  builder: FirmwareBuilder,
  build: Build,
  moddable: string,
  counted: Record<string, number>,
  bound: Set<string>,
): Promise<string[]> {
  const isWired = build.manifest.endsWith("-ethernet.json");
  const variant = `${basename(dirname(build.manifest))}${isWired ? "-ethernet" : ""}`;
  const name = `${variant} for ${build.platform.split("/").at(-1)}`;
  try {
    const { makefile, output, source, ffi } = await builder.build(build);
    for (const [, method] of ffi.matchAll(/^\t\t(\w+)\(/gm)) bound.add(method!);
    const facts = readFacts(makefile, output, source);
    counted[name] = facts.instances;
    const sdkModules = [...facts.modules].filter(([, file]) => file.startsWith(moddable)).map(([own]) => own);
    const warnings = facts.warnings.filter((warning) => !warnsOf(warning, sdkModules));
    console.log(line(name, facts));
    const hasWifi = WIFI.test(makefile);
    return [
      ...(hasWifi === isWired ? [`${name}: has ${hasWifi ? "Wi-Fi" : "no Wi-Fi"} in it`] : []),
      ...checkManifest(build),
      ...facts.notPreloaded.map((module) => `${name}: ${module} is not preloaded`),
      ...warnings.map((warning) => `${name}: ${warning.replace("### warning: ", "")}`),
    ];
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    return [`${name}: ${error.message}`];
  }
}

function line(name: string, { instances, preloads, flashBytes, ramBytes }: BuildFacts): string {
  const number = (value: number, width: number) =>
    value.toLocaleString("en").replace(/,/g, " ").padStart(width);
  return `${name.padEnd(21)}${number(instances, 9)}${number(preloads, 10)}${number(flashBytes, 21)}${number(ramBytes, 25)}`;
}

/** Our typings must declare exactly the C functions that the manifests bind: the simulator and `npm run types` use only the typings. */
function checkBinding(bound: ReadonlySet<string>): string[] {
  const typings = readFileSync(join(ROOT, "firmware/platform/typings/mc.d.ts"), "utf8");
  const ffi = typings.slice(typings.indexOf("class FFI"));
  const declared = new Set([...ffi.matchAll(/^ {4}(\w+)\(/gm)].map(([, method]) => method!));
  const functions = [...bound].filter((method) => method !== "constructor");
  return [
    ...functions
      .filter((method) => !declared.has(method))
      .map(
        (method) => `${method} is bound by a manifest and not declared in firmware/platform/typings/mc.d.ts`,
      ),
    ...[...declared]
      .filter((method) => !bound.has(method))
      .map((method) => `${method} is declared in firmware/platform/typings/mc.d.ts and bound by no manifest`),
  ];
}
