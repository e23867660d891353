// The V8 realm in which firmware runs: its own set of built-in objects, changed to be XS's and frozen, without anything of
// Node. Bundles of many devices share one realm, because making one takes milliseconds; which device runs is known at
// each moment, and its clock, randomness, promise jobs and limits are behind the realm's globals.

import { readFileSync } from "node:fs";
import vm from "node:vm";
import { adopt } from "./adopt.js";
import { instrumentScript } from "./instrument.js";
import { lowerAsync } from "./lower.js";

/** The device that runs, as far as the realm's globals need it. */
export interface RealmHost {
  uptimeMs(): number;
  random(): number;
  trace(text: string): void;
  /** A promise job: runs in a later turn. */
  queueJob(job: () => void): void;
  /** The turn has computed for too long. */
  overrun(): never;
  /** The turn has allocated more than the chip could have. */
  outOfMemory(): never;
  /** Firmware is about to catch this: throws if it must not. */
  caught(error: unknown): void;
}

/** Counters of the turn that runs, and where they end it. */
export interface Meter {
  ticks: number;
  tickLimit: number;
  bytes: number;
  byteLimit: number;
}

/** A module, compiled: calls `importer` for each module that it imports and runs to its end. */
export type CompiledModule = (importer: Importer, meta: object) => void;

export interface Importer {
  (specifier: string, names: readonly string[]): Readonly<Record<string, unknown>>;
  /** import() */
  later(specifier: string): unknown;
}

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class Realm {
  readonly globalThis: object;
  readonly Object: ObjectConstructor;
  readonly Function: FunctionConstructor;
  readonly Array: ArrayConstructor;
  readonly ArrayBuffer: ArrayBufferConstructor;
  readonly Uint8Array: Uint8ArrayConstructor;
  readonly DataView: DataViewConstructor;
  readonly Map: MapConstructor;
  readonly Set: SetConstructor;
  readonly Promise: PromiseConstructor;
  readonly Error: ErrorConstructor;
  readonly TypeError: TypeErrorConstructor;
  readonly RangeError: RangeErrorConstructor;
  readonly SyntaxError: SyntaxErrorConstructor;
  readonly ReferenceError: ReferenceErrorConstructor;

  readonly #context: vm.Context;
  readonly #meter: Meter;
  #current: RealmHost | undefined;

  constructor() {
    const sandbox = Object.create(null) as object;
    this.#context = vm.createContext(sandbox, {
      name: "device",
      codeGeneration: { strings: false, wasm: false },
    });
    this.#meter = this.#setUp();
    this.globalThis = this.#evaluate("globalThis") as object;
    const constructors = this.globalThis as Record<string, never>;
    this.Object = constructors.Object!;
    this.Function = constructors.Function!;
    this.Array = constructors.Array!;
    this.ArrayBuffer = constructors.ArrayBuffer!;
    this.Uint8Array = constructors.Uint8Array!;
    this.DataView = constructors.DataView!;
    this.Map = constructors.Map!;
    this.Set = constructors.Set!;
    this.Promise = constructors.Promise!;
    this.Error = constructors.Error!;
    this.TypeError = constructors.TypeError!;
    this.RangeError = constructors.RangeError!;
    this.SyntaxError = constructors.SyntaxError!;
    this.ReferenceError = constructors.ReferenceError!;
  }

  /** Compiles what instrumentModule made. */
  compile(moduleFunctionText: string, name: string): CompiledModule {
    return this.#evaluate(moduleFunctionText, name) as CompiledModule;
  }

  /** Runs `action` as this device, with fresh counters and these limits; `onEnd` gets the ticks it took. */
  enter(
    host: RealmHost,
    limits: { readonly ticks: number; readonly bytes: number },
    action: () => void,
    onEnd: (tickCount: number) => void,
  ): void {
    const meter = this.#meter;
    const outer = { host: this.#current, ...meter };
    this.#current = host;
    Object.assign(meter, { ticks: 0, tickLimit: limits.ticks, bytes: 0, byteLimit: limits.bytes });
    try {
      action();
    } finally {
      onEnd(meter.ticks);
      this.#current = outer.host;
      Object.assign(meter, {
        ticks: outer.ticks,
        tickLimit: outer.tickLimit,
        bytes: outer.bytes,
        byteLimit: outer.byteLimit,
      });
    }
  }

  /** Loop iterations and calls of the turn that runs, so far. */
  get tickCount(): number {
    return this.#meter.ticks;
  }

  /** Changes the limit of the turn that runs; -1 ends it at its next step. */
  limitTicks(limit: number): void {
    this.#meter.tickLimit = limit;
  }

  /** Hands functions, classes and plain objects of the host over to firmware. Returns the same value, changed. */
  adopt<T>(value: T): T {
    return adopt(value, this);
  }

  /** A plain object of the realm. */
  object<T extends object>(properties: T): T {
    return this.Object.assign(new this.Object(), properties) as T;
  }

  /** An array of the realm. */
  array<T>(items: Iterable<T>): T[] {
    return this.Array.from(items);
  }

  /** An ArrayBuffer of the realm that holds a copy of the bytes. */
  buffer(bytes: Uint8Array): ArrayBuffer {
    const buffer = new this.ArrayBuffer(bytes.length);
    new Uint8Array(buffer).set(bytes);
    return buffer;
  }

  #evaluate(text: string, filename = "engine"): unknown {
    return new vm.Script(text, { filename }).runInContext(this.#context);
  }

  #script(name: string): (...values: unknown[]) => unknown {
    return this.#evaluate(readScript(name), name) as (...values: unknown[]) => unknown;
  }

  #setUp(): Meter {
    const current = (): RealmHost => {
      if (this.#current === undefined) throw new Error("firmware runs outside a turn of its device");
      return this.#current;
    };
    const host = {
      uptimeMs: () => current().uptimeMs(),
      random: () => current().random(),
      trace: (text: string) => current().trace(text),
      queueJob: (job: () => void) => current().queueJob(job),
      overrun: () => current().overrun(),
      outOfMemory: () => current().outOfMemory(),
      caught: (error: unknown) => current().caught(error),
      encode: encodeText,
      decode: decodeText,
      detach: (buffer: ArrayBuffer) => {
        structuredClone(buffer, { transfer: [buffer] });
      },
      evaluate: (text: string) => this.#evaluate(instrumentScript(lowerAsync(text)), "eval"),
    };
    const meter = this.#script("meter.js")(host) as Meter;
    const promise = this.#script("promise.js")(host);
    this.#script("globals.js")(host, promise);
    this.#script("polyfills.js")(host);
    this.#script("freeze.js")();
    return meter;
  }
}

const scripts = new Map<string, string>();

function readScript(name: string): string {
  let text = scripts.get(name);
  if (text === undefined) {
    text = readFileSync(new URL(`./realm/${name}`, import.meta.url), "utf8");
    scripts.set(name, text);
  }
  return text;
}

/** UTF-8 as XS has it: a lone surrogate is encoded as it is, in three bytes. */
export function encodeText(text: string): Uint8Array {
  if (text.isWellFormed()) return encoder.encode(text);
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code >= 0xd800 && code <= 0xdfff) {
      bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    } else {
      bytes.push(...encoder.encode(character));
    }
  }
  return Uint8Array.from(bytes);
}

/** Undefined when the bytes are not UTF-8. */
function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return undefined;
  }
}
