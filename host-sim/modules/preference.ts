// `preference` over the virtual NVS: the SDK's older store of settings. A domain is an NVS namespace; booleans, integers, strings and
// ArrayBuffers are kept as u8, i32, str and blob. It keeps nothing itself.

import type { Nvs, NvsType, NvsValue } from "../hardware/nvs/nvs.js";
import type { Machine } from "../machine/machine.js";
import { boundedString } from "./conversion.js";
import type { Native } from "./native.js";

/** The native code's buffers for keys and, in delete, domains, with the final zero. */
const NAME_BYTES_MAX = 64;
/** The types that a key is looked for, in this order. */
const READ_TYPES: readonly NvsType[] = Object.freeze(["u8", "i32", "str", "blob"]);
const [INT32_MIN, INT32_MAX] = [-(2 ** 31), 2 ** 31 - 1];

interface Stored {
  readonly type: NvsType;
  readonly value: NvsValue;
}

export function createPreference(machine: Machine, native: Native): object {
  function nvs(): Nvs {
    if (machine.nvs === undefined) throw native.error("nvs_open fail");
    return machine.nvs;
  }

  function stored(value: unknown): Stored {
    if (typeof value === "boolean") return { type: "u8", value: value ? 1 : 0 };
    if (typeof value === "string") return { type: "str", value };
    if (typeof value === "number") {
      if (!Number.isInteger(value) || value < INT32_MIN || value > INT32_MAX)
        throw native.error("float unsupported");
      return { type: "i32", value };
    }
    if (Object.prototype.toString.call(value) === "[object ArrayBuffer]") {
      return { type: "blob", value: native.bytesOf(value).slice() };
    }
    throw native.error("unsupported type");
  }

  function loaded({ type, value }: Stored): unknown {
    if (type === "u8") return value !== 0;
    return value instanceof Uint8Array ? native.arrayBuffer(value) : value;
  }

  // biome-ignore lint/complexity/noStaticOnlyClass: firmware can construct it, as on the chip
  class Preference {
    static set(...parameters: unknown[]): void {
      native.needArguments(parameters, 1);
      const { error, handle } = nvs().open(native.text(parameters[0]), "readwrite");
      if (handle === undefined || error !== "ESP_OK") throw native.error("nvs_open fail");
      native.needArguments(parameters, 2);
      const key = boundedString(native, parameters[1], NAME_BYTES_MAX);
      native.needArguments(parameters, 3);
      const { type, value } = stored(parameters[2]);
      handle.erase(key);
      if (handle.set(key, type, value) !== "ESP_OK") throw native.error("nvs set fail");
    }

    static get(...parameters: unknown[]): unknown {
      if (parameters.length < 2) throw native.syntaxError("C: xsArg(1): invalid index");
      const key = boundedString(native, parameters[1], NAME_BYTES_MAX);
      const { handle } = nvs().open(native.text(parameters[0]), "readonly");
      const found = handle?.typeOf(key);
      if (handle === undefined || found === undefined || !READ_TYPES.includes(found)) return undefined;
      const { value } = handle.get(key, found);
      if (value === undefined) throw native.error("nvs get fail");
      return loaded({ type: found, value });
    }

    static delete(...parameters: unknown[]): void {
      native.needArguments(parameters, 1);
      const domain = boundedString(native, parameters[0], NAME_BYTES_MAX);
      native.needArguments(parameters, 2);
      const key = boundedString(native, parameters[1], NAME_BYTES_MAX);
      const error = nvs().open(domain, "readwrite").handle?.erase(key) ?? "ESP_OK";
      if (error !== "ESP_OK" && error !== "ESP_ERR_NVS_NOT_FOUND") throw native.error("nvs erase fail");
    }

    static keys(...parameters: unknown[]): string[] {
      native.needArguments(parameters, 1);
      return native.array(
        nvs()
          .list(native.text(parameters[0]))
          .map(({ key }) => key),
      );
    }
  }
  Object.freeze(Preference.prototype);
  return Preference;
}
