// A private release key with a passphrase: a JWE (RFC 7516, compact) of the JWK, PBES2 (RFC 7518, 4.8). Never asks for the passphrase.

import { CompactEncrypt, compactDecrypt, decodeProtectedHeader, type JWK } from "jose";
import { KeyError } from "./error.js";
import { MAX_KEY_LENGTH, readPrivateKey } from "./keys.js";

const ALGORITHM = "PBES2-HS512+A256KW";
const ENCRYPTION = "A256GCM";
/** What a guess costs: half a second of one processor. */
const ROUNDS = 600_000;
/** A file that asks for more would only keep the computer busy. */
const MAX_ROUNDS = 10_000_000;
const MIN_PASSPHRASE_LENGTH = 8;

/** @throws KeyError for a passphrase that is too short */
export async function lockKey(key: JWK, passphrase: string, rounds = ROUNDS): Promise<string> {
  if (passphrase.length < MIN_PASSPHRASE_LENGTH)
    throw new KeyError(
      `a passphrase has at least ${MIN_PASSPHRASE_LENGTH} characters, this one ${passphrase.length}`,
    );
  return new CompactEncrypt(bytesOf(JSON.stringify(key)))
    .setProtectedHeader({
      alg: ALGORITHM,
      enc: ENCRYPTION,
      cty: "jwk+json",
      ...(key.kid ? { kid: key.kid } : {}),
    })
    .setKeyManagementParameters({ p2c: rounds })
    .encrypt(bytesOf(passphrase));
}

/** Whether a file's text is a key with a passphrase, of this form. */
export function isLockedKey(text: string): boolean {
  if (text.length > MAX_KEY_LENGTH || text.trim().split(".").length !== 5) return false;
  try {
    return decodeProtectedHeader(text.trim()).alg === ALGORITHM;
  } catch {
    return false;
  }
}

/** @param name of its file, for the message @throws KeyError */
export async function unlockKey(text: string, passphrase: string, name: string): Promise<JWK> {
  const opened = await compactDecrypt(text.trim(), bytesOf(passphrase), {
    keyManagementAlgorithms: [ALGORITHM],
    contentEncryptionAlgorithms: [ENCRYPTION],
    maxPBES2Count: MAX_ROUNDS,
  }).catch((cause: unknown) => {
    throw new KeyError(`${name} cannot be opened: the passphrase is another one, or the file is damaged`, {
      cause,
    });
  });
  return readPrivateKey(new TextDecoder().decode(opened.plaintext), name);
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
