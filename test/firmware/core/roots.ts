// Trust roots as a device reads them. The keys are no points of the curve and the signatures are fake: core passes both on to be verified, and
// the tests supply the result. A signature's bytes are the number of the key that made it, so that a test can tell whose it is.

import type { KeyPoint, RootPayload } from "../../../firmware/core/wire.js";

const encode = (bytes: Uint8Array | string): string => Buffer.from(bytes as string).toString("base64url");

/** The key with this number, 1 to 255. */
export const point = (number: number): KeyPoint => ({
  x: encode(new Uint8Array(32).fill(number)),
  y: encode(new Uint8Array(32).fill(number ^ 0xff)),
});

/** Two of three keys sign roots (1, 2, 3), one of two signs releases (4, 5). */
export const ROOT: RootPayload = Object.freeze({
  version: 1,
  expires: 1_900_000_000,
  threshold: 2,
  keys: [1, 2, 3, 4, 5, 6].map(point),
  root: [0, 1, 2],
  release: [3, 4],
  freshness: [],
  releaseThreshold: 1,
  minSecurityVersion: 0,
});

/** With a key for statements of freshness (6). */
export const ASKING_ROOT: RootPayload = Object.freeze({ ...ROOT, freshness: [5] });

/** One signature: by the key with this number, which has this index in the new root or in the old one. */
export interface FakeSigner {
  readonly number: number;
  readonly key: number;
  readonly of?: "new" | "old";
  /** Of the protected header. */
  readonly header?: object;
}

export const sign = ({ number, key, of = "new", header = {} }: FakeSigner) => ({
  protected: encode(JSON.stringify({ alg: "ES256", typ: "skyslot-root", key, of, ...header })),
  signature: encode(new Uint8Array(64).fill(number)),
});

/** By keys 1 and 2, whose indices are 0 and 1. */
export const BY_TWO: readonly FakeSigner[] = Object.freeze([
  { number: 1, key: 0 },
  { number: 2, key: 1 },
]);

export const rootText = (payload: unknown = ROOT, signers: readonly FakeSigner[] = BY_TWO): string =>
  JSON.stringify({ payload: encode(JSON.stringify(payload)), signatures: signers.map(sign) });
