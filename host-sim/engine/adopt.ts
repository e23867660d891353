// Makes functions, classes and plain objects of the host look as if the device's realm had made them: their prototype
// chains then end in the realm, so that firmware which follows them finds no Node built-in. Changes the objects in place.

/** Where the chains of adopted objects end. */
export interface AdoptingRealm {
  readonly Object: ObjectConstructor;
  readonly Function: FunctionConstructor;
  readonly Array: ArrayConstructor;
}

const hostFunctionPrototypes: ReadonlySet<object> = new Set([
  Function.prototype,
  Object.getPrototypeOf(function* () {}),
  Object.getPrototypeOf(async () => {}),
]);

/** Adopts a value and whatever its own properties lead to. Frozen objects stay as they are: adopt before freezing. */
export function adopt<T>(value: T, realm: AdoptingRealm): T {
  const seen = new Set<unknown>();
  const waiting: object[] = [];
  const visit = (found: unknown): void => {
    if (found === null || (typeof found !== "object" && typeof found !== "function") || seen.has(found))
      return;
    seen.add(found);
    waiting.push(found);
  };
  visit(value);
  for (let object = waiting.pop(); object !== undefined; object = waiting.pop()) {
    const prototype: object | null = Object.getPrototypeOf(object);
    if (prototype === null) continue;
    const home = homeOf(prototype, realm);
    if (home === undefined && !isHostMade(prototype)) continue;
    if (home === undefined) visit(prototype);
    else if (Object.isExtensible(object)) Object.setPrototypeOf(object, home);
    for (const key of Reflect.ownKeys(object)) {
      const { value: found, get, set } = Reflect.getOwnPropertyDescriptor(object, key)!;
      for (const part of [found, get, set]) visit(part);
    }
  }
  return value;
}

function homeOf(prototype: object, realm: AdoptingRealm): object | undefined {
  if (prototype === Object.prototype) return realm.Object.prototype;
  if (prototype === Array.prototype) return realm.Array.prototype;
  return hostFunctionPrototypes.has(prototype) ? realm.Function.prototype : undefined;
}

/** Whether the chain ends in the host's realm: then it is a class of the host that has to be adopted too. */
function isHostMade(prototype: object): boolean {
  let last = prototype;
  for (let next = Object.getPrototypeOf(last); next !== null; next = Object.getPrototypeOf(last)) last = next;
  return last === Object.prototype;
}
