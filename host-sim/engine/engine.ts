// What runs the JavaScript of one boot. Everything around it (event loop, time, modules, ways to end) is the same for every
// engine; V8, in this process, is the default.

import { compileBundle, type ModuleTable, realmFor, runBundle } from "./evaluate.js";
import type { Realm } from "./realm.js";

/** One boot's firmware. */
export interface EngineBoot {
  /** Where its objects live: who hands it buffers and errors makes them here. */
  readonly realm: Realm;
  /** Runs the bundle's module body; called once, inside a turn. */
  run(modules: ModuleTable): void;
  /** The boot is over. */
  close(): void;
}

export interface Engine {
  /** @param bundle the text of one ES module that imports only the SDK's modules */
  start(bundle: string): EngineBoot;
}

export const v8Engine: Engine = {
  start(bundle) {
    const realm = realmFor(bundle);
    return {
      realm,
      run: (modules) => runBundle(compileBundle(bundle, realm), modules, realm),
      close: () => {},
    };
  },
};
