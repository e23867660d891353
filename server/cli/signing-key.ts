// The key that a command signs with: from its file, which may have a passphrase, or held by a command of the user (`--signer`). The
// passphrase comes from SKYSLOT_KEY_PASSPHRASE, a pipe or the keyboard, never from the command line, which other users can read.

import type { Command } from "commander";
import type { JWK } from "jose";
import type { SigningKey } from "../../release/signer.js";

export const PASSPHRASE_VARIABLE = "SKYSLOT_KEY_PASSPHRASE";

export interface KeyFlags {
  readonly key: string;
  readonly signer?: string;
}

/** `--key` and `--signer`, for a command that signs with one key. */
export const withKeyOptions = (command: Command): Command =>
  command
    .requiredOption("--key <file>", "private release key, such as release.jwk; with --signer the public one")
    .option("--signer <command>", SIGNER_HELP);

export const SIGNER_HELP =
  "command that signs instead: gets a SHA-256 (32 bytes) on its input, or as a file for {digest}, and prints the ECDSA signature";

/** @throws KeyError, UsageError */
export async function readSigningKey({ key: file, signer }: KeyFlags): Promise<SigningKey> {
  if (signer === undefined) {
    const [key] = await readPrivateKeys([file]);
    return key as JWK;
  }
  const { readFile } = await import("node:fs/promises");
  const { readPublicKey } = await import("../../release/keys.js");
  const { commandSigner } = await import("./command-signer.js");
  return commandSigner(signer, readPublicKey(await readFile(file, "utf8"), file));
}

/** Those that are locked are opened one after the other: from a pipe, with a passphrase a line. @throws KeyError, UsageError */
export async function readPrivateKeys(files: readonly string[]): Promise<readonly JWK[]> {
  const { readFile } = await import("node:fs/promises");
  const { readPrivateKey } = await import("../../release/keys.js");
  const { isLockedKey, unlockKey } = await import("../../release/locked-key.js");
  const read = await Promise.all(files.map(async (file) => ({ file, text: await readFile(file, "utf8") })));
  const locked = read.filter(({ text }) => isLockedKey(text));
  const passphrases = await readPassphrases(locked.map(({ file }) => `passphrase of ${file}: `));
  const opened = new Map<string, JWK>();
  for (const [index, { file, text }] of locked.entries())
    opened.set(file, await unlockKey(text, passphrases[index] ?? "", file));
  return read.map(({ file, text }) => opened.get(file) ?? readPrivateKey(text, file));
}

/** One for each question; SKYSLOT_KEY_PASSPHRASE answers all of them. @throws UsageError if one is missing */
async function readPassphrases(questions: readonly string[]): Promise<readonly string[]> {
  const forAll = process.env[PASSPHRASE_VARIABLE];
  if (forAll) return questions.map(() => forAll);
  if (questions.length === 0) return [];
  const { readSecrets } = await import("./secret-input.js");
  return readSecrets(questions);
}

/** @throws UsageError if there is none */
export const readPassphrase = async (question: string): Promise<string> =>
  (await readPassphrases([question]))[0] ?? "";
