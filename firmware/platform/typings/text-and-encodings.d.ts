// modules/data: text/encoder, text/decoder, base64 (standard alphabet only), hex.

declare module "text/encoder" {
  export default class TextEncoder {
    encode(text: string): Uint8Array;
    encodeInto(text: string, destination: Uint8Array): { readonly read: number; readonly written: number };
  }
}

declare module "text/decoder" {
  export default class TextDecoder {
    constructor(label?: "utf-8", options?: { readonly fatal?: boolean; readonly ignoreBOM?: boolean });
    decode(input?: ByteBuffer, options?: { readonly stream?: boolean }): string;
  }
}

declare module "base64" {
  const base64: { encode(source: ByteBuffer | string): string; decode(text: string): ArrayBuffer };
  export default base64;
}

declare module "hex" {
  const hex: {
    toString(buffer: ByteBuffer, separator?: string): string;
    toBuffer(text: string, separator?: string): ArrayBuffer;
  };
  export default hex;
}
