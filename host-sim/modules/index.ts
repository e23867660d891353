// The SDK's modules for one boot, by specifier: made when firmware imports them, handed over to the device's realm and then
// frozen where the SDK freezes them. Composition only.

import type { ModuleTable } from "../engine/evaluate.js";
import type { Machine } from "../machine/machine.js";
import { createAnalog } from "./analog.js";
import { createBase64 } from "./base64.js";
import { type BitmapModule, createBitmap } from "./bitmap.js";
import { createDigest } from "./crypt.js";
import { createDigital } from "./digital.js";
import { createFfi } from "./ffi.js";
import { createFlash, type FlashModule } from "./flash.js";
import { createGdew0154m09 } from "./gdew0154m09.js";
import { createHex } from "./hex.js";
import { createI2c } from "./i2c.js";
import { createKeyValue } from "./key-value.js";
import { createNative } from "./native.js";
import { createNeoPixel } from "./neopixel.js";
import { createNetworkModules } from "./network/network-modules.js";
import { createPoco } from "./poco.js";
import { createPreference } from "./preference.js";
import { createSht3x } from "./sht3x.js";
import { createTextDecoder, createTextEncoder } from "./text.js";
import { createTimer } from "./timer.js";
import { createUpdate } from "./update.js";

/** Namespace objects by specifier, such as `{default: Timer}`. */
export function createModules(machine: Machine): ModuleTable {
  const { realm } = machine;
  const native = createNative(machine);
  let flash: FlashModule | undefined;
  let network: ReadonlyMap<string, object> | undefined;
  const flashModule = (): FlashModule => {
    flash ??= createFlash(machine, native);
    return flash;
  };
  let bitmap: BitmapModule | undefined;
  const bitmapModule = (): BitmapModule => {
    bitmap ??= createBitmap(machine, native);
    return bitmap;
  };
  const factories: Readonly<Record<string, () => object>> = {
    "embedded:storage/key-value": () => ({ default: frozen(createKeyValue(machine, native)) }),
    "embedded:storage/flash": () => ({ default: frozen(flashModule().exported) }),
    "embedded:update": () => ({ default: frozen(createUpdate(machine, native, flashModule())) }),
    "embedded:io/digital": () => ({ default: createDigital(machine, native) }),
    "embedded:io/i2c": () => ({ default: createI2c(machine, native) }),
    "embedded:io/analog": () => ({ default: createAnalog(machine, native) }),
    "embedded:sensor/Humidity-Temperature/SHT3x": () => ({ default: createSht3x(machine, native) }),
    "commodetto/Bitmap": () => ({ default: bitmapModule().Bitmap }),
    "commodetto/Poco": () => ({ default: createPoco(machine, native, bitmapModule()) }),
    gdew0154m09: () => ({ default: createGdew0154m09(machine, native) }),
    neopixel: () => ({ default: createNeoPixel(machine, native) }),
    preference: () => ({ default: createPreference(machine, native) }),
    timer: () => ({ default: createTimer(machine, native) }),
    crypt: () => {
      const Digest = createDigest(machine, native);
      return { Digest, default: frozen({ Digest }) };
    },
    "text/encoder": () => ({ default: createTextEncoder(machine, native) }),
    "text/decoder": () => ({ default: createTextDecoder(native) }),
    base64: () => ({ default: frozen(createBase64(native)) }),
    hex: () => ({ default: frozen(createHex(native)) }),
    "mc/ffi": () => ({ default: createFfi(machine, native) }),
  };
  const modules = new Map<string, object>();

  /** As `Object.freeze(value, true)` does for the objects of one level that the SDK exports. */
  function frozen(value: object): object {
    realm.adopt(value);
    for (const inner of Object.values(value)) Object.freeze(inner);
    return Object.freeze(value);
  }

  function create(specifier: string): object | undefined {
    if (Object.hasOwn(factories, specifier)) return factories[specifier]?.();
    network ??= createNetworkModules(machine);
    return network.get(specifier);
  }

  return {
    get(specifier) {
      let found = modules.get(specifier);
      if (found === undefined) {
        const made = create(specifier);
        if (made === undefined) return undefined;
        found = Object.freeze(realm.adopt(made));
        modules.set(specifier, found);
      }
      return found;
    },
  };
}
