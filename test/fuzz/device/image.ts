// The image under the fuzz: `base` with a probe (apps/probed.ts) and short pages, with a key that is made from a fixed seed, so that the same
// seed gives the same run. Holds no state.

import { createECDH, createHash, createPrivateKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { calculateJwkThumbprint } from "jose";
import { DESK_SERVER } from "../../../host-sim/desk/desk.js";
import { buildFirmwareImage } from "../../../host-sim/hardware/image/firmware-image.js";
import { bundleModule } from "../../../host-sim/image-build/bundle.js";

/** A change of the firmware's source: the text occurs once in the file. */
export interface Mutation {
  /** Relative to the project. */
  readonly file: string;
  readonly original: string;
  readonly mutated: string;
}

export interface FuzzKey {
  readonly kid: string;
  readonly x: string;
  readonly y: string;
  readonly privateKey: KeyObject;
  /** One that no device trusts. */
  readonly strangersKey: KeyObject;
}

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
/** Whose firmware is under the fuzz: `base`, or an app whose devices speak to each other. Each has the type of `base`. */
export type FuzzApp = "base" | "receiver" | "transmitter" | "mesh-node" | "mesh-gateway";
const mainOf = (app: FuzzApp): string =>
  `${ROOT}test/fuzz/device/apps/probed${app === "base" ? "" : `-${app}`}.ts`;
/** More than a connection's window, and more than ASCII. */
const PAGE = `<!doctype html><html><body>${"Bücher „lesen“ – 漢字 💡 ".repeat(180)}</body></html>`;

const VERSION = "1.1.0";
/** Of the images that are offered: newer. */
export const STRANGER_VERSION = "9.0.0";
export const TYPE = "base";
const CHECK_SECONDS = 10;

export async function fuzzKey(): Promise<FuzzKey> {
  const { x, y, privateKey } = keyOf("fuzz");
  const kid = await calculateJwkThumbprint({ kty: "EC", crv: "P-256", x, y });
  return { kid, x, y, privateKey, strangersKey: keyOf("stranger").privateKey };
}

function keyOf(seed: string) {
  const d = createHash("sha256").update(seed).digest();
  const curve = createECDH("prime256v1");
  curve.setPrivateKey(d);
  const point = curve.getPublicKey();
  const x = point.subarray(1, 33).toString("base64url");
  const y = point.subarray(33).toString("base64url");
  const jwk = { kty: "EC", crv: "P-256", x, y, d: d.toString("base64url") };
  return { x, y, privateKey: createPrivateKey({ key: jwk, format: "jwk" }) };
}

/** A small image that would start: no device may arm it. */
export const strangersImage = (): Uint8Array =>
  buildFirmwareImage({
    chip: "esp32",
    version: STRANGER_VERSION,
    project: TYPE,
    bundle: 'trace("a stranger\\n");',
  });

export interface ImageOptions {
  /** The firmware has this fault. */
  readonly mutation?: Mutation | undefined;
  /** With all of its pages, and without what a chip has no memory for. */
  readonly isForXs?: boolean;
  /** Default: `base`. */
  readonly app?: FuzzApp;
}

/** The image in the device's factory partition. */
export async function fuzzedImage(
  key: FuzzKey,
  { mutation, isForXs = false, app = "base" }: ImageOptions = {},
): Promise<Uint8Array> {
  const { kid, x, y } = key;
  const config = {
    type: TYPE,
    hardware: "esp32",
    server: DESK_SERVER,
    keys: [{ kid, x, y }],
    checkSeconds: CHECK_SECONDS,
    trialSeconds: 30,
    trialDeadlineSeconds: 300,
    measuresState: !isForXs,
  };
  const replace = (path: string): string | undefined => {
    if (!isForXs && path.endsWith("/portal/setup-page.ts"))
      return `export const setupPage = ${JSON.stringify(PAGE)};`;
    if (!isForXs && path.endsWith("/portal/status-page.ts"))
      return `export const statusPage = ${JSON.stringify(PAGE)};`;
    return mutation && path === ROOT + mutation.file ? mutated(mutation) : undefined;
  };
  const bundle = await bundleModule(mainOf(app), { config, minify: true, replace });
  return buildFirmwareImage({ chip: "esp32", version: VERSION, project: TYPE, bundle });
}

function mutated({ file, original, mutated }: Mutation): string {
  const source = readFileSync(ROOT + file, "utf8");
  if (source.split(original).length !== 2) throw new Error(`"${original}" does not occur once in ${file}`);
  return source.replace(original, mutated);
}
