// Where deliveries may go. Who may enter a URL could make this server speak to what only it can reach: so it speaks HTTP only, to no
// address at which clouds keep the keys of their machines (link-local and a few others), and no response is passed on. Machines of the same
// network are allowed: that is where the receivers of many fleets are.

import { BlockList, isIP, isIPv6 } from "node:net";

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
export function requireAllowed(address: string): void {
  if (REFUSED.check(address, isIPv6(address) ? "ipv6" : "ipv4"))
    throw new TargetRefused(
      `${address} is link-local, multicast, unspecified or a cloud's own: nothing is sent there`,
    );
}

/** This network, link-local, multicast and above; and where clouds have their metadata services elsewhere. */
const REFUSED_IPV4 = [
  ["0.0.0.0", 8],
  ["169.254.0.0", 16],
  ["224.0.0.0", 3],
  ["100.100.100.200", 32],
  ["168.63.129.16", 32],
  ["192.0.0.192", 32],
] as const;
/** Unspecified, link-local, multicast, metadata services; and the old ways to write an IPv4 address as IPv6, save the loopback ::1. */
const REFUSED_IPV6 = [
  ["::", 128],
  ["fe80::", 10],
  ["ff00::", 8],
  ["fd00:ec2::254", 128],
  ["fd20:ce::254", 128],
  ["2002::", 16],
] as const;
/** By which gateways in IPv6 networks reach IPv4 addresses (RFC 6052, RFC 8215). */
const TRANSLATED = ["64:ff9b::", "64:ff9b:1::"] as const;

function refusedAddresses(): BlockList {
  const list = new BlockList();
  for (const [address, bits] of REFUSED_IPV4) {
    // ::ffff:0:0/96 is checked by the same rules.
    list.addSubnet(address, bits, "ipv4");
    for (const prefix of TRANSLATED) list.addSubnet(`${prefix}${address}`, 96 + bits, "ipv6");
  }
  for (const [address, bits] of REFUSED_IPV6) list.addSubnet(address, bits, "ipv6");
  list.addRange("::2", "::ffff:ffff", "ipv6");
  return list;
}

const REFUSED = refusedAddresses();
