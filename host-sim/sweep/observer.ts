// Writes down what passes between a device and its flash (history.ts), and hides the contents of the slot that is written to
// from the firmware: a read of it gives a buffer of the right length without the contents, and only Digest knows what belongs in it.
// So nothing but a digest can reach the firmware, which is what the proof in same-future.ts rests on.

import { createHash, type Hash } from "node:crypto";
import { type Engine, v8Engine } from "../engine/engine.js";
import type { ModuleTable } from "../engine/evaluate.js";
import type { Realm } from "../engine/realm.js";
import { OTADATA_ENTRY_BYTES } from "../hardware/boot/otadata.js";
import { Flash, type FlashOperation, SECTOR_BYTES } from "../hardware/flash/flash.js";
import type { Partition } from "../hardware/partitions/partition.js";
import { showEntry } from "./entry-question.js";
import { type LoadedFlash, sectorsOf } from "./flash-state.js";
import type { DigestPiece, History } from "./history.js";
import { answerOf, type PromisedDigests, UNPROMISED } from "./same-future.js";

/** What a buffer without contents reads as. */
const FILLER = 0xa5;

interface SlotPiece extends DigestPiece {
  readonly bytes: Uint8Array;
}

export class Observer {
  readonly #flash: Flash;
  readonly #loaded: LoadedFlash;
  readonly #promised: PromisedDigests;
  readonly #history: History;

  constructor(flash: Flash, loaded: LoadedFlash, promised: PromisedDigests, history: History) {
    this.#flash = flash;
    this.#loaded = loaded;
    this.#promised = promised;
    this.#history = history;
    flash.onRead = (offset, length, question) =>
      history.add({ kind: question === "isErased" ? question : "read", offset, length });
  }

  /** From now on otadata is read as in entry-question.ts. */
  hideBrokenEntries(otadata: Partition): void {
    const flash = this.#flash;
    flash.read = (offset, length) => {
      const sector = offset - otadata.offset;
      const isEntry = length === OTADATA_ENTRY_BYTES && (sector === 0 || sector === SECTOR_BYTES);
      if (!isEntry) return Flash.prototype.read.call(flash, offset, length);
      const { shown, answer } = showEntry(flash.bytes.slice(offset, offset + length));
      this.#history.add({ kind: "entry", offset, length, answer });
      return shown.slice();
    };
  }

  /** Leaves the flash as it was found. */
  close(): void {
    this.#flash.onRead = undefined;
    this.#flash.read = Flash.prototype.read;
  }

  /** To be called for each operation that the flash has done. */
  operated({ kind, offset, length, bytes }: FlashOperation): void {
    this.#loaded.touched(offset, length);
    this.#history.add(kind === "erase" ? { kind, offset, length } : { kind, offset, bytes: bytes.slice() });
  }

  get engine(): Engine {
    return {
      start: (bundle) => {
        const boot = v8Engine.start(bundle);
        const run = (modules: ModuleTable): void => boot.run(this.#observed(modules, boot.realm));
        return { realm: boot.realm, run, close: () => boot.close() };
      },
    };
  }

  #observed(modules: ModuleTable, realm: Realm): ModuleTable {
    const pieces = new WeakMap<object, SlotPiece>();
    const made = new Map<string, object>();
    const factories: Readonly<Record<string, (original: object) => object>> = {
      "embedded:storage/flash": (original) => this.#flashModule(original as FlashModule, realm, pieces),
      crypt: (original) => this.#cryptModule(original as CryptModule, realm, pieces),
    };
    return {
      get: (specifier) => {
        const original = modules.get(specifier);
        const factory = factories[specifier];
        if (original === undefined || factory === undefined) return original;
        const observed = made.get(specifier) ?? realm.adopt(factory(original));
        made.set(specifier, observed);
        return observed;
      },
    };
  }

  #flashModule({ default: original }: FlashModule, realm: Realm, pieces: WeakMap<object, SlotPiece>): object {
    const open = (options: { path?: unknown }): FlashObject => {
      const opened = original.open(options);
      if (String(options?.path) !== "nextota") return opened;
      const read = (length: unknown, offset: number): unknown =>
        this.#readSlot(opened, length, offset, pieces);
      const shown = Object.create(opened) as FlashObject;
      const methods = {
        read: realm.adopt(read),
        write: realm.adopt((bytes: unknown, offset: unknown) => opened.write(bytes, offset)),
        eraseBlock: realm.adopt((...blocks: unknown[]) => opened.eraseBlock(...blocks)),
        status: realm.adopt(() => opened.status()),
        close: realm.adopt(() => opened.close()),
      };
      return Object.assign(shown, methods);
    };
    return { default: { open, [Symbol.iterator]: () => original[Symbol.iterator]() } };
  }

  #readSlot(
    opened: FlashObject,
    length: unknown,
    offset: number,
    pieces: WeakMap<object, SlotPiece>,
  ): unknown {
    if (typeof length !== "number") return opened.read(length, offset); // into a buffer of the firmware's: an open read
    let at = -1;
    const { onRead } = this.#flash;
    this.#flash.onRead = (start) => {
      at = start;
    };
    try {
      const buffer = opened.read(length, offset) as ArrayBuffer;
      const view = new Uint8Array(buffer);
      const numbers = [...sectorsOf(at, length)].map((sector) => this.#loaded.numberOf(sector));
      pieces.set(buffer, { offset: at, length, numbers, bytes: view.slice() });
      view.fill(FILLER);
      return buffer;
    } finally {
      this.#flash.onRead = onRead;
    }
  }

  #cryptModule(original: CryptModule, realm: Realm, pieces: WeakMap<object, SlotPiece>): object {
    const observe = (algorithm: string, read: readonly SlotPiece[], hash: Hash): ArrayBuffer => {
      const digest = hash.digest();
      const answer = answerOf(digest.toString("hex"), this.#promised);
      this.#history.add({ kind: "digest", algorithm, pieces: read.map(withoutBytes), answer });
      return realm.buffer(answer === UNPROMISED ? digest.fill(0) : digest);
    };
    class Digest extends original.Digest {
      readonly #algorithm: string;
      #pieces: SlotPiece[] = [];

      constructor(algorithm: string) {
        super(algorithm);
        this.#algorithm = algorithm;
      }

      override write(data: object): void {
        const piece = pieces.get(data);
        if (piece === undefined && this.#pieces.length === 0) super.write(data);
        else if (piece !== undefined) this.#pieces.push(piece);
        else throw new Error("the sweep cannot follow a digest of slot and other data mixed");
      }

      override close(more?: unknown): ArrayBuffer {
        if (this.#pieces.length === 0) return super.close(more);
        const hash = createHash(this.#algorithm.toLowerCase());
        for (const { bytes } of this.#pieces) hash.update(bytes);
        const read = this.#pieces;
        this.#pieces = [];
        return observe(this.#algorithm.toLowerCase(), read, hash);
      }
    }
    return { Digest, default: { Digest } };
  }
}

const withoutBytes = ({ offset, length, numbers }: SlotPiece): DigestPiece => ({ offset, length, numbers });

interface FlashObject {
  read(length: unknown, offset: unknown): unknown;
  write(bytes: unknown, offset: unknown): void;
  eraseBlock(...blocks: unknown[]): void;
  status(): object;
  close(): void;
}

interface FlashModule {
  readonly default: { open(options: object): FlashObject; [Symbol.iterator](): Iterator<string> };
}

interface CryptModule {
  readonly Digest: new (
    algorithm: string,
  ) => { write(data: unknown): void; close(more?: unknown): ArrayBuffer };
}
