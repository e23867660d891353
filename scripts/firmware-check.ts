// `npm run firmware:check`: the JavaScript half of the firmware's build (mcconfig, tsc, xsc, xsl with its preloads) with the Moddable
// SDK at $MODDABLE, for every variant and chip, in seconds. ESP-IDF is not needed: nothing is compiled to machine code, so that
// the C files, sdkconfig and the linker are not tried. Without $MODDABLE it says that it was skipped, and ends well.

import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const CHIPS = ["esp32", "esp32/esp32c3", "esp32/esp32s3"] as const;
/** An Ethernet MAC of its own is in the ESP32 only. */
const ETHERNET_CHIPS = ["esp32"] as const;
/** Version of ESP-IDF that the SDK asks for. */
const IDF_VERSION = "v6.0";
/** What xsl warns of when something in a preloaded module will cost RAM. */
const NOT_FROZEN = /^### warning: .*not frozen$/gm;

interface Build {
  readonly manifest: string;
  readonly platform: string;
}

const PLATFORM = join(ROOT, "firmware/platform");
const SDKCONFIGS = ["nvs-encrypted", "nvs-plain"].flatMap((nvs) => [nvs, `${nvs}/8mb`, `${nvs}/16mb`]);
/** What a build for a cable must not have: the SDK's Wi-Fi, and what of ours belongs to it. */
const WIFI = /network\/wifi\/|xs6wifi|skyslot-portal/;

const problems = [...checkSdkconfigs()];
tellOfEncryption();
const sdk = process.env.MODDABLE;
if (sdk) problems.push(...checkBuilds(sdk));
else
  console.log(
    "firmware:check: mcconfig, tsc, xsc and xsl SKIPPED, because MODDABLE is not set (Moddable SDK 8.2.3)",
  );
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

/** The sdkconfigs may differ in the size of the flash and the encryption of settings only, and carry the version of package.json. */
function checkSdkconfigs(): string[] {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  const found: string[] = [];
  const first = new Map<string, string>();
  for (const path of SDKCONFIGS) {
    const lines = readFileSync(join(PLATFORM, "sdkconfig", path, "sdkconfig.defaults"), "utf8")
      .split("\n")
      .filter((line) => line.startsWith("CONFIG_") && !line.startsWith("CONFIG_ESPTOOLPY_FLASHSIZE"));
    const isOfNvs = (line: string) => line.startsWith("CONFIG_NVS_");
    const parts = {
      all: lines.filter((line) => !isOfNvs(line)),
      [path.split("/")[0] ?? ""]: lines.filter(isOfNvs),
    };
    for (const [name, settings] of Object.entries(parts)) {
      const text = settings.join("\n");
      if (text !== (first.get(name) ?? text))
        found.push(`sdkconfig/${path} differs from the others in more than size and encryption`);
      first.set(name, text);
    }
    if (!lines.includes(`CONFIG_APP_PROJECT_VER="${version}"`))
      found.push(`sdkconfig/${path}: CONFIG_APP_PROJECT_VER is not ${version}, the version in package.json`);
  }
  return found;
}

/** What cannot be undone is said before anything is flashed. */
function tellOfEncryption(): void {
  const { include } = JSON.parse(readFileSync(join(PLATFORM, "manifest.json"), "utf8")) as {
    include: string[];
  };
  console.log(
    include.includes("./sdkconfig/nvs-encrypted.json")
      ? "settings: ENCRYPTED on esp32c3 and esp32s3. The first start burns a key into eFuse block KEY5 of the chip, FOR EVER.\n" +
          "  To leave that out: ./sdkconfig/nvs-plain.json in the include of firmware/platform/manifest.json. The esp32 needs flash\n" +
          "  encryption for it, and has its settings in plain text without"
      : "settings: in plain text; no eFuse is burnt. Who holds a device can read its Wi-Fi password",
  );
}

function checkBuilds(moddable: string): string[] {
  const tools = join(moddable, "build/bin/lin/release");
  if (!existsSync(join(tools, "mcconfig")))
    return [`MODDABLE is ${moddable}, but its host tools are not built: no ${join(tools, "mcconfig")}`];
  const work = mkdtempSync(join(tmpdir(), "skyslot-firmware-"));
  try {
    return builds().flatMap((build, index) => runBuild(build, moddable, tools, join(work, `${index}`)));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Every app's manifest for every chip, and the builds for a cable. */
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

function runBuild(build: Build, moddable: string, tools: string, out: string): string[] {
  const name = `${build.manifest.slice(ROOT.length + 1)} for ${build.platform}`;
  // an empty sdkconfig.h stands for ESP-IDF's, and make is told not to remake it
  const idf = join(out, "idf");
  mkdirSync(idf, { recursive: true });
  const header = join(idf, "sdkconfig.h");
  writeFileSync(header, "");
  const path = [tools, join(ROOT, "node_modules/.bin"), process.env.PATH].join(delimiter);
  const env = { ...process.env, MODDABLE: moddable, IDF_PATH: idf, PATH: path };

  const configured = run("mcconfig", ["-p", build.platform, "-o", out, build.manifest], env);
  if (configured.status !== 0) return [`${name}: mcconfig failed\n${configured.output}`];
  const makefile = readdirSync(join(out, "tmp"), { recursive: true, encoding: "utf8" }).find((file) =>
    /(^|\/)release\/[^/]+\/makefile$/.test(file),
  );
  if (!makefile) return [`${name}: mcconfig wrote no makefile`];

  const makefilePath = join(out, "tmp", makefile);
  const hasWifi = WIFI.test(readFileSync(makefilePath, "utf8"));
  const isWired = build.manifest.endsWith("-ethernet.json");
  if (hasWifi === isWired) return [`${name}: ${hasWifi ? "has Wi-Fi in it" : "has no Wi-Fi in it"}`];
  const targets = ["mc.xs.c", "mc.resources.c"].map((file) => join(dirname(makefilePath), file));
  const made = run(
    "make",
    ["-f", makefilePath, `IDF_VERSION=${IDF_VERSION}`, `SDKCONFIG_H=${header}`, "-o", header, ...targets],
    env,
  );
  if (made.status !== 0) return [`${name}: failed\n${made.output}`];
  const unfrozen = made.output.match(NOT_FROZEN) ?? [];
  const size = /^### (\d+ instances.*)$/m.exec(made.output)?.[1] ?? "";
  console.log(`${name}: good (${size})${unfrozen.map((line) => `\n  ${line}`).join("")}`);
  return [];
}

function run(command: string, parameters: string[], env: NodeJS.ProcessEnv) {
  const { status, stdout, stderr, error } = spawnSync(command, parameters, {
    env,
    encoding: "utf8",
    cwd: ROOT,
  });
  return { status, output: `${stdout ?? ""}${stderr ?? ""}${error ? `${error.message}\n` : ""}` };
}
