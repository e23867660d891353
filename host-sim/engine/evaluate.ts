// From the text of a firmware bundle (one ES module that imports only the SDK's modules) to running code. What was
// compiled is kept, by text, so that the next boot of the same firmware starts at once. It decides nothing about devices.

import { instrumentModule } from "./instrument.js";
import { lowerAsync } from "./lower.js";
import { type CompiledModule, type Importer, Realm } from "./realm.js";

/** The SDK's modules by specifier; undefined: there is none of that name. */
export interface ModuleTable {
  get(specifier: string): object | undefined;
}

/** Name of a bundle in stack traces. */
export const BUNDLE_NAME = "main.js";

/** Bundles whose compiled form is kept. */
const CACHE_COUNT_MAX = 64;

/** Who speaks of the global object could leave something there for the next boot, or for another device. */
const NEEDS_OWN_REALM = /\bglobalThis\b|\bglobal\b|\beval\b|\bFunction\b/;

const cache = new Map<string, { readonly text: string; module: CompiledModule | undefined }>();
let sharedRealm: Realm | undefined;

/** The realm for a boot of this bundle: the shared one, or a separate one. */
export function realmFor(bundle: string): Realm {
  if (!isCachedForShared(bundle) && NEEDS_OWN_REALM.test(bundle)) return new Realm();
  sharedRealm ??= new Realm();
  return sharedRealm;
}

/** Compiled for the shared realm before: it was looked at then. */
const isCachedForShared = (bundle: string): boolean => cache.get(bundle)?.module !== undefined;

/** Compiles a bundle for a realm that realmFor gave. @throws SyntaxError of the realm */
export function compileBundle(bundle: string, realm: Realm): CompiledModule {
  const isShared = realm === sharedRealm;
  let entry = cache.get(bundle);
  try {
    if (entry === undefined) {
      entry = { text: instrumentModule(lowerAsync(bundle)), module: undefined };
      if (cache.size >= CACHE_COUNT_MAX) cache.delete(cache.keys().next().value!);
      cache.set(bundle, entry);
    }
    if (!isShared) return realm.compile(entry.text, BUNDLE_NAME);
    entry.module ??= realm.compile(entry.text, BUNDLE_NAME);
    return entry.module;
  } catch (error) {
    throw new realm.SyntaxError(error instanceof Error ? error.message : String(error));
  }
}

/** Runs a compiled bundle to the end of its module body. Errors are the firmware's own, or the realm's for a bad import. */
export function runBundle(module: CompiledModule, modules: ModuleTable, realm: Realm): void {
  const load = (specifier: string): Readonly<Record<string, unknown>> => {
    const found = modules.get(specifier);
    if (found === undefined) throw new realm.ReferenceError(`module "${specifier}" not found`);
    return found as Readonly<Record<string, unknown>>;
  };
  const importer = (specifier: string, names: readonly string[]): Readonly<Record<string, unknown>> => {
    const found = load(specifier);
    for (const name of names) {
      if (!(name in found)) throw new realm.SyntaxError(`module "${specifier}" has no export "${name}"`);
    }
    return found;
  };
  const later = (specifier: string): unknown =>
    new realm.Promise((resolve) => resolve(load(String(specifier))));
  module(realm.adopt(Object.assign(importer, { later }) satisfies Importer), realm.object({}));
}
