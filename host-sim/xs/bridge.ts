// The line between a firmware that runs in XS and the virtual SDK modules that stay in Node: each call of the firmware becomes a
// call of the real module, each callback a call into XS. Objects of Node are wrappers in XS, functions of XS are wrappers in
// Node; plain data and buffers are copied, and what a module writes into a buffer argument is copied back.

import { readFileSync } from "node:fs";
import { FrameReader, FrameWriter, type References } from "./value-codec.js";
import { MachineEnded, type WorkerOptions, XsWorker } from "./worker.js";

/** What a bridge needs of the device. */
export interface BridgeHost {
  /** Exports of a module of the SDK; undefined: there is none of that name. */
  moduleOf(specifier: string): object | undefined;
  uptimeMs(): number;
  random(): number;
  trace(text: string): void;
  /** Promise jobs wait: call runPromiseJobs in a later turn. */
  promiseJobsQueued(): void;
  /** Whether this is the device's global object. */
  isGlobal(value: object): boolean;
  /** Whether firmware may catch this; anything else ends the boot. */
  isForFirmware(error: unknown): boolean;
}

/** What the machine in XS has used, in bytes unless said otherwise. */
export interface XsUse {
  /** Since the machine was made. */
  readonly bytecodeCount: number;
  readonly slotBytes: number;
  readonly chunkBytes: number;
  /** Since watch was called, measured after a garbage collection at each call out of XS. */
  readonly peakSlotBytes: number;
  readonly peakChunkBytes: number;
  /** The largest sum of both. */
  readonly peakBytes: number;
  /** Of XS's stack, in slots, since the start. */
  readonly peakStackCount: number;
  /** 16 on the ESP32. */
  readonly bytesPerSlot: number;
}

type Operation = (self: unknown, parameters: unknown[], bridge: XsBridge) => unknown;
type AnyFunction = (...parameters: unknown[]) => unknown;

const PRELUDE = "skyslot:prelude";
const MAIN = "main";
const preludeText = readFileSync(new URL("./prelude.js", import.meta.url), "utf8");

export class XsBridge implements References {
  readonly #worker: XsWorker;
  readonly #host: BridgeHost;
  readonly #operations: Operation[] = [(_self, [specifier]) => this.#import(String(specifier))];
  readonly #objects: object[] = [];
  readonly #numbers = new Map<object, number>();
  readonly #callbackNumbers = new WeakMap<object, number>();
  readonly #belongings = new Map<object, object[]>();
  readonly #once = new WeakSet<object>();
  /** Callbacks that came with the parameters of the operation that is carried out. */
  #received: object[] = [];
  #forgotten: number[] = [];
  #bundle = "";
  #depth = 0;

  constructor(host: BridgeHost, options: WorkerOptions) {
    this.#host = host;
    this.#worker = new XsWorker(options);
    this.#command("I", (frame) => frame.raw(Buffer.from(PRELUDE)));
  }

  /** Runs a bundle, one ES module, to the end of its body. Errors are the firmware's. */
  run(bundle: string): void {
    this.#bundle = bundle;
    this.#command("I", (frame) => frame.raw(Buffer.from(MAIN)));
  }

  runPromiseJobs(): void {
    this.#command("J");
  }

  /** Collects garbage and tells what is left. */
  collect(): XsUse {
    return this.#use("G");
  }

  use(): XsUse {
    return this.#use("S");
  }

  /** From now on garbage is collected at each call; above `limitBytes` of slots and chunks the machine is out of memory. */
  watch(limitBytes = 0): XsUse {
    return this.#use("W", (frame) => frame.uint32(limitBytes));
  }

  close(): void {
    this.#worker.close();
  }

  // ── commands and answers ────────────────────────────────────────────────────────────────────────────────────────────────

  #command(tag: string, write?: (frame: FrameWriter) => void): unknown {
    if (this.#depth === 0) this.#forget();
    const frame = new FrameWriter(this).tag(tag);
    write?.(frame);
    this.#worker.send(frame.bytes);
    this.#depth += 1;
    try {
      return this.#answer();
    } finally {
      this.#depth -= 1;
    }
  }

  /** Carries out what XS asks for until it is done. */
  #answer(): unknown {
    for (;;) {
      const reader = new FrameReader(this.#worker.receive(), this);
      const tag = String.fromCharCode(reader.byte());
      switch (tag) {
        case ".":
          return reader.value();
        case "!":
          throw reader.value();
        case "O":
          this.#operate(reader);
          break;
        case "D":
          this.#reply((frame) => frame.value(this.#describe(this.objectOf(reader.uint32()))));
          break;
        case "L":
          this.#load(reader.text());
          break;
        case "N":
          this.#reply((frame) => frame.number(this.#host.uptimeMs()));
          break;
        case "R":
          this.#reply((frame) => frame.number(this.#host.random()));
          break;
        case "P":
          this.#host.promiseJobsQueued();
          break;
        case "T":
          this.#host.trace(reader.text());
          break;
        case "X":
          throw new MachineEnded(reader.text());
        default:
          throw new Error(`XS sent a frame with the unknown tag "${tag}"`);
      }
    }
  }

  #reply(write: (frame: FrameWriter) => void): void {
    const frame = new FrameWriter(this).tag("/");
    write(frame);
    this.#worker.send(frame.bytes);
  }

  #use(tag: string, write?: (frame: FrameWriter) => void): XsUse {
    this.#forget();
    const frame = new FrameWriter(this).tag(tag);
    write?.(frame);
    this.#worker.send(frame.bytes);
    const reader = new FrameReader(this.#worker.receive(), this, 1);
    return {
      bytecodeCount: reader.number(),
      slotBytes: reader.uint32(),
      chunkBytes: reader.uint32(),
      peakSlotBytes: reader.uint32(),
      peakChunkBytes: reader.uint32(),
      peakBytes: reader.uint32(),
      peakStackCount: reader.uint32(),
      bytesPerSlot: reader.uint32(),
    };
  }

  // ── modules ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #load(specifier: string): void {
    const text = this.#textOf(specifier);
    if (text === undefined) this.#worker.send(new FrameWriter(this).tag("\\").bytes);
    else this.#reply((frame) => frame.raw(Buffer.from(text)));
  }

  #textOf(specifier: string): string | undefined {
    if (specifier === PRELUDE) return preludeText;
    if (specifier === MAIN) return this.#bundle;
    const found = this.#host.moduleOf(specifier);
    if (found === undefined) return undefined;
    const exports = Object.keys(found).map((name) =>
      name === "default" ? "export default exports.default;" : `export const ${name} = exports.${name};`,
    );
    return `import { namespace } from "${PRELUDE}"; const exports = namespace("${specifier}"); ${exports.join(" ")}`;
  }

  #import(specifier: string): object {
    return { ...this.#host.moduleOf(specifier), [Symbol.toStringTag]: specifier };
  }

  // ── operations ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #operate(reader: FrameReader): void {
    const operation = this.#operations[reader.uint32()]!;
    const outer = this.#received;
    this.#received = [];
    try {
      const self = reader.value();
      const parameters = Array.from({ length: reader.byte() }, () => reader.value());
      const before = parameters.map(copyOfBuffer);
      const result = operation(self, parameters, this);
      this.#reply((frame) => {
        const written = parameters.flatMap((parameter, index) =>
          changedBuffer(parameter, before[index], index),
        );
        frame.byte(written.length);
        for (const { index, bytes } of written) frame.byte(index).sized(bytes);
        frame.value(result);
      });
    } catch (error) {
      if (!this.#host.isForFirmware(error)) throw error;
      this.#worker.send(new FrameWriter(this).tag("\\").value(error).bytes);
    } finally {
      this.#received = outer;
    }
  }

  /** Class, or object with what it has of its own: see prelude.js. */
  #describe(object: object): unknown[] {
    if (typeof object === "function") {
      const { prototype } = object as { prototype: object };
      const number = this.numberOf(prototype);
      return [
        "class",
        this.#newOperation(construct(object)),
        this.#members(object),
        number,
        this.#members(prototype).filter(([, name]) => name !== "constructor"),
        Object.isFrozen(object),
        Object.isFrozen(prototype),
      ];
    }
    const prototype = Object.getPrototypeOf(object) as object | null;
    const isRoot = prototype === null || prototype === Object.prototype;
    return ["object", isRoot ? undefined : prototype, this.#members(object), Object.isFrozen(object)];
  }

  #members(object: object): unknown[][] {
    return Reflect.ownKeys(object).flatMap((key) => {
      const name = key === Symbol.iterator ? "@@iterator" : key;
      if (typeof name === "symbol" || isBuiltIn(object, name)) return [];
      const descriptor = Object.getOwnPropertyDescriptor(object, key)!;
      if (isMethod(descriptor.value) && name !== "constructor")
        return [["m", name, this.#newOperation(call(descriptor.value, object))]];
      const getter = this.#newOperation(get(object, key));
      const isReadOnly = descriptor.get !== undefined && descriptor.set === undefined;
      return [["a", name, getter, isReadOnly ? undefined : this.#newOperation(set(object, key))]];
    });
  }

  #newOperation(operation: Operation): number {
    return this.#operations.push(operation) - 1;
  }

  /** What `new` gives back to prelude.js: the object's number and its own members. */
  made(object: object): unknown[] {
    const number = this.numberOf(object);
    this.#belongings.set(object, this.#received.splice(0));
    return [number, this.#members(object)];
  }

  // ── what both sides know ────────────────────────────────────────────────────────────────────────────────────────────────

  isGlobal(value: object): boolean {
    return this.#host.isGlobal(value);
  }

  numberOf(object: object): number {
    let number = this.#numbers.get(object);
    if (number === undefined) {
      number = this.#objects.push(object) - 1;
      this.#numbers.set(object, number);
    }
    return number;
  }

  objectOf(number: number): object {
    const object = this.#objects[number];
    if (object === undefined) throw new Error(`XS named object ${number} of ${this.#objects.length}`);
    return object;
  }

  callbackNumberOf(value: object): number | undefined {
    return this.#callbackNumbers.get(value);
  }

  callbackOf(number: number): object {
    const bridge = this;
    const callback = function (this: unknown, ...parameters: unknown[]): unknown {
      const result = bridge.#command(new.target ? "K" : "C", (frame) => {
        frame
          .uint32(number)
          .value(new.target ? undefined : this)
          .byte(parameters.length);
        for (const parameter of parameters) frame.value(parameter);
      });
      bridge.#called(callback, this, parameters);
      return result;
    };
    this.#callbackNumbers.set(callback, number);
    this.#received.push(callback);
    return callback;
  }

  // ── what XS may forget ──────────────────────────────────────────────────────────────────────────────────────────────────
  // Callbacks belong to the object that the operation gave (a timer, a request), or else to the one it was asked of; what an
  // object gave goes with it. An object is over when it is closed or cleared, when it has told of its end, or has fired once.

  /** Called with what an operation gave; `isOnce`: its callback is called once at most. */
  keep(self: unknown, result: unknown, isOnce: boolean): void {
    const received = this.#received.splice(0);
    const isObject = typeof result === "object" && result !== null && !isData(result);
    const owner = isObject ? result : self;
    if (typeof owner !== "object" || owner === null || received.length === 0) return;
    if (isOnce) this.#once.add(owner);
    this.#belongingsOf(owner).push(...received);
    if (owner === result && typeof self === "object" && self !== null) this.#belongingsOf(self).push(owner);
  }

  /** What fires once may do so again. */
  firesAgain(object: object): void {
    this.#once.delete(object);
  }

  /** The object is over. */
  released(object: object): void {
    const belongings = this.#belongings.get(object) ?? [];
    this.#belongings.delete(object);
    const number = this.#numbers.get(object);
    if (number !== undefined) this.#forgotten.push(number);
    for (const belonging of belongings) {
      if (typeof belonging === "function") this.#forgetCallback(belonging);
      else this.released(belonging);
    }
  }

  #called(callback: object, self: unknown, parameters: unknown[]): void {
    const [first] = parameters;
    const isEnd = (callback as AnyFunction).name === "onDone" || (callback as AnyFunction).name === "onError";
    if (isEnd && typeof self === "object" && self !== null) this.released(self);
    else if (typeof first === "object" && first !== null && this.#once.has(first)) this.released(first);
    else if (first === null && parameters.length === 1) this.#forgetCallback(callback); // the end of a scan
  }

  #belongingsOf(object: object): object[] {
    const belongings = this.#belongings.get(object) ?? [];
    this.#belongings.set(object, belongings);
    return belongings;
  }

  #forgetCallback(callback: object): void {
    const number = this.#callbackNumbers.get(callback);
    if (number === undefined) return;
    this.#callbackNumbers.delete(callback);
    this.#forgotten.push(-1 - number);
  }

  #forget(): void {
    if (this.#forgotten.length === 0) return;
    const numbers = this.#forgotten;
    this.#forgotten = [];
    this.#command("F", (frame) => {
      frame.uint32(numbers.length);
      for (const number of numbers) frame.value(number);
    });
  }
}

// ── operations on objects of Node ───────────────────────────────────────────────────────────────────────────────────────────

const construct =
  (made: object): Operation =>
  (_self, parameters, bridge) =>
    bridge.made(Reflect.construct(made as AnyFunction, parameters) as object);

const call =
  (method: AnyFunction, holder: object): Operation =>
  (self, parameters, bridge) => {
    const target = self ?? holder;
    const result: unknown = Reflect.apply(method, target, parameters);
    const [first, , repeat] = parameters;
    bridge.keep(target, result, method.name === "set" && !repeat);
    if (method.name === "close" && typeof target === "object") bridge.released(target as object);
    if (method.name === "schedule" && typeof first === "object" && first !== null) bridge.firesAgain(first);
    if (method.name === "clear" && typeof first === "object" && first !== null) bridge.released(first);
    return result;
  };

const get =
  (holder: object, key: PropertyKey): Operation =>
  (self) =>
    Reflect.get(holder, key, self ?? holder);

const set =
  (holder: object, key: PropertyKey): Operation =>
  (self, [value]) => {
    Reflect.set(holder, key, value, self ?? holder);
  };

/** A function that is no class: a class goes across as a value. */
const isMethod = (value: unknown): value is AnyFunction =>
  typeof value === "function" && !/^class\b/.test(Function.prototype.toString.call(value));

const isData = (value: object): boolean =>
  value instanceof ArrayBuffer || ArrayBuffer.isView(value) || Array.isArray(value);

/** What classes have in any case. */
const isBuiltIn = (object: object, name: string): boolean =>
  typeof object === "function" && ["length", "name", "prototype"].includes(name);

// ── buffers that a module writes into ───────────────────────────────────────────────────────────────────────────────────────

function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return value instanceof Uint8Array ? value : undefined;
}

const copyOfBuffer = (value: unknown): Uint8Array | undefined => bytesOf(value)?.slice();

function changedBuffer(value: unknown, before: Uint8Array | undefined, index: number) {
  const bytes = bytesOf(value);
  const isSame = bytes === undefined || before === undefined || Buffer.compare(bytes, before) === 0;
  return isSame ? [] : [{ index, bytes }];
}
