// The key that a command signs with: from its file, which may have a passphrase. The passphrase comes from SKYSLOT_KEY_PASSPHRASE, a pipe or
// the keyboard, never from the command line, which other users can read.

import type { JWK } from "jose";

export const PASSPHRASE_VARIABLE = "SKYSLOT_KEY_PASSPHRASE";

/** @throws KeyError, UsageError */
export async function readSigningKey(file: string): Promise<JWK> {
  const { readFile } = await import("node:fs/promises");
  const { readPrivateKey } = await import("../../release/keys.js");
  const { isLockedKey, unlockKey } = await import("../../release/locked-key.js");
  const text = await readFile(file, "utf8");
  if (!isLockedKey(text)) return readPrivateKey(text, file);
  return unlockKey(text, await readPassphrase(`passphrase of ${file}: `), file);
}

/** @throws UsageError if there is none */
export async function readPassphrase(question: string): Promise<string> {
  const { readSecret } = await import("./secret-input.js");
  return process.env[PASSPHRASE_VARIABLE] || readSecret(question);
}
