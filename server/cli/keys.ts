// `skyslot keys`: release keys. The private key never leaves the machine that signs.

import type { Command } from "commander";
import { show } from "./output.js";

export function keysCommand(program: Command): void {
  const keys = program.command("keys").description("create release signing keys");
  keys
    .command("init")
    .description(
      "create an ES256 key pair: FILE (private, keep it safe) and FILE with .pub.jwk (for images and servers)",
    )
    .option("--out <file>", "file for the private key", "release.jwk")
    .option("--json", "print one JSON object")
    .action((flags: { readonly out: string; readonly json?: boolean }) =>
      show(
        flags,
        initKeys(flags),
        (key) => `${key.private_key} (private) and ${key.public_key} (public), key ${key.kid}`,
      ),
    );
}

/** Creates a key pair. An existing key is never overwritten: devices that trust it could no longer be updated. */
async function initKeys({ out }: { readonly out: string }) {
  const { mkdir, writeFile } = await import("node:fs/promises");
  const { dirname } = await import("node:path");
  const { makeReleaseKeys } = await import("../../release/keys.js");
  const { warnIfGitSees } = await import("./git-ignore.js");
  const { privateKey, publicKey } = await makeReleaseKeys();
  const publicFile = `${out.replace(/\.jwk$/, "")}.pub.jwk`;
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${JSON.stringify(privateKey, undefined, 2)}\n`, { mode: 0o600, flag: "wx" });
  await warnIfGitSees(out, "the private key");
  await writeFile(publicFile, `${JSON.stringify(publicKey, undefined, 2)}\n`, { mode: 0o644 });
  return { private_key: out, public_key: publicFile, kid: publicKey.kid ?? "" };
}
