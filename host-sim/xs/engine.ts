// Runs firmware inside the real XS engine: the same bundle, the same virtual modules and machine as with V8, only the language is
// XS's. A boot is a process; when the boot is over the process is gone. Code takes no virtual time here, because V8 and XS count
// different steps: give V8 `weightless` too where the runs of both are compared.

import type { Engine, EngineBoot } from "../engine/engine.js";
import { compileBundle, type ModuleTable, realmFor, runBundle } from "../engine/evaluate.js";
import type { Realm, RealmHost } from "../engine/realm.js";
import { type BridgeOptions, XsBridge } from "./bridge.js";
import { MachineEnded } from "./worker.js";

/** About 36 instructions of the ESP32 a bytecode: 5 s at 160 MHz, the task watchdog's time. */
const WATCHDOG_BYTECODES = 22_000_000;

export interface XsEngineOptions extends Omit<BridgeOptions, "turnBudget"> {
  /** Called with each boot's machine before the firmware runs. */
  readonly onBoot?: (bridge: XsBridge) => void;
  /** Called when the firmware's module body has run. */
  readonly onStarted?: (bridge: XsBridge) => void;
  /** Called with what XS prints on a chip's serial line, such as `# Slot allocation: failed for 1024 bytes`. */
  readonly onReport?: (text: string) => void;
}

export function xsEngine(options: XsEngineOptions): Engine {
  return {
    start(bundle): EngineBoot {
      const realm = new XsRealm();
      let bridge: XsBridge | undefined;
      return {
        realm: realm as unknown as Realm,
        run(modules) {
          const host = realm.bridgeHost(modules, () => bridge?.runPromiseJobs());
          const report = (text: string) => options.onReport?.(text);
          bridge = new XsBridge({ ...host, report }, { ...options, turnBudget: WATCHDOG_BYTECODES });
          options.onBoot?.(bridge);
          bridge.run(bundle);
          options.onStarted?.(bridge);
        },
        close: () => bridge?.close(),
      };
    },
  };
}

/** V8, but code takes no virtual time: what runs are compared with. */
export const weightless: Engine = {
  start(bundle) {
    const realm = realmFor(bundle);
    return {
      realm: new Proxy(realm, { get: weightlessProperty }),
      run: (modules) => runBundle(compileBundle(bundle, realm), modules, realm),
      close: () => {},
    };
  },
};

function weightlessProperty(realm: Realm, name: keyof Realm): unknown {
  if (name === "tickCount") return 0;
  if (name === "enter") {
    return (...[host, limits, action, onEnd]: Parameters<Realm["enter"]>) =>
      realm.enter(host, limits, action, () => onEnd(0));
  }
  const value: unknown = realm[name];
  const isMethod = typeof value === "function" && !("prototype" in value);
  return isMethod ? (value as () => unknown).bind(realm) : value;
}

/** What a machine and the virtual modules take for the device's realm: Node's own, since the bridge copies what goes to XS. */
class XsRealm {
  readonly globalThis = {};
  readonly Object = Object;
  readonly Function = Function;
  readonly Array = Array;
  readonly ArrayBuffer = ArrayBuffer;
  readonly Uint8Array = Uint8Array;
  readonly DataView = DataView;
  readonly Map = Map;
  readonly Set = Set;
  readonly Promise = Promise;
  readonly Error = Error;
  readonly TypeError = TypeError;
  readonly RangeError = RangeError;
  readonly SyntaxError = SyntaxError;
  readonly ReferenceError = ReferenceError;
  readonly tickCount = 0;
  #current: RealmHost | undefined;

  enter(host: RealmHost, _limits: unknown, action: () => void, onEnd: (tickCount: number) => void): void {
    const outer = this.#current;
    this.#current = host;
    try {
      action();
    } catch (error) {
      if (!(error instanceof MachineEnded)) throw error;
      this.#ended(host, error);
    } finally {
      onEnd(0);
      this.#current = outer;
    }
  }

  limitTicks(): void {}
  adopt<T>(value: T): T {
    return value;
  }
  object<T extends object>(properties: T): T {
    return { ...properties };
  }
  array<T>(items: Iterable<T>): T[] {
    return [...items];
  }
  buffer(bytes: Uint8Array): ArrayBuffer {
    return new Uint8Array(bytes).buffer;
  }

  bridgeHost(modules: ModuleTable, runPromiseJobs: () => void) {
    const current = (): RealmHost => {
      if (this.#current === undefined) throw new Error("firmware runs outside a turn of its device");
      return this.#current;
    };
    return {
      moduleOf: (specifier: string) => modules.get(specifier),
      uptimeMs: () => current().uptimeMs(),
      random: () => current().random(),
      trace: (text: string) => current().trace(text),
      promiseJobsQueued: () => current().queueJob(runPromiseJobs),
      isGlobal: (value: object) => value === this.globalThis,
      isForFirmware: (error: unknown) => {
        if (error instanceof MachineEnded) return false;
        current().caught(error); // throws when the boot is over
        return error instanceof Error;
      },
    };
  }

  /** XS said why it cannot go on; the words are native/platform.c's. */
  #ended(host: RealmHost, error: MachineEnded): void {
    if (error.message === "too much computation") host.overrun();
    if (error.message === "memory full") host.outOfMemory();
    if (error.message === "stack overflow") throw new RangeError("Maximum call stack size exceeded");
    throw error;
  }
}
