// Where deliveries may go. Who may enter a URL could make this server speak to what only it can reach: so it speaks HTTP only, to no
// address at which clouds keep the keys of their machines (link-local and a few others), and no response is passed on. Machines of the same
// network are allowed: that is where the receivers of many fleets are.

import { BlockList, isIP } from "node:net";
import { type Address, beginsWith, bytesOf, readAddress, writeAddress } from "../../shared/address.js";

/** Why a URL cannot be a target. */
export class TargetRefused extends Error {
  override readonly name = "TargetRefused";
}

/** The URL in its normal form. @throws TargetRefused */
export function readTarget(text: string): string {
  if (!URL.canParse(text)) throw new TargetRefused(`"${text.slice(0, 100)}" is not a URL`);
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw new TargetRefused(`the URL begins with ${url.protocol}, it has to be https: or http:`);
  if (url.username !== "" || url.password !== "")
    throw new TargetRefused("the URL has a user or a password in it: deliveries are signed instead");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) > 0) requireAllowed(host);
  url.hash = "";
  return url.href;
}

/** For an address that a name has led to, at the moment of the connection. @throws TargetRefused */
export function requireAllowed(text: string): void {
  const address = readAddress(text);
  if (address && !isRefused(address, text)) return;
  throw new TargetRefused(
    `${text} is link-local, multicast, unspecified, a cloud's own, or an IPv4 address in disguise: nothing is sent there`,
  );
}

/** This network, link-local, multicast and above; and where clouds have their metadata services elsewhere. */
const REFUSED_IPV4 = listOf("ipv4", [
  ["0.0.0.0", 8],
  ["169.254.0.0", 16],
  ["224.0.0.0", 3],
  ["100.100.100.200", 32],
  ["168.63.129.16", 32],
  ["192.0.0.192", 32],
]);
/** This machine and private networks: allowed as they are, but not as IPv6, which only a detour around a filter needs. */
const PRIVATE_IPV4 = listOf("ipv4", [
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
]);
/** Link-local, site-local, multicast, metadata services; and old ways to carry IPv4: 6to4, Teredo. */
const REFUSED_IPV6 = listOf("ipv6", [
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
  ["fd00:c1::a9fe:a9fe", 128],
  ["fd00:ec2::254", 128],
  ["fd20:ce::254", 128],
  ["2001::", 32],
  ["2002::", 16],
]);
/** ::/64 is nobody's network: in it are IPv4-compatible (RFC 4291) and IPv4-translated (RFC 2765) addresses, and the loopback. */
const LOWEST = Object.freeze([0, 0, 0, 0]);
const LOOPBACK = "0:0:0:0:0:0:0:1";
/** By which gateways in IPv6 networks reach IPv4 addresses (RFC 6052, RFC 8215), the address at the end. */
const GATEWAYS = Object.freeze([
  Object.freeze([0x64, 0xff9b, 0, 0, 0, 0]),
  Object.freeze([0x64, 0xff9b, 1, 0, 0, 0]),
]);
/** The other forms of RFC 8215's prefix: where in them the IPv4 address is depends on the gateway. */
const LOCAL_GATEWAY = Object.freeze([0x64, 0xff9b, 1]);
/** Before the IPv4 address of an ISATAP interface (RFC 5214), whatever its network. */
const ISATAP = 0x5efe;

function isRefused(address: Address, text: string): boolean {
  if (address.version === 4)
    return isRefusedIpv4(address.bytes) || (text.includes(":") && isPrivate(address.bytes));
  const { groups } = address;
  const written = writeAddress(address);
  if (written === LOOPBACK) return false;
  if (beginsWith(groups, LOWEST) || groups[5] === ISATAP || REFUSED_IPV6.check(written, "ipv6")) return true;
  const carried = GATEWAYS.some((prefix) => beginsWith(groups, prefix)) && bytesOf(groups.slice(6));
  return carried ? isRefusedIpv4(carried) || isPrivate(carried) : beginsWith(groups, LOCAL_GATEWAY);
}

const isRefusedIpv4 = (bytes: readonly number[]): boolean => REFUSED_IPV4.check(bytes.join("."), "ipv4");
const isPrivate = (bytes: readonly number[]): boolean => PRIVATE_IPV4.check(bytes.join("."), "ipv4");

function listOf(version: "ipv4" | "ipv6", networks: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [address, bits] of networks) list.addSubnet(address, bits, version);
  return list;
}
