// Hashes of short texts and of bytes in memory, which core cannot compute: through the SDK's `crypt`, and the key of a password through
// our own C function, because its thousands of rounds would take JavaScript minutes.

import { Digest } from "crypt";
import { toHex } from "../core/bytes.js";
import type { Native } from "./native.js";
import type { Dispatch } from "./runner.js";

const KEY_BYTES = 32;

export function createHashing(dispatch: Dispatch, native: Native) {
  const done = (digest: ArrayBuffer) =>
    dispatch({ type: "textHashed", digest: toHex(new Uint8Array(digest)) });

  return {
    hashBytes(attempt: number, bytes: Uint8Array) {
      const digest = new Digest("SHA256");
      digest.write(bytes);
      dispatch({ type: "bytesHashed", attempt, bytes, digest: new Uint8Array(digest.close()) });
    },
    hashText(algorithm: "MD5" | "SHA256", text: string) {
      const digest = new Digest(algorithm);
      digest.write(text);
      done(digest.close());
    },
    deriveKey(password: string, salt: string, rounds: number) {
      const key = new ArrayBuffer(KEY_BYTES);
      // without a key, which only a lack of memory explains, nothing is said, and the question lapses: never a key that is known
      if (native.skyslot_derive_key(password, salt, rounds, key) === 1) done(key);
    },
  };
}
