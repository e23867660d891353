// The images that the sweep's devices run and take, and their signed releases: the `base` app with the whole core and small pages,
// so that a cut at every byte of it is affordable. The key is made from the seed, so that a run can be repeated to the byte; it
// signs nothing but these.

import { createECDH, createHash } from "node:crypto";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { calculateJwkThumbprint } from "jose";
import type { ReleasePayload } from "../../firmware/core/wire.js";
import { describeRelease } from "../../release/describe.js";
import type { KeyPair } from "../../release/keys.js";
import { readRelease, signRelease } from "../../release/signing.js";
import { digestFile } from "../../release/verify.js";
import { DESK_SERVER } from "../desk/desk.js";
import { buildFirmwareImage } from "../hardware/image/firmware-image.js";
import { bundleModule } from "../image-build/bundle.js";
import { randomStream } from "../world/random.js";

/** Seconds since 1970 when a sweep's worlds begin. */
export const START_TIME = 1_795_000_000;

export interface SweepRelease {
  /** As the server numbers it. */
  readonly firmwareId: number;
  readonly version: string;
  readonly image: Uint8Array;
  /** Of its chunks, concatenated. */
  readonly digests: Uint8Array;
  /** The signed manifest. */
  readonly manifest: string;
  readonly payload: ReleasePayload;
  /** False: its firmware throws when it has run for some seconds, so it must never be validated. */
  readonly works: boolean;
}

export interface SweepImages {
  /** In the device's factory partition. */
  readonly factory: SweepRelease;
  readonly update: SweepRelease;
  readonly failing: SweepRelease;
  /** Newer than `update` and `failing`. */
  readonly later: SweepRelease;
}

const MAIN = fileURLToPath(new URL("../../firmware/apps/base/main.ts", import.meta.url));
const PAGE = "<!doctype html><html><body>The pages of the sweep's image are left out.</body></html>";
const THROWS_LATER =
  '\nimport LATER from "timer";LATER.set(()=>{throw new Error("this image does not work")},5000);';
/** Space for the rest of an image around the bundle. */
const FRAME_BYTES = 2048;

/** @param imageBytes minimum size of the images, bytes */
export async function buildSweepImages(seed: number, imageBytes = 0): Promise<SweepImages> {
  const keys = await keysOf(seed);
  const bundle = await bundleFirmware(keys);
  const release = async (firmwareId: number, version: string, works = true): Promise<SweepRelease> => {
    const own = padded(works ? bundle : bundle + THROWS_LATER, imageBytes, version);
    const image = buildFirmwareImage({ chip: "esp32", version, project: "base", bundle: own });
    const payload = describeRelease(image, { created: START_TIME - 1000 });
    const manifest = await signRelease(payload, keys.privateKey);
    const digests = await digestFile(readRelease(manifest).release, Readable.from([image]));
    return {
      firmwareId,
      version,
      image,
      digests: new Uint8Array(digests),
      manifest,
      payload,
      works,
    };
  };
  return {
    factory: await release(1, "1.0.0"),
    update: await release(2, "1.1.0"),
    failing: await release(3, "1.1.1", false),
    later: await release(4, "1.2.0"),
  };
}

async function bundleFirmware({ publicKey }: KeyPair): Promise<string> {
  const { kid, x, y } = publicKey;
  const config = {
    type: "base",
    hardware: "esp32",
    server: DESK_SERVER,
    keys: [{ kid, x, y }],
    checkSeconds: 120,
    trialSeconds: 30,
    trialDeadlineSeconds: 300,
  };
  return bundleModule(MAIN, {
    config,
    minify: "names",
    replace: (path) => {
      if (path.endsWith("/portal/setup-page.ts")) return `export const setupPage = ${JSON.stringify(PAGE)};`;
      if (path.endsWith("/portal/status-page.ts"))
        return `export const statusPage = ${JSON.stringify(PAGE)};`;
      return undefined;
    },
  });
}

/** The bundle with a comment that cannot be compressed behind it. */
function padded(bundle: string, imageBytes: number, version: string): string {
  const missing = imageBytes - FRAME_BYTES - Buffer.byteLength(bundle);
  if (missing <= 0) return bundle;
  const random = randomStream(version);
  const noise = Uint8Array.from({ length: Math.ceil(missing / 2) }, () => Math.floor(random() * 256));
  return `${bundle}\n//${Buffer.from(noise).toString("hex")}`;
}

async function keysOf(seed: number): Promise<KeyPair> {
  const d = createHash("sha256").update(`sweep/${seed}`).digest();
  const curve = createECDH("prime256v1");
  curve.setPrivateKey(d);
  const point = curve.getPublicKey();
  const common = { kty: "EC", crv: "P-256", alg: "ES256", use: "sig" };
  const publicKey = {
    ...common,
    x: point.subarray(1, 33).toString("base64url"),
    y: point.subarray(33).toString("base64url"),
  };
  const kid = await calculateJwkThumbprint(publicKey);
  return { privateKey: { ...publicKey, kid, d: d.toString("base64url") }, publicKey: { ...publicKey, kid } };
}
