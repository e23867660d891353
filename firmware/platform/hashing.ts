// Hashes and MACs of short texts, and hashes of bytes in memory, which core cannot compute: through the SDK's `crypt`, and the key of a password
// through our own C function, because its thousands of rounds would take JavaScript minutes.

import { Digest } from "crypt";
import { toHex } from "../core/bytes.js";
import type { Effect } from "../core/effect.js";
import type { Native } from "./native.js";
import type { Dispatch } from "./runner.js";

const KEY_BYTES = 32;
/** Of SHA-256: a key of HMAC is filled up with zeros to this (RFC 2104). */
const BLOCK_BYTES = 64;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

export class Hashing {
  readonly #dispatch: Dispatch;
  readonly #native: Native;

  constructor(dispatch: Dispatch, native: Native) {
    this.#dispatch = dispatch;
    this.#native = native;
  }

  hashBytes(attempt: number, bytes: Uint8Array): void {
    const digest = new Digest("SHA256");
    digest.write(bytes);
    this.#dispatch({ type: "bytesHashed", attempt, bytes, digest: new Uint8Array(digest.close()) });
  }

  hashText(algorithm: "MD5" | "SHA256", text: string): void {
    const digest = new Digest(algorithm);
    digest.write(text);
    this.#done(digest.close());
  }

  deriveKey({ for: purpose, password, salt, rounds }: Extract<Effect, { readonly type: "deriveKey" }>): void {
    const key = new ArrayBuffer(KEY_BYTES);
    // only a lack of memory explains that there is none: never a predictable key
    const isMade = this.#native.skyslot_derive_key(password, salt, rounds, key) === 1;
    if (purpose === "owner") {
      this.#dispatch({ type: "keyDerived", key: isMade ? toHex(new Uint8Array(key)) : "" });
    } else if (isMade) {
      this.#done(key); // without it there is no event, and the challenge expires
    }
  }

  makeMac({ connection, key, text, hashed }: Extract<Effect, { readonly type: "makeMac" }>): void {
    const inner = new Digest("SHA256");
    inner.write(padded(key, INNER_PAD));
    inner.write(text);
    if (hashed !== undefined) inner.write(hexOf(hashed));
    const outer = new Digest("SHA256");
    outer.write(padded(key, OUTER_PAD));
    outer.write(inner.close());
    this.#dispatch({ type: "macMade", connection, mac: toHex(new Uint8Array(outer.close())) });
  }

  #done(digest: ArrayBuffer): void {
    this.#dispatch({ type: "textHashed", digest: toHex(new Uint8Array(digest)) });
  }
}

/** A key's block for one of the two hashes of HMAC. */
function padded(key: string, pad: number): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES).fill(pad);
  for (let i = 0; i < key.length; i++) block[i] = key.charCodeAt(i) ^ pad;
  return block;
}

function hexOf(text: string): string {
  const digest = new Digest("SHA256");
  digest.write(text);
  return toHex(new Uint8Array(digest.close()));
}
