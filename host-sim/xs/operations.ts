// What firmware in XS can do with an object of Node: each method, getter, setter and constructor is an operation with a number.
// prelude.js makes XS's side of an object from its description. It never sends anything.

import type { KnownObjects } from "./known-objects.js";

type Operation = (self: unknown, parameters: unknown[]) => unknown;
type AnyFunction = (...parameters: unknown[]) => unknown;

export class Operations {
  readonly #known: KnownObjects;
  readonly #operations: Operation[];

  /** `importModule` gives the exports of a module of the SDK; it is operation 0, which prelude.js knows. */
  constructor(known: KnownObjects, importModule: (specifier: string) => object) {
    this.#known = known;
    this.#operations = [(_self, [specifier]) => importModule(String(specifier))];
  }

  /** @throws what the module throws */
  carryOut(number: number, self: unknown, parameters: unknown[]): unknown {
    return this.#operations[number]!(self, parameters);
  }

  /** A class, or an object with what it has of its own: see prelude.js. */
  describe(object: object): unknown[] {
    if (typeof object === "function") return this.#describeClass(object as AnyFunction);
    const prototype = Object.getPrototypeOf(object) as object | null;
    const isRoot = prototype === null || prototype === Object.prototype;
    return ["object", isRoot ? undefined : prototype, this.#members(object), Object.isFrozen(object)];
  }

  #describeClass(made: AnyFunction): unknown[] {
    const { prototype } = made as unknown as { prototype: object };
    const number = this.#known.numberOf(prototype);
    return [
      "class",
      this.#add((_self, parameters) => this.#construct(made, parameters)),
      this.#members(made),
      number,
      this.#members(prototype).filter(([, name]) => name !== "constructor"),
      Object.isFrozen(made),
      Object.isFrozen(prototype),
    ];
  }

  #members(object: object): unknown[][] {
    return Reflect.ownKeys(object).flatMap((key) => {
      const name = key === Symbol.iterator ? "@@iterator" : key;
      if (typeof name === "symbol" || isBuiltIn(object, name)) return [];
      const { value, get, set } = Object.getOwnPropertyDescriptor(object, key)!;
      if (isMethod(value) && name !== "constructor")
        return [["m", name, this.#add((self, parameters) => this.#call(value, self ?? object, parameters))]];
      const getter = this.#add((self) => Reflect.get(object, key, self ?? object));
      const isReadOnly = get !== undefined && set === undefined;
      return [["a", name, getter, isReadOnly ? undefined : this.#add(setterOf(object, key))]];
    });
  }

  #add(operation: Operation): number {
    return this.#operations.push(operation) - 1;
  }

  /** What `new` gives back to prelude.js: the object's number and its own members. */
  #construct(made: AnyFunction, parameters: unknown[]): unknown[] {
    const object = Reflect.construct(made, parameters) as object;
    const number = this.#known.numberOf(object);
    this.#known.made(object);
    return [number, this.#members(object)];
  }

  #call(method: AnyFunction, target: unknown, parameters: unknown[]): unknown {
    const result: unknown = Reflect.apply(method, target, parameters);
    const [first, , repeat] = parameters;
    const known = this.#known;
    known.gave(target, result, method.name === "set" && !repeat);
    if (method.name === "close" && typeof target === "object") known.released(target as object);
    if (method.name === "schedule" && typeof first === "object" && first !== null) known.firesAgain(first);
    if (method.name === "clear" && typeof first === "object" && first !== null) known.released(first);
    return result;
  }
}

const setterOf =
  (holder: object, key: PropertyKey): Operation =>
  (self, [value]) => {
    Reflect.set(holder, key, value, self ?? holder);
  };

/** A function that is no class: a class goes across as a value. */
const isMethod = (value: unknown): value is AnyFunction =>
  typeof value === "function" && !/^class\b/.test(Function.prototype.toString.call(value));

/** What classes have in any case. */
const isBuiltIn = (object: object, name: string): boolean =>
  typeof object === "function" && ["length", "name", "prototype"].includes(name);
