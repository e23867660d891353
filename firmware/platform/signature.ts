// ECDSA P-256 verification: SHA-256 by `crypt`, the curve by mbedTLS in a C file of ours. Knows no key: core says which.

import { Digest } from "crypt";
import { base64UrlDecode } from "../core/bytes.js";
import type { Effect } from "../core/effect.js";
import type { KeyPoint } from "../core/wire.js";
import type { Native } from "./native.js";
import type { Dispatch } from "./runner.js";

/** Characters hashed at once: a manifest may be long, and all of it as bytes would be a second copy. */
const HASH_PIECE_CHARACTERS = 256;

type Question = Extract<Effect, { readonly type: "verifySignature" }>;

export class Verifier {
  readonly #dispatch: Dispatch;
  readonly #native: Native;

  constructor(dispatch: Dispatch, native: Native) {
    this.#dispatch = dispatch;
    this.#native = native;
  }

  verify({ attempt, key, head, manifest, signedStart = 0, signedLength, signature }: Question): void {
    const publicKey = publicKeyOf(key);
    const digest = new Digest("SHA256");
    if (head !== undefined) digest.write(head);
    const end = signedStart + signedLength;
    for (let from = signedStart; from < end; from += HASH_PIECE_CHARACTERS)
      digest.write(manifest.slice(from, Math.min(from + HASH_PIECE_CHARACTERS, end)));
    const rs = signature.slice().buffer as ArrayBuffer;
    const good =
      publicKey !== undefined && this.#native.skyslot_verify_p256(publicKey, digest.close(), rs) === 1;
    this.#dispatch({ type: "signatureVerified", attempt, good });
  }
}

/** Uncompressed point, 0x04 ‖ x ‖ y (SEC 1, 2.3.3). */
function publicKeyOf(key: KeyPoint): ArrayBuffer | undefined {
  const x = base64UrlDecode(key.x);
  const y = base64UrlDecode(key.y);
  if (x?.length !== 32 || y?.length !== 32) return undefined;
  const point = new Uint8Array(65);
  point[0] = 4;
  point.set(x, 1);
  point.set(y, 33);
  return point.buffer;
}
