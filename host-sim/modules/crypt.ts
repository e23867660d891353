// `crypt`: Digest, computed by Node's OpenSSL. The ciphers of the SDK's module are not part of the virtual platform.

import { createHash, type Hash } from "node:crypto";
import { encodeText } from "../engine/realm.js";
import type { Machine } from "../machine/machine.js";
import { COST, spend } from "./costs.js";
import type { Native } from "./native.js";

interface Algorithm {
  readonly name: string;
  readonly blockSize: number;
  readonly outputSize: number;
}

const ALGORITHMS: Readonly<Record<string, Algorithm>> = Object.freeze({
  MD5: { name: "md5", blockSize: 64, outputSize: 16 },
  SHA1: { name: "sha1", blockSize: 64, outputSize: 20 },
  SHA224: { name: "sha224", blockSize: 64, outputSize: 28 },
  SHA256: { name: "sha256", blockSize: 64, outputSize: 32 },
  SHA384: { name: "sha384", blockSize: 128, outputSize: 48 },
  SHA512: { name: "sha512", blockSize: 128, outputSize: 64 },
});

export function createDigest(machine: Machine, native: Native): new (type: string) => object {
  class Digest {
    readonly #algorithm: Algorithm;
    #hash: Hash;

    constructor(...parameters: [unknown?]) {
      native.needArguments(parameters, 1);
      const type = native.text(parameters[0]);
      const algorithm = Object.hasOwn(ALGORITHMS, type) ? ALGORITHMS[type] : undefined;
      if (algorithm === undefined) throw native.error("crypt: unsupported digest");
      this.#algorithm = algorithm;
      this.#hash = createHash(algorithm.name);
    }

    write(...parameters: [unknown?]): void {
      native.needArguments(parameters, 1);
      const [data] = parameters;
      const bytes = typeof data === "string" ? encodeText(data) : native.bytesOf(data);
      this.#hash.update(bytes);
      spend(machine, bytes.length * COST.digestByte);
    }

    /** Afterwards it starts over, unless `more` is true: then it continues. */
    close(more?: unknown): ArrayBuffer {
      const result = (more ? this.#hash.copy() : this.#hash).digest();
      if (!more) this.#hash = createHash(this.#algorithm.name);
      return native.arrayBuffer(result);
    }

    reset(): void {
      this.#hash = createHash(this.#algorithm.name);
    }

    get blockSize(): number {
      return this.#algorithm.blockSize;
    }

    get outputSize(): number {
      return this.#algorithm.outputSize;
    }

    process(...pieces: unknown[]): ArrayBuffer {
      this.reset();
      for (const piece of pieces) this.write(piece);
      return this.close();
    }

    update(data: unknown): void {
      this.write(data);
    }
  }
  return Digest;
}
