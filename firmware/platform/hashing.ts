// Hashes of short texts and of bytes in memory, which core cannot compute: through the SDK's `crypt`, and the key of a password through
// our own C function, because its thousands of rounds would take JavaScript minutes.

import { Digest } from "crypt";
import { toHex } from "../core/bytes.js";
import type { Native } from "./native.js";
import type { Dispatch } from "./runner.js";

const KEY_BYTES = 32;

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

  deriveKey(password: string, salt: string, rounds: number): void {
    const key = new ArrayBuffer(KEY_BYTES);
    // without a key, which only a lack of memory explains, there is no event, and the challenge expires: never a predictable key
    if (this.#native.skyslot_derive_key(password, salt, rounds, key) === 1) this.#done(key);
  }

  #done(digest: ArrayBuffer): void {
    this.#dispatch({ type: "textHashed", digest: toHex(new Uint8Array(digest)) });
  }
}
