/**
 * What the SDK's native code does with arguments, and its error messages: shared by the virtual network modules. Errors
 * are made with the device realm's constructors, so that firmware can distinguish them.
 */

import { PowerCut } from "../hardware/flash/flash.js";
import { UnerasedWrite } from "../hardware/flash/strict-writes.js";
import type { Machine } from "../machine/machine.js";

export type Callback = (this: unknown, ...parameters: unknown[]) => unknown;
export type Dictionary = Record<string, unknown>;

/** The helpers for one boot. Functions that give `never` throw. */
export interface Native {
  error(message?: string): Error;
  rangeError(message: string): Error;
  typeError(message: string): Error;
  syntaxError(message: string): Error;
  /** `C: xsArg(n): invalid index` if there are too few arguments. */
  needArguments(given: ArrayLike<unknown>, count: number): void;
  /** The error of a method on something that is closed, or was never one of the class. */
  invalidHandle(isClosed: boolean): Error;
  /** What `undefined.name` throws on XS. */
  coerced(): Error;
  /** xsmcToInteger: what is no number is 0. Symbols and bigints are a TypeError. */
  integer(value: unknown): number;
  /** xsmcToNumber. Symbols and bigints are a TypeError. */
  number(value: unknown): number;
  /** xsmcToString. A symbol is a TypeError. */
  text(value: unknown): string;
  /** A view of a device's buffer: ArrayBuffer, DataView or an array of bytes. Throws `TypeError: invalid buffer`. */
  bytesOf(value: unknown): Uint8Array;
  /** A copy as the device's own ArrayBuffer. */
  arrayBuffer(bytes: Uint8Array): ArrayBuffer;
  /** A plain object of the device's realm. */
  object<T extends object>(properties: T): T;
  /** An array of the device's realm. */
  array<T>(items: Iterable<T>): T[];
  /** Makes a host's class or object look like one of the device's realm; before it is frozen. */
  adopt<T>(value: T): T;
  /** A callback of a dictionary, or undefined. Throws `Error: not a function`. */
  callback(dictionary: unknown, name: string): Callback | undefined;
}

export function createNative(machine: Machine): Native {
  const { realm } = machine;
  const native: Native = {
    error: (message = "") => new realm.Error(message),
    rangeError: (message) => new realm.RangeError(message),
    typeError: (message) => new realm.TypeError(message),
    syntaxError: (message) => new realm.SyntaxError(message),
    needArguments(given, count) {
      if (given.length < count) throw new realm.SyntaxError(`C: xsArg(${given.length}): invalid index`);
    },
    invalidHandle(isClosed) {
      const what = isClosed ? "invalid host data" : "not a host object";
      return new realm.SyntaxError(`C: xsGetHostData: ${what}`);
    },
    coerced: () => new realm.TypeError("cannot coerce undefined to object"),
    integer: (value) => Math.trunc(coerce("integer", () => +(value as number))) | 0,
    number: (value) => coerce("number", () => +(value as number)),
    text: (value) => coerce("string", () => `${value}`),
    bytesOf(value) {
      if (ArrayBuffer.isView(value)) {
        const step = (value as Uint8Array).BYTES_PER_ELEMENT ?? 1;
        if (step === 1) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
      } else if (isArrayBuffer(value)) return new Uint8Array(value);
      throw new realm.TypeError("invalid buffer");
    },
    arrayBuffer: (bytes) => realm.buffer(bytes),
    object: (properties) => realm.object(properties),
    array: (items) => realm.array(items),
    adopt: (value) => realm.adopt(value),
    callback(dictionary, name) {
      if (dictionary === undefined || dictionary === null) throw native.coerced();
      const value = (dictionary as Dictionary)[name];
      if (value === undefined || value === null) return undefined;
      if (typeof value !== "function") throw native.error("not a function");
      return value as Callback;
    },
  };
  return native;

  /** What the host itself refuses to convert becomes an error of the device's; what firmware throws goes through. */
  function coerce<T>(what: string, convert: () => T): T {
    try {
      return convert();
    } catch (error) {
      throw error instanceof TypeError ? new realm.TypeError(`cannot coerce to ${what}`) : error;
    }
  }
}

/** Whether an exception may be swallowed where the SDK swallows it: not what ends the boot. */
export function isSwallowed(machine: Machine, error: unknown): boolean {
  if (!machine.alive || error instanceof PowerCut || error instanceof UnerasedWrite) return false;
  return !(error instanceof RangeError && error.message === "Maximum call stack size exceeded");
}

/**
 * Returns a function that tells firmware, in a separate turn, how much is queued. Close additions are announced
 * in one turn.
 */
export function announceQueue(
  machine: Machine,
  object: object,
  queue: readonly unknown[],
  onReadable: Callback | undefined,
): () => void {
  let isPosted = false;
  return () => {
    if (isPosted || onReadable === undefined) return;
    isPosted = true;
    machine.after(0, () => {
      isPosted = false;
      if (queue.length > 0) onReadable.call(object, queue.length);
    });
  };
}

/** Also true for buffers of the device's realm. */
function isArrayBuffer(value: unknown): value is ArrayBuffer {
  const tag = Object.prototype.toString.call(value);
  return tag === "[object ArrayBuffer]" || tag === "[object SharedArrayBuffer]";
}
