// Runs inside XS before a firmware: makes XS's side of Node's objects, and keeps what both sides know by a number. Then it
// freezes the built-in objects, as preloading does on the device. Its functions are called by the C files of native, not by firmware.
//
// A description of an object of Node: ["object", prototype, members, is it frozen], ["class", operation, members, prototype, its
// members, are both frozen]; members are name, operations in turn: ["m", name, operation] a method, ["a", name, get, set or undefined] an accessor.

const REMOTE = Symbol("remote");
const objects = [];
const callbacks = [];
const spare = [];
const newOperation = operation;

function define(target, members) {
  for (const [kind, text, first, second] of members) {
    const name = text === "@@iterator" ? Symbol.iterator : text;
    if (kind === "m")
      Object.defineProperty(target, name, { value: newOperation(first), configurable: true, writable: true });
    else
      Object.defineProperty(target, name, {
        get: newOperation(first),
        set: second === undefined ? undefined : newOperation(second),
        configurable: true,
      });
  }
}

function remember(number, object) {
  Object.defineProperty(object, REMOTE, { value: number });
  objects[number] = object;
  return object;
}

function newClass(
  number,
  [, operation, members, prototypeNumber, prototypeMembers, isFrozen, isPrototypeFrozen],
) {
  const construct = newOperation(operation);
  const made = function (...parameters) {
    const [id, own] = construct(...parameters);
    remember(id, this);
    define(this, own);
  };
  define(made, members);
  if (!objects[prototypeNumber]) define(remember(prototypeNumber, {}), prototypeMembers);
  const prototype = objects[prototypeNumber];
  if (!Object.hasOwn(prototype, "constructor"))
    Object.defineProperty(prototype, "constructor", { value: made, configurable: true, writable: true });
  made.prototype = isPrototypeFrozen ? Object.freeze(prototype) : prototype;
  remember(number, made);
  return isFrozen ? Object.freeze(made) : made;
}

/** What an object of firmware has, with the methods of its class. */
function properties(value) {
  const entries = Object.entries(value).flat();
  let prototype = Object.getPrototypeOf(value);
  for (; prototype && prototype !== Object.prototype; prototype = Object.getPrototypeOf(prototype)) {
    for (const [name, { value: method }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (name === "constructor" || typeof method !== "function" || entries.includes(name)) continue;
      entries.push(name, (...parameters) => value[name](...parameters));
    }
  }
  return entries;
}

function tags(value) {
  if (Object.hasOwn(value, REMOTE)) return ["h", value[REMOTE]];
  if (typeof value === "function") {
    const number = spare.length > 0 ? spare.pop() : callbacks.length;
    callbacks[number] = value;
    return ["c", number];
  }
  if (value instanceof Error) return ["e", value.name, value.message];
  if (Array.isArray(value)) return ["a", ...value];
  if (value instanceof Map) return ["m", ...Array.from(value).flat()];
  return ["o", ...properties(value)];
}

const ERRORS = { Error, TypeError, RangeError, SyntaxError, ReferenceError };

function pairs(flat, put) {
  for (let i = 0; i < flat.length; i += 2) put(flat[i], flat[i + 1]);
}

adopt({
  flatten: tags,
  known: (number) => objects[number],
  make(number, description) {
    if (description[0] === "class") return newClass(number, description);
    const object = Object.create(description[1] ?? Object.prototype);
    define(object, description[2]);
    remember(number, object);
    return description[3] ? Object.freeze(object) : object;
  },
  callback: (number) => callbacks[number],
  construct:
    (number) =>
    (...parameters) =>
      new callbacks[number](...parameters),
  digits: (value) => value.toString(),
  bigint: (digits) => BigInt(digits),
  object(flat) {
    const object = {};
    pairs(flat, (name, value) => {
      object[name] = value;
    });
    return object;
  },
  map(flat) {
    const map = new Map();
    pairs(flat, (key, value) => map.set(key, value));
    return map;
  },
  dressed(buffer, flat) {
    pairs(flat, (name, value) => {
      buffer[name] = value;
    });
    return buffer;
  },
  view: (buffer) => new Uint8Array(buffer),
  error([name, message]) {
    return new (ERRORS[name] ?? Error)(message);
  },
  /** Numbers of objects, and of callbacks as -1 - number. */
  forget(numbers) {
    for (const number of numbers) {
      if (number >= 0) delete objects[number];
      else if (callbacks[-1 - number]) {
        callbacks[-1 - number] = undefined;
        spare.push(-1 - number);
      }
    }
  },
});

/** The exports of an SDK module, from Node. */
export const namespace = newOperation(0);

delete globalThis.operation;
delete globalThis.adopt;
for (const name of Object.getOwnPropertyNames(globalThis)) {
  const value = globalThis[name];
  if (value !== globalThis && (typeof value === "function" || typeof value === "object") && value)
    Object.freeze(value, true);
}
