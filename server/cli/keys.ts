// `skyslot keys`: the keys that sign, and the trust roots that name them (root-keys.ts). A private key never leaves the machine that signs, and
// may have a passphrase.

import type { Command } from "commander";
import type { JWK } from "jose";
import { keysTlsCommand } from "./keys-tls.js";
import { show } from "./output.js";
import {
  addRootCommands,
  type FirstFlags,
  initRoot,
  withFirstRootOptions,
  withRootOptions,
} from "./root-keys.js";
import { addServerRootCommands } from "./root-server.js";

export function keysCommand(program: Command): void {
  const keys = program
    .command("keys")
    .description(
      "create the keys that sign, trust roots that say whose signatures count, and certificates for a server at home",
    );
  withRootOptions(withFirstRootOptions(keys.command("init")))
    .description(
      "create an ES256 key pair: FILE (private, keep it safe) and FILE with .pub.jwk (for images and servers)",
    )
    .option("--out <file>", "file for the private key (default: release.jwk)")
    .option(
      "--passphrase",
      "lock the private key with a passphrase: SKYSLOT_KEY_PASSPHRASE, a pipe or the keyboard",
    )
    .option("--json", "print one JSON object")
    .action((flags: InitFlags & FirstFlags & { readonly root?: boolean }) =>
      flags.root
        ? initRoot(flags)
        : show(
            flags,
            initKeys(flags),
            (key) =>
              `${key.private_key} (private${key.is_locked ? ", locked with the passphrase" : ""}) and ${key.public_key} (public), key ${key.kid}`,
          ),
    );
  keys
    .command("import <file>")
    .description(
      "write the public key of a token, an HSM or a key service (PEM or DER, as they export it) as FILE with .pub.jwk",
    )
    .option("--out <file>", "file for the public key")
    .option("--json", "print one JSON object")
    .action((file: string, flags: { readonly out?: string; readonly json?: boolean }) =>
      show(flags, importKey(file, flags.out), (key) => `${key.public_key} (public), key ${key.kid}`),
    );
  keys
    .command("freshness")
    .description(
      "create the key with which a server states to devices what is new: FOLDER/freshness.jwk (private), and freshness.pub.jwk for the trust root",
    )
    .option("--data <folder>", "data folder of the server", "data")
    .option("--json", "print one JSON object")
    .action((flags: { readonly data: string; readonly json?: boolean }) =>
      show(
        flags,
        initFreshness(flags.data),
        (key) =>
          `${key.private_key} (private; restart the server) and ${key.public_key} (public), key ${key.kid}\nname it in the next trust root: skyslot keys rotate ROOT --add freshness=${key.public_key}`,
      ),
    );
  addRootCommands(keys);
  addServerRootCommands(keys);
  keysTlsCommand(keys);
}

interface InitFlags {
  readonly out?: string;
  readonly passphrase?: boolean;
}

/** Creates a key pair. An existing key is never overwritten: devices that trust it could no longer be updated. */
async function initKeys({ out = "release.jwk", passphrase: isLocked = false }: InitFlags) {
  const { mkdir, writeFile } = await import("node:fs/promises");
  const { dirname } = await import("node:path");
  const { makeReleaseKeys } = await import("../../release/keys.js");
  const { warnIfGitSees } = await import("./git-ignore.js");
  const { privateKey, publicKey } = await makeReleaseKeys();
  const text = isLocked ? await locked(privateKey) : JSON.stringify(privateKey, undefined, 2);
  const publicFile = `${out.replace(/\.jwk$/, "")}.pub.jwk`;
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${text}\n`, { mode: 0o600, flag: "wx" });
  await warnIfGitSees(out, "the private key");
  await writeFile(publicFile, `${JSON.stringify(publicKey, undefined, 2)}\n`, { mode: 0o644 });
  return { private_key: out, public_key: publicFile, kid: publicKey.kid ?? "", is_locked: isLocked };
}

/** A server cannot be asked for a passphrase: its folder is private. */
async function initFreshness(data: string) {
  const { join } = await import("node:path");
  const { writeFile } = await import("node:fs/promises");
  const { makeReleaseKeys } = await import("../../release/keys.js");
  const { openPrivateFolder } = await import("../runtime/private-folder.js");
  const { FRESHNESS_FILE } = await import("../releases/freshness.js");
  const { privateKey, publicKey } = await makeReleaseKeys();
  await openPrivateFolder(data);
  const file = join(data, FRESHNESS_FILE);
  const publicFile = "freshness.pub.jwk";
  await writeFile(file, textOf(privateKey), { mode: 0o600, flag: "wx" });
  await writeFile(publicFile, textOf(publicKey), { mode: 0o644 });
  return { private_key: file, public_key: publicFile, kid: publicKey.kid ?? "" };
}

const textOf = (key: JWK): string => `${JSON.stringify(key, undefined, 2)}\n`;

/** @throws KeyError if it is no public key on P-256 */
async function importKey(file: string, out = `${file.replace(/\.(pem|der)$/, "")}.pub.jwk`) {
  const { createPublicKey } = await import("node:crypto");
  const { readFile, writeFile } = await import("node:fs/promises");
  const { KeyError } = await import("../../release/error.js");
  const { describePublicKey } = await import("../../release/keys.js");
  const content = await readFile(file);
  const isPem = content.includes("-----BEGIN ");
  if (isPem && !content.includes("-----BEGIN PUBLIC KEY-----"))
    throw new KeyError(`${file} has no block "PUBLIC KEY": export the public key of the token`);
  const read = () =>
    isPem ? createPublicKey(content) : createPublicKey({ key: content, format: "der", type: "spki" });
  let jwk: JWK;
  try {
    jwk = read().export({ format: "jwk" }) as JWK;
  } catch (cause) {
    throw new KeyError(`${file} is no public key in PEM or DER form (SubjectPublicKeyInfo)`, { cause });
  }
  const key = await describePublicKey(jwk);
  await writeFile(out, `${JSON.stringify(key, undefined, 2)}\n`, { mode: 0o644, flag: "wx" });
  return { public_key: out, kid: key.kid ?? "" };
}

async function locked(privateKey: JWK): Promise<string> {
  const { lockKey } = await import("../../release/locked-key.js");
  const { readPassphrase } = await import("./signing-key.js");
  return lockKey(privateKey, await readPassphrase("passphrase: "));
}
