// Freezes every built-in object of a device's realm, as the SDK's preload does: firmware can add to the global object, but
// cannot change what it finds there. Run inside the realm after everything is in place.

() => {
  const seen = new Set([globalThis]);
  const waiting = [];
  const visit = (value) => {
    if (value === null || (typeof value !== "object" && typeof value !== "function") || seen.has(value))
      return;
    seen.add(value);
    waiting.push(value);
  };
  for (const key of Reflect.ownKeys(globalThis)) visit(Reflect.get(globalThis, key));
  // What is reached by syntax only.
  visit(Object.getPrototypeOf(function* () {}));
  visit(Object.getPrototypeOf(async () => {}));
  visit(Object.getPrototypeOf(async function* () {}));
  for (const iterable of [[], "", new Map(), new Set(), "".matchAll(/a/g)])
    visit(iterable[Symbol.iterator]());
  for (let object = waiting.pop(); object !== undefined; object = waiting.pop()) {
    visit(Object.getPrototypeOf(object));
    for (const key of Reflect.ownKeys(object)) {
      const { value, get, set } = Object.getOwnPropertyDescriptor(object, key);
      for (const found of [value, get, set]) visit(found);
    }
    if (!ArrayBuffer.isView(object)) Object.freeze(object);
  }
};
