// Signs by a command of the user (`--signer`), for keys that live in a token, an HSM or a key service. The command gets the SHA-256 of what
// is signed, 32 bytes, on its standard input, or in a file wherever it contains {digest}; it answers with an ECDSA signature on its standard
// output. Skyslot never sees the private key; what the command says and asks for is shown.

import { spawn } from "node:child_process";
import { createHash, createPublicKey, type JsonWebKey, verify } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JWK } from "jose";
import { MAX_SIGNATURE_ANSWER_BYTES, readSignature } from "../../release/ecdsa-signature.js";
import { KeyError } from "../../release/error.js";
import type { Signer } from "../../release/signer.js";

/** Somebody may have to find a token, and to touch it. */
const TIMEOUT_MS = 5 * 60_000;
const PLACE = "{digest}";

/** @param publicKey of the key that the command signs with */
export function commandSigner(command: string, publicKey: JWK): Signer {
  const doubt =
    "the signer's answer is no signature by this key: is --key the public key of the one that it signs with?";
  const key = createPublicKey({ key: publicKey as JsonWebKey, format: "jwk" });
  const sign = async (input: Uint8Array): Promise<Uint8Array> => {
    const answer = await askCommand(command, createHash("sha256").update(input).digest());
    const readings = readSignature(answer);
    if (readings.length === 0)
      throw new KeyError(
        `the signer answered ${answer.length} bytes that are no ECDSA signature: DER or r and s (64 bytes) are expected, or one of them as Base64`,
      );
    const isRight = (signature: Uint8Array) =>
      verify("sha256", input, { key, dsaEncoding: "ieee-p1363" }, signature);
    const right = readings.find(isRight);
    if (!right) throw new KeyError(doubt);
    return right;
  };
  return { publicKey, sign, doubt };
}

async function askCommand(command: string, digest: Buffer): Promise<Buffer> {
  if (!command.includes(PLACE)) return run(command, digest);
  const folder = await mkdtemp(join(tmpdir(), "skyslot-sign-"));
  try {
    const file = join(folder, "digest");
    await writeFile(file, digest);
    return await run(command.replaceAll(PLACE, quoted(file)), digest);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const quoted = (path: string): string =>
  process.platform === "win32" ? `"${path}"` : `'${path.replaceAll("'", "'\\''")}'`;

function run(command: string, digest: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, {
      shell: true,
      stdio: ["pipe", "pipe", "inherit"],
      timeout: TIMEOUT_MS,
    });
    const chunks: Buffer[] = [];
    let length = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= MAX_SIGNATURE_ANSWER_BYTES) chunks.push(chunk);
    });
    // A command that takes a file does not read this.
    child.stdin.on("error", () => undefined);
    child.stdin.end(digest);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0 && length <= MAX_SIGNATURE_ANSWER_BYTES) return resolve(Buffer.concat(chunks));
      const ending = code === 0 ? `answered ${length} bytes` : `ended with ${signal ?? code}`;
      reject(new KeyError(`the signer ${ending}: nothing was signed`));
    });
  });
}
