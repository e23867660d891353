// Signed releases for the sweep's devices. The key is made from the seed, so that a run can be repeated to the byte; it signs nothing else.

import { createECDH, createHash, createPrivateKey, type JsonWebKey, sign } from "node:crypto";
import { Readable } from "node:stream";
import { calculateJwkThumbprint, type JWK } from "jose";
import {
  type FreshnessRequest,
  type ReleasePayload,
  STATEMENT_TYPE,
  type StatementPayload,
} from "../../firmware/core/wire.js";
import { describeRelease } from "../../release/describe.js";
import type { KeyPair } from "../../release/keys.js";
import { signRoot } from "../../release/root.js";
import { draftRoot, planOf } from "../../release/root-draft.js";
import { readRelease, signRelease } from "../../release/signing.js";
import { digestFile } from "../../release/verify.js";
import { randomStream } from "../world/random.js";

/** Seconds since 1970 when a sweep's worlds begin. */
export const START_TIME = 1_795_000_000;
/** When the releases were made. */
export const CREATED = START_TIME - 1000;

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

type Facts = Pick<SweepRelease, "firmwareId" | "version" | "image" | "works">;

export async function makeRelease(facts: Facts, { privateKey }: KeyPair): Promise<SweepRelease> {
  const payload = describeRelease(facts.image, { created: CREATED });
  const manifest = await signRelease(payload, privateKey);
  const digests = await digestFile(readRelease(manifest).release, Readable.from([facts.image]));
  return { ...facts, digests: new Uint8Array(digests), manifest, payload };
}

/** What builds are configured with, so that they trust the key. */
export function trustIn({ publicKey: { kid, x, y } }: KeyPair) {
  return { keys: [{ kid, x, y }] };
}

/** A statement of freshness, which lets everything be installed. */
export function signStatement(
  { nonce, device_type: type }: FreshnessRequest,
  time: number,
  key: JWK,
): string {
  const payload: StatementPayload = { nonce, type, time, expires: time + 600, newest: 0, withdrawn: [] };
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${encode({ alg: "ES256", typ: STATEMENT_TYPE, kid: key.kid })}.${encode(payload)}`;
  const privateKey = createPrivateKey({ key: key as JsonWebKey, format: "jwk" });
  const signature = sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}

/** Space for the rest of an image around the bundle. */
const FRAME_BYTES = 2048;

/** The bundle with a comment behind it that cannot be compressed, so that its image has this size at least. */
export function padded(bundle: string, imageBytes: number, seed: string): string {
  const missing = imageBytes - FRAME_BYTES - Buffer.byteLength(bundle);
  if (missing <= 0) return bundle;
  const random = randomStream(seed);
  const noise = Uint8Array.from({ length: Math.ceil(missing / 2) }, () => Math.floor(random() * 256));
  return `${bundle}\n//${Buffer.from(noise).toString("hex")}`;
}

/** Behind a bundle: firmware that starts, and crashes when it has run for five seconds. */
export const THROWS_LATER =
  '\nimport LATER from "timer";LATER.set(()=>{throw new Error("this image does not work")},5000);';

export async function keysOf(seed: number): Promise<KeyPair> {
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

/**
 * The trust root that the images have built in, and two that may follow it. All name the key that signs the releases; the last one says that it signs
 * statements of freshness, too, so that a device asks for them.
 */
export async function rootsOf({
  privateKey,
  publicKey,
}: KeyPair): Promise<readonly [first: string, next: string, asking: string]> {
  const { x = "", y = "" } = publicKey;
  const keys = [{ x, y }];
  const first = await draftRoot({
    version: 1,
    expires: START_TIME + 31_536_000,
    threshold: 1,
    releaseThreshold: 1,
    minSecurityVersion: 0,
    root: keys,
    release: keys,
    freshness: [],
    fastForward: [],
  });
  const { text, root } = await signRoot(first, privateKey);
  const after = async (freshness: typeof keys) =>
    signRoot(await draftRoot({ ...planOf(root), version: 2, freshness }, root), privateKey, root);
  return [text, (await after([])).text, (await after(keys)).text];
}
