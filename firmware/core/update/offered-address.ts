// The addresses in an answer of the server: absolute, or a path at the server itself. Only reads them.

import { addressText, readAddress, resolveAddress } from "../http/address.js";

/** Characters of an address: two of them are kept for as long as the update takes. */
export const MAX_URL_LENGTH = 500;

/** Absolute, or a path at the server. */
export function offeredAddress(server: string, url: string): ReturnType<typeof readAddress> {
  const base = url.startsWith("/") && url.length <= MAX_URL_LENGTH ? readAddress(server) : undefined;
  return base?.ok ? resolveAddress(url, base.value) : readAddress(url, MAX_URL_LENGTH);
}

export function absoluteUrl(server: string, url: string): string {
  const read = offeredAddress(server, url);
  return read.ok ? addressText(read.value) : url;
}
