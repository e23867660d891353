// Whether an address is of this machine's own network: private (RFC 1918, RFC 4193), link-local, or this machine.

import { BlockList } from "node:net";
import { readAddress, writeAddress } from "../../shared/address.js";

const LOCAL = new BlockList();
for (const [network, prefix] of [
  ["10.0.0.0", 8],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
] as const)
  LOCAL.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of [
  ["::1", 128],
  ["fc00::", 7],
  ["fe80::", 10],
] as const)
  LOCAL.addSubnet(network, prefix, "ipv6");

/** However it is written: an IPv4 address in IPv6 is the IPv4 address. */
export function isOfLocalNetwork(text: string): boolean {
  const address = readAddress(text);
  return address !== undefined && LOCAL.check(writeAddress(address), address.version === 4 ? "ipv4" : "ipv6");
}
