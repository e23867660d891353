// Modules that run-tests-in-xs.ts answers over the bridge.

declare module "skyslot:report" {
  /** A test is over; `error` is empty if it passed. */
  export function finished(name: string, error: string): void;
}

declare module "skyslot:node" {
  export function encode(text: string, encoding: string): Uint8Array;
  export function decode(bytes: Uint8Array, encoding: string): string;
  /** Throws if the bytes are not UTF-8. */
  export function decodeStrictly(bytes: Uint8Array): string;
  export function encodeForm(fields: Record<string, string>): string;
}

declare module "skyslot:load" {
  export const nodeCount: number;
  /** As a gateway keeps it. */
  export const order: string;
}
