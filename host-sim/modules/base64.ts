// `base64`: the standard alphabet with padding. Decoding skips characters outside the alphabet and drops an incomplete group of four.

import { encodeText } from "../engine/realm.js";
import type { Native } from "./native.js";

export function createBase64(native: Native): object {
  return {
    encode(...parameters: [unknown?]): string {
      native.needArguments(parameters, 1);
      const [data] = parameters;
      const bytes = typeof data === "string" ? encodeText(data) : native.bytesOf(data);
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
    },

    decode(...parameters: [unknown?]): ArrayBuffer {
      native.needArguments(parameters, 1);
      const text = native.text(parameters[0]).replace(/[^A-Za-z0-9+/=]/g, "");
      const isPadded = (digits: string): boolean => /^[^=]{2}==$|^[^=]{3}=$/.test(digits);
      const groups: string[] = [];
      let digits = "";
      for (let index = 0; index < text.length; index += 1) {
        const digit = text[index]!;
        const isSecondOfTwo = digits.length === 2 && text[index + 1] === "=";
        if (digit === "=" && !(digits.length === 3 || isSecondOfTwo)) continue;
        digits += digit === "=" && digits.length === 2 ? "==" : digit;
        if (digits.length < 4) continue;
        groups.push(digits);
        if (isPadded(digits)) break;
        digits = "";
      }
      return native.arrayBuffer(Buffer.from(groups.join(""), "base64"));
    },
  };
}
