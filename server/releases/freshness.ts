// States to devices what is true now: which of their type's releases were withdrawn, how new the one is that they are to have, and what time it is. The
// only key of trust that a server has is for this; it cannot sign a release or a root. Devices take its statements if their trust root names the key.

import { createPrivateKey, type JsonWebKey, type KeyObject, sign } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { calculateJwkThumbprint, type JWK } from "jose";
import type { Root } from "../../firmware/core/trust/root.js";
import { thumbprint } from "../../firmware/core/trust/thumbprint.js";
import { STATEMENT_TYPE, type StatementPayload } from "../../firmware/core/wire.js";
import { KeyError } from "../../release/error.js";
import { publicPart, readPrivateKey } from "../../release/keys.js";

/** How long a statement suffices for an installation. */
const SUFFICES_SECONDS = 600;
const OTHERS = 0o077;
/** In a data folder. */
export const FRESHNESS_FILE = "freshness.jwk";

export class FreshnessKey {
  /** Thumbprint (RFC 7638). */
  readonly kid: string;
  readonly #header: string;
  readonly #key: KeyObject;

  private constructor(kid: string, key: KeyObject) {
    this.kid = kid;
    this.#header = encode({ alg: "ES256", typ: STATEMENT_TYPE, kid });
    this.#key = key;
  }

  /** @param name of its file or variable, for the message @throws KeyError */
  static async read(text: string, name: string): Promise<FreshnessKey> {
    const jwk: JWK = readPrivateKey(text, name);
    const kid = await calculateJwkThumbprint(publicPart(jwk));
    try {
      return new FreshnessKey(kid, createPrivateKey({ key: jwk as JsonWebKey, format: "jwk" }));
    } catch (cause) {
      throw new KeyError(`${name} is a damaged key: make another with \`skyslot keys freshness\``, { cause });
    }
  }

  /** Of a file that only its owner can read; `undefined`: there is none. @throws KeyError, Error if others can read it */
  static async open(file: string): Promise<FreshnessKey | undefined> {
    let handle: FileHandle;
    try {
      handle = await open(file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    try {
      const { mode } = await handle.stat();
      if (process.platform !== "win32" && (mode & OTHERS) !== 0)
        throw new KeyError(
          `other users of this machine can read ${file} (mode ${(mode & 0o777).toString(8)}): close it with  chmod 600 ${file}`,
        );
      return await FreshnessKey.read(await handle.readFile("utf8"), file);
    } finally {
      await handle.close();
    }
  }

  /** @returns a compact JWS */
  sign(payload: StatementPayload): string {
    const signed = `${this.#header}.${encode(payload)}`;
    const signature = sign("sha256", Buffer.from(signed), { key: this.#key, dsaEncoding: "ieee-p1363" });
    return `${signed}.${signature.toString("base64url")}`;
  }
}

/** Whether the root names keys for statements, and this server has none of them: devices install nothing of it. */
export const lacksFreshnessKey = (root: Root, key: FreshnessKey | undefined): boolean =>
  root.freshness.length > 0 && !namesFreshnessKey(root, key);

export const namesFreshnessKey = ({ freshness, keys }: Root, key: FreshnessKey | undefined): boolean =>
  freshness.some((index) => keys[index] !== undefined && thumbprint(keys[index]) === key?.kid);

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** The statement for a device. @param now milliseconds since 1970 */
export function stateFreshness(
  key: FreshnessKey,
  question: Pick<StatementPayload, "nonce" | "type">,
  current: Pick<StatementPayload, "newest" | "withdrawn">,
  now: number,
): string {
  const time = Math.floor(now / 1000);
  return key.sign({ ...question, time, expires: time + SUFFICES_SECONDS, ...current });
}
