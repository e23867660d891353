// `hex`: bytes as pairs of hexadecimal digits (capital letters), with or without a separator.

import type { Native } from "./native.js";

const DEFAULT_DIGITS = "0123456789ABCDEF";

export function createHex(native: Native): object {
  function separatorOf(parameters: readonly unknown[]): string {
    const separator = parameters.length > 1 ? native.text(parameters[1]) : "";
    const isGood = separator.length <= 1 && separator <= "\x7f" && separator !== "\0";
    if (!isGood) throw native.error("invalid separator");
    return separator;
  }

  return {
    toString(...parameters: unknown[]): string {
      native.needArguments(parameters, 1);
      const bytes = native.bytesOf(parameters[0]);
      const separator = separatorOf(parameters);
      const digits = parameters.length > 2 ? native.text(parameters[2]) : DEFAULT_DIGITS;
      if (!/^\p{ASCII}{16}$/u.test(digits) || digits.includes("\0")) throw native.error("bad string");
      return Array.from(bytes, (byte) => `${digits[byte >> 4]}${digits[byte & 15]}`).join(separator);
    },

    toBuffer(...parameters: unknown[]): ArrayBuffer {
      const separator = separatorOf(parameters);
      native.needArguments(parameters, 1);
      const text = native.text(parameters[0]);
      if (text.length < 2) throw native.error("string too small");
      const step = 2 + separator.length;
      if ((text.length + separator.length) % step !== 0) throw native.error("bad string length");
      const bytes = new Uint8Array((text.length + separator.length) / step);
      for (let index = 0; index < bytes.length; index += 1) {
        const at = index * step;
        if (index > 0 && separator !== "" && text[at - 1] !== separator)
          throw native.error("expected separator");
        const pair = text.slice(at, at + 2);
        if (!/^[0-9A-Fa-f]{2}$/.test(pair)) throw native.error("bad data");
        bytes[index] = Number.parseInt(pair, 16);
      }
      return native.arrayBuffer(bytes);
    },
  };
}
