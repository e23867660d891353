/**
 * IPv4 addresses as text and as numbers, read the way lwIP reads them. No interfaces and no names.
 */

/** One part of `inet_aton`: decimal, `0x` hexadecimal or `0` octal. */
function parsePart(text: string): number | undefined {
  if (/^0[xX][0-9a-fA-F]+$/.test(text)) return Number.parseInt(text.slice(2), 16);
  if (/^0[0-7]*$/.test(text)) return Number.parseInt(text, 8);
  if (/^[1-9][0-9]*$/.test(text)) return Number.parseInt(text, 10);
  return undefined;
}

/**
 * Reads an address as lwIP's `ipaddr_aton` does for IPv4: one to four parts, the last fills what is left.
 * Gives the address as an unsigned 32-bit number, or undefined if the text is none.
 */
function parseAddress(text: string): number | undefined {
  const parts = text.split(".").map(parsePart);
  if (parts.length > 4 || parts.some((part) => part === undefined)) return undefined;
  const numbers = parts as number[];
  const last = numbers.pop() as number;
  if (last >= 256 ** (4 - numbers.length) || numbers.some((part) => part > 255)) return undefined;
  const high = numbers.reduce((sum, part, index) => sum + part * 256 ** (3 - index), 0);
  return high + last;
}

/** Writes an unsigned 32-bit number as a dotted address. */
function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join(".");
}

/** An address in its one usual spelling ("127.1" becomes "127.0.0.1"), or undefined. */
export function normalizeAddress(text: string): string | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : formatAddress(address);
}

/** Whether two addresses share their first three parts: every network of the simulator is a /24. */
export function sameSubnet(a: string, b: string): boolean {
  return a.slice(0, a.lastIndexOf(".")) === b.slice(0, b.lastIndexOf("."));
}

export function isLoopback(address: string): boolean {
  return address.startsWith("127.");
}

export function isMulticast(address: string): boolean {
  const first = Number.parseInt(address, 10);
  return first >= 224 && first <= 239;
}

/** The limited broadcast address, or the highest address of a /24. */
export function isBroadcast(address: string): boolean {
  return address === "255.255.255.255" || address.endsWith(".255");
}

/** A MAC address as "aa:bb:cc:dd:ee:ff". */
export function formatMac(mac: Uint8Array): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join(":");
}
