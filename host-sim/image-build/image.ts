// Builds a firmware image for virtual devices: an app of firmware/apps bundled by esbuild into one module, inside a real ESP32 app
// image. The SDK's modules stay outside, as on the chip; the build's settings become the module `mc/config`.

import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseVersion, versionName, versionNumber } from "../../firmware/core/update/version.js";
import type { Chip } from "../hardware/chips.js";
import { buildFirmwareImage } from "../hardware/image/firmware-image.js";
import type { ImageNvs, ImagePair } from "../hardware/image/own-description.js";
import { bundleModule } from "./bundle.js";

/** A public key that releases are signed with: the public part of a P-256 JWK. */
export interface TrustedKey {
  readonly kid: string;
  /** base64url, 32 bytes each. */
  readonly x: string;
  readonly y: string;
}

/** What a build is configured with; everything else is the same in every build. See firmware/apps/NAME/manifest.json, "config". */
export interface BuildConfig {
  readonly type: string;
  readonly hardware: string;
  readonly server: string;
  readonly keys: readonly TrustedKey[];
  readonly checkSeconds: number;
  readonly trialSeconds: number;
  readonly trialDeadlineSeconds: number;
  /** Absent: push is off. */
  readonly pushToken?: string;
  /** Lets the device register where devices are enrolled. */
  readonly enrolmentToken?: string;
  /** An app's own fields, as in its manifest. */
  readonly [field: string]: unknown;
}

export interface BuildOptions {
  /** Folder under firmware/apps, or the path of a module file. */
  readonly app: string;
  /** Semantic version, with `+build` if there is a build number. */
  readonly version: string;
  readonly chip?: Chip;
  readonly config: Partial<BuildConfig> & Pick<BuildConfig, "server" | "keys">;
  /** As in the app description, such as `Nov 21 2026` and `12:00:00`; absent: empty, so that a build can be repeated. */
  readonly date?: string;
  readonly time?: string;
  /**
   * How it stores its settings; null: plain, and it does not state it. Default: as mcconfig builds it for the chip, which is encrypted on those with
   * an HMAC peripheral.
   */
  readonly nvs?: ImageNvs | null;
}

/** The chips of firmware/platform/sdkconfig/nvs-encrypted.json. */
const ENCRYPTING: readonly Chip[] = Object.freeze(["esp32c3", "esp32c6", "esp32s3"]);

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The whole image. @throws Error if the version is invalid, the app does not exist or esbuild fails */
export async function buildImage(options: BuildOptions): Promise<Uint8Array> {
  const version = parseVersion(options.version);
  if (!version)
    throw new Error(
      `"${options.version}" is not a version: write it as 1.2.3 or 1.2.3+45 with a build number`,
    );
  const isFile = /\.[jt]s$/.test(options.app);
  const entry = isFile ? options.app : `${ROOT}firmware/apps/${options.app}/main.ts`;
  if (!existsSync(entry)) {
    const apps = readdirSync(`${ROOT}firmware/apps`).join(", ");
    throw new Error(
      isFile ? `there is no file ${entry}` : `there is no app "${options.app}": firmware/apps has ${apps}`,
    );
  }
  const { chip = "esp32" } = options;
  const config: BuildConfig = {
    ...(isFile ? {} : await appConfig(options.app, chip)),
    type: isFile ? "program" : options.app,
    hardware: chip,
    checkSeconds: 120,
    trialSeconds: 30,
    trialDeadlineSeconds: 300,
    ...options.config,
  };
  const functions = isFile ? undefined : await boundFunctions(options.app);
  return buildFirmwareImage({
    chip,
    version: versionName(version),
    build: version.build,
    project: config.type,
    bundle: await bundleModule(isFile ? options.app : `${ROOT}firmware/apps/${options.app}/main.ts`, {
      ...(functions ? { functions } : {}),
      config,
      minify: true,
    }),
    date: options.date ?? "",
    time: options.time ?? "",
    nvs: options.nvs === undefined ? nvsOfBuilds(chip) : options.nvs,
    pair: pairOf(config),
  });
}

/** How builds of mcconfig store settings. */
export const nvsOfBuilds = (chip: Chip): ImageNvs => (ENCRYPTING.includes(chip) ? "encrypted" : "plain");

/** What an image states of its pair is what its firmware is configured with. A build for a chip has it from its manifest's "defines". */
function pairOf({ protocolVersion, minCompatible }: BuildConfig): ImagePair {
  const least = typeof minCompatible === "string" ? parseVersion(minCompatible) : undefined;
  return {
    protocol: typeof protocolVersion === "number" ? protocolVersion : 0,
    minCompatible: least ? versionNumber(least) : 0,
  };
}

/** What an app has in its manifest besides what every build is configured with: the same file that mcconfig reads. */
async function appConfig(app: string, chip: Chip): Promise<object> {
  const path = `${ROOT}firmware/apps/${app}/manifest-app.json`;
  if (!existsSync(path)) return {};
  const { config, platforms } = JSON.parse(await readFile(path, "utf8")) as AppManifest;
  const all = { ...config, ...platforms?.[`esp32/${chip}`]?.config };
  const common = [
    "type",
    "hardware",
    "server",
    "keys",
    "checkSeconds",
    "trialSeconds",
    "trialDeadlineSeconds",
  ];
  return Object.fromEntries(Object.entries(all).filter(([name]) => !common.includes(name)));
}

/** The C functions that an app's manifest and what it includes bind. @returns undefined if the app has no manifest */
async function boundFunctions(app: string): Promise<readonly string[] | undefined> {
  const path = `${ROOT}firmware/apps/${app}/manifest.json`;
  return existsSync(path) ? [...new Set(await functionsOf(path))] : undefined;
}

/** The SDK's own manifests, which are included by a variable's name, bind nothing. */
async function functionsOf(path: string): Promise<readonly string[]> {
  const { include = [], ffi } = JSON.parse(await readFile(path, "utf8")) as Manifest;
  const included = [include].flat().filter((each) => each.startsWith("."));
  const inner = await Promise.all(included.map((each) => functionsOf(join(dirname(path), each))));
  return [...Object.keys(ffi?.functions ?? {}), ...inner.flat()];
}

interface Manifest {
  readonly include?: string | readonly string[];
  readonly ffi?: { readonly functions?: object };
}

interface AppManifest {
  readonly config?: object;
  readonly platforms?: Readonly<Record<string, { readonly config?: object }>>;
}

/** A public key file as `skyslot keys init` writes it. */
export async function readTrustedKey(file: string): Promise<TrustedKey> {
  const text = await readFile(file, "utf8");
  const { kid, x, y } = readFields(text);
  if (!kid || !x || !y) throw new Error(`${file} is not a public P-256 key in JWK form with kid, x and y`);
  return { kid, x, y };
}

function readFields(text: string): Partial<TrustedKey> {
  try {
    return (JSON.parse(text) as Partial<TrustedKey> | null) ?? {};
  } catch {
    return {};
  }
}
