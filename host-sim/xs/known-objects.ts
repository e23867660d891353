// The objects of Node and functions of XS that both sides of the bridge know by number, and how long XS has to keep them. It never speaks to
// XS; the bridge collects what XS may forget and sends it.
//
// Callbacks belong to the object that an operation gave (a timer, a request), or else to the one that it was asked of; what an
// object gave goes with it, and so does what Node constructed with a class of XS. An object is over when it is closed or cleared, when
// it has reported its end, or has fired once. Options that Node hands to a function of XS are over when it returns.

import type { References } from "./value-codec.js";

type AnyFunction = (...parameters: unknown[]) => unknown;

/** What this needs of the bridge. */
export interface KnownObjectsHost {
  /** Whether this is the device's global object. */
  isGlobal(value: object): boolean;
  callXs(call: CallToXs): unknown;
}

/** A call of XS's function of that number, or of its constructor; then `self` is undefined. */
export interface CallToXs {
  readonly number: number;
  readonly isConstruct: boolean;
  readonly self: unknown;
  readonly parameters: readonly unknown[];
}

export class KnownObjects implements References {
  readonly #host: KnownObjectsHost;
  readonly #objects: object[] = [];
  readonly #numbers = new Map<object, number>();
  readonly #callbackNumbers = new WeakMap<object, number>();
  readonly #belongings = new Map<object, object[]>();
  readonly #once = new WeakSet<object>();
  /** What Node constructed with a class of XS. */
  readonly #constructed = new WeakMap<object, object[]>();
  /** Objects that got a number while parameters were written. */
  #lent: object[] | undefined;
  /** Callbacks that came with the parameters of the operation that is carried out. */
  #received: object[] = [];
  /** Objects by number, functions of XS as -1 - number. */
  #forgotten: number[] = [];

  constructor(host: KnownObjectsHost) {
    this.#host = host;
  }

  isGlobal(value: object): boolean {
    return this.#host.isGlobal(value);
  }

  numberOf(object: object): number {
    let number = this.#numbers.get(object);
    if (number === undefined) {
      number = this.#objects.push(object) - 1;
      this.#numbers.set(object, number);
      if (isOptions(object)) this.#lent?.push(object);
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
    const known = this;
    const callback = function (this: unknown, ...parameters: unknown[]): unknown {
      const isConstruct = new.target !== undefined;
      const self = isConstruct ? undefined : this;
      const result = known.#host.callXs({ number, isConstruct, self, parameters });
      if (isConstruct && isObject(result)) known.#constructedBy(callback).push(result);
      known.#called(callback, this, parameters);
      return result;
    };
    this.#callbackNumbers.set(callback, number);
    this.#received.push(callback);
    return callback;
  }

  /** Runs what writes parameters: gives what XS has only as long as the call takes. */
  lending(write: () => void): readonly object[] {
    const lent: object[] = [];
    this.#lent = lent;
    try {
      write();
    } finally {
      this.#lent = undefined;
    }
    return lent;
  }

  /** Runs an operation: the callbacks that are read in it are those that it received. */
  during<T>(operation: () => T): T {
    const outer = this.#received;
    this.#received = [];
    try {
      return operation();
    } finally {
      this.#received = outer;
    }
  }

  /** The operation made this object: what it received is the object's. */
  made(object: object): void {
    this.#belongings.set(object, this.#received.splice(0));
  }

  /** The operation on `self` gave `result`; `isOnce`: the callback that it received is called once at most. */
  gave(self: unknown, result: unknown, isOnce: boolean): void {
    const received = this.#received.splice(0);
    const owner = isObject(result) && !isData(result) ? result : self;
    if (!isObject(owner) || received.length === 0) return;
    if (isOnce) this.#once.add(owner);
    this.#belongingsOf(owner).push(...received);
    if (owner === result && isObject(self)) this.#belongingsOf(self).push(owner);
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

  /** What XS may forget since the last time: objects by number, functions as -1 - number. */
  takeForgotten(): readonly number[] {
    return this.#forgotten.splice(0);
  }

  #called(callback: AnyFunction, self: unknown, parameters: readonly unknown[]): void {
    const [first] = parameters;
    const isEnd = callback.name === "onDone" || callback.name === "onError";
    if (isEnd && isObject(self)) this.released(self);
    else if (isObject(first) && this.#once.has(first)) this.released(first);
    else if (first === null && parameters.length === 1) this.#forgetCallback(callback); // the end of a scan
  }

  #belongingsOf(object: object): object[] {
    const belongings = this.#belongings.get(object) ?? [];
    this.#belongings.set(object, belongings);
    return belongings;
  }

  #constructedBy(callback: object): object[] {
    const constructed = this.#constructed.get(callback) ?? [];
    this.#constructed.set(callback, constructed);
    return constructed;
  }

  #forgetCallback(callback: object): void {
    for (const object of this.#constructedBy(callback).splice(0)) this.released(object);
    const number = this.#callbackNumbers.get(callback);
    if (number === undefined) return;
    this.#callbackNumbers.delete(callback);
    this.#forgotten.push(-1 - number);
  }
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

const isOptions = (object: object): boolean =>
  typeof object !== "function" && Object.getPrototypeOf(object) === Object.prototype;

const isData = (value: object): boolean =>
  value instanceof ArrayBuffer || ArrayBuffer.isView(value) || Array.isArray(value);
