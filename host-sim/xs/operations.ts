// What firmware in XS can do with an object of Node: each method, getter, setter and constructor is an operation with a number.
// native/objects.c makes XS's side of an object from its description. It never sends anything.

import type { KnownObjects } from "./known-objects.js";
import type { FrameWriter } from "./value-codec.js";

type Operation = (self: unknown, parameters: unknown[]) => unknown;
type AnyFunction = (...parameters: unknown[]) => unknown;

/** An object's own properties: name, and the operations of a method, or of a getter and a setter. */
type Member =
  | { readonly kind: "m"; readonly name: string; readonly call: number }
  | { readonly kind: "a"; readonly name: string; readonly get: number; readonly set: number };

/** Stands for no number: no prototype but Object's, no setter. */
const NONE = 0xffffffff;

/** What `new` gave: an object of Node, which XS has no instance of yet. */
export class Constructed {
  readonly number: number;
  readonly #members: readonly Member[];

  constructor(number: number, members: readonly Member[]) {
    this.number = number;
    this.#members = members;
  }

  write(frame: FrameWriter): void {
    frame.uint32(this.number);
    writeMembers(frame, this.#members);
  }
}

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

  /** A class, or an object with its own properties. */
  describe(object: object, frame: FrameWriter): void {
    if (typeof object === "function") this.#describeClass(object as AnyFunction, frame);
    else this.#describeObject(object, frame);
  }

  #describeObject(object: object, frame: FrameWriter): void {
    const prototype = Object.getPrototypeOf(object) as object | null;
    const isRoot = prototype === null || prototype === Object.prototype;
    frame.tag("o").uint32(isRoot ? NONE : this.#known.numberOf(prototype));
    frame.byte(Number(Object.hasOwn(object, "constructor")));
    writeMembers(frame, this.#members(object));
    frame.byte(Number(Object.isFrozen(object)));
  }

  #describeClass(made: AnyFunction, frame: FrameWriter): void {
    const { prototype } = made as unknown as { prototype: object };
    frame.tag("c").uint32(this.#add((_self, parameters) => this.#construct(made, parameters)));
    writeMembers(frame, this.#members(made));
    frame.uint32(this.#known.numberOf(prototype));
    writeMembers(
      frame,
      this.#members(prototype).filter(({ name }) => name !== "constructor"),
    );
    frame.byte(Number(Object.isFrozen(made))).byte(Number(Object.isFrozen(prototype)));
  }

  #members(object: object): Member[] {
    return Reflect.ownKeys(object).flatMap((key): Member[] => {
      const name = key === Symbol.iterator ? "@@iterator" : key;
      if (typeof name === "symbol" || isBuiltIn(object, name)) return [];
      const { value, get, set } = Object.getOwnPropertyDescriptor(object, key)!;
      if (isMethod(value) && name !== "constructor") {
        const call = this.#add((self, parameters) => this.#call(value, self ?? object, parameters));
        return [{ kind: "m", name, call }];
      }
      const getter = this.#add((self) => Reflect.get(object, key, self ?? object));
      const isReadOnly = get !== undefined && set === undefined;
      return [{ kind: "a", name, get: getter, set: isReadOnly ? NONE : this.#add(setterOf(object, key)) }];
    });
  }

  #add(operation: Operation): number {
    return this.#operations.push(operation) - 1;
  }

  #construct(made: AnyFunction, parameters: unknown[]): Constructed {
    const object = Reflect.construct(made, parameters) as object;
    const number = this.#known.numberOf(object);
    this.#known.made(object);
    const from = usedUpBy(parameters);
    if (from) this.#known.released(from);
    // What is given as target XS keeps by itself: see native/operations.c.
    const members = this.#members(object).filter(({ name }) => name !== "target");
    return new Constructed(number, members);
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

function writeMembers(frame: FrameWriter, members: readonly Member[]): void {
  frame.uint32(members.length);
  for (const member of members) {
    frame.tag(member.kind).text(member.name);
    if (member.kind === "m") frame.uint32(member.call);
    else frame.uint32(member.get).uint32(member.set);
  }
}

const setterOf =
  (holder: object, key: PropertyKey): Operation =>
  (self, [value]) => {
    Reflect.set(holder, key, value, self ?? holder);
  };

/** What `new TCP({from})` has taken the connection of: on the chip nothing holds it any more. */
function usedUpBy([options]: readonly unknown[]): object | undefined {
  const from: unknown =
    typeof options === "object" && options !== null && "from" in options ? options.from : undefined;
  return typeof from === "object" && from !== null ? from : undefined;
}

/** A function that is no class: a class goes across as a value. */
const isMethod = (value: unknown): value is AnyFunction =>
  typeof value === "function" && !/^class\b/.test(Function.prototype.toString.call(value));

/** What classes have in any case. */
const isBuiltIn = (object: object, name: string): boolean =>
  typeof object === "function" && ["length", "name", "prototype"].includes(name);
