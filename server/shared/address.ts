// IP addresses, however they are written: as numbers, and as the network by which clients are counted. Pure.
//
//   192.0.2.7, ::ffff:192.0.2.7, ::ffff:c000:207     one IPv4 address
//   2001:db8::1, 2001:0DB8:0::1%eth0                 one IPv6 address; a zone says something on its own machine only

export type Address =
  | { readonly version: 4; readonly bytes: readonly number[] }
  | { readonly version: 6; readonly groups: readonly number[] };

const GROUP_COUNT = 8;
const MAPPED = Object.freeze([0, 0, 0, 0, 0, 0xffff]);
/** The prefix by which translators write IPv4 addresses (RFC 6052). */
const TRANSLATED = Object.freeze([0x64, 0xff9b, 0, 0, 0, 0]);

/** `undefined`: not an address. */
export function readAddress(text: string): Address | undefined {
  const bytes = readIpv4(text);
  if (bytes) return { version: 4, bytes };
  const groups = readIpv6(text.replace(/%.*$/s, ""));
  if (!groups) return undefined;
  return beginsWith(groups, MAPPED)
    ? { version: 4, bytes: bytesOf(groups.slice(6)) }
    : { version: 6, groups };
}

export function writeAddress(address: Address): string {
  return address.version === 4
    ? address.bytes.join(".")
    : address.groups.map((group) => group.toString(16)).join(":");
}

/**
 * The network that counts as one client: an IPv4 address, or the /64 that the owner of one IPv6 address has anyway. Whatever is no
 * address is one client, too: what a client may invent must not give it a count of its own.
 */
export function networkOf(text: string): string {
  const address = readAddress(text);
  if (!address) return "unknown";
  if (address.version === 4) return writeAddress(address);
  const { groups } = address;
  return beginsWith(groups, TRANSLATED)
    ? bytesOf(groups.slice(6)).join(".")
    : writeAddress({ version: 6, groups: groups.slice(0, 4) });
}

export const beginsWith = (groups: readonly number[], prefix: readonly number[]): boolean =>
  prefix.every((group, at) => groups[at] === group);

export const bytesOf = (groups: readonly number[]): readonly number[] =>
  groups.flatMap((group) => [group >> 8, group & 0xff]);

function readIpv4(text: string): readonly number[] | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined;
  const parts = text.split(".");
  // A leading zero means octal to some readers.
  return parts.every((part) => String(Number(part)) === part && Number(part) <= 255)
    ? parts.map(Number)
    : undefined;
}

function readIpv6(text: string): readonly number[] | undefined {
  const [head = "", tail, ...more] = text.split("::");
  const [first, last] = [readGroups(head), readGroups(tail ?? "")];
  if (!first || !last || more.length > 0) return undefined;
  const zeroCount = GROUP_COUNT - first.length - last.length;
  if (tail === undefined ? zeroCount !== 0 : zeroCount < 1) return undefined;
  return [...first, ...Array<number>(zeroCount).fill(0), ...last];
}

/** Groups with colons between; the last two may be written as an IPv4 address. */
function readGroups(text: string): readonly number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const dotted = readIpv4(parts.at(-1) ?? "");
  const plain = dotted ? parts.slice(0, -1) : parts;
  if (!plain.every((part) => /^[0-9a-f]{1,4}$/i.test(part))) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = dotted ?? [];
  return [...plain.map((part) => Number.parseInt(part, 16)), ...(dotted ? [(a << 8) | b, (c << 8) | d] : [])];
}
