// The server's certificate: read from two files, and read again when they change, so that one that is renewed is used without a
// restart. A file that is broken changes nothing: the old certificate stays in use.

import { constants } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import type { Server } from "node:http";
import { createSecureContext, type Server as TlsServer } from "node:tls";

export interface TlsFiles {
  /** PEM: the certificate, and those between it and the root. */
  readonly cert: string;
  /** PEM: its private key. */
  readonly key: string;
}

export interface TlsPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/**
 * TLS 1.2 is what many ESP32 clients speak. Every suite has keys of its own for each connection, and authenticated encryption; those with AES-128, which
 * such clients compute in hardware, come first.
 */
export const TLS_OPTIONS = Object.freeze({
  minVersion: "TLSv1.2" as const,
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  ciphers: [
    "TLS_AES_128_GCM_SHA256",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
  ].join(":"),
});

/** A client holds a whole record before it can check it: with more, four times the memory of a device. It costs a server 0.7 % more bytes. */
export const MAX_RECORD_BYTES = 4_096;

export class Certificate {
  readonly #files: TlsFiles;
  #pair: TlsPair;
  #stamp: string;

  private constructor(files: TlsFiles, pair: TlsPair, stamp: string) {
    this.#files = files;
    this.#pair = pair;
    this.#stamp = stamp;
  }

  /** @throws if a file cannot be read or they do not belong together */
  static async open(files: TlsFiles): Promise<Certificate> {
    const stamp = await stampOf(files);
    return new Certificate(files, await read(files), stamp);
  }

  get pair(): TlsPair {
    return this.#pair;
  }

  /** Notes that they were, so that a broken pair is logged once. */
  async #hasChanged(): Promise<boolean> {
    const stamp = await stampOf(this.#files);
    if (stamp === this.#stamp) return false;
    this.#stamp = stamp;
    return true;
  }

  /** Likewise, if the files were changed since they were last read. @throws once for each change, if they do not belong together */
  async renew(server: Server): Promise<void> {
    if (await this.#hasChanged()) await this.reload(server);
  }

  /** New connections get what the files hold now. @throws and leaves everything as it was, if they do not belong together */
  async reload(server: Server): Promise<void> {
    this.#pair = await read(this.#files);
    (server as unknown as TlsServer).setSecureContext({ ...TLS_OPTIONS, ...this.#pair });
  }
}

async function read({ cert, key }: TlsFiles): Promise<TlsPair> {
  const pair = { cert: await readFile(cert), key: await readFile(key) };
  try {
    createSecureContext(pair);
  } catch (error) {
    throw new Error(`${cert} and ${key} are no pair: ${(error as Error).message}`, { cause: error });
  }
  return pair;
}

/** Follows links: that is how renewed certificates are put in place. */
async function stampOf({ cert, key }: TlsFiles): Promise<string> {
  const parts = await Promise.all([cert, key].map((file) => stat(file)));
  return parts.map(({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`).join(" ");
}
