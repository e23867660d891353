// The client's side of the proof of a device's token (docs/device-protocol.md): an answer to the device's challenge, without the token in it.

import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { createReadStream } from "node:fs";

/** Devices ask for 10 000 rounds. Who asks for many more is no device, and would only keep this machine busy. */
const MAX_ROUNDS = 1_000_000;
/** With fewer, whoever pretends to be the device could guess a short token from the answer. */
const MIN_ROUNDS = 10_000;

export interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  readonly rounds: number;
}

/** The challenge in a WWW-Authenticate header; undefined: there is none, or one that is not to be answered. */
export function readChallenge(header: string | undefined): Challenge | undefined {
  const match = /Skyslot realm="([^"]{1,64})", *nonce="([0-9a-f-]{1,48})", *rounds=(\d{1,7})(?:,|$)/.exec(
    header ?? "",
  );
  if (!match) return undefined;
  const [, realm = "", nonce = "", digits = ""] = match;
  const rounds = Number(digits);
  return rounds < MIN_ROUNDS || rounds > MAX_ROUNDS ? undefined : { realm, nonce, rounds };
}

/** The Authorization header that answers a challenge. @param sha256 of the body, hex */
export function answerChallenge(
  { realm, nonce, rounds }: Challenge,
  token: string,
  method: string,
  path: string,
  sha256: string,
): string {
  const key = pbkdf2Sync(token, `skyslot:${realm}`, rounds, 32, "sha256").toString("hex");
  const text = `skyslot-1\n${nonce}\n${method} ${path}\n${sha256}`;
  const mac = createHmac("sha256", key).update(text).digest("hex");
  return `Skyslot nonce="${nonce}", sha256="${sha256}", mac="${mac}"`;
}

/** SHA-256 of a file, hex. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest("hex");
}
