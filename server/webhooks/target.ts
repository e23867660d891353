// Where deliveries may go. Who may enter a URL could make this server speak to what only it can reach: so it speaks HTTP only, to no
// address at which clouds keep the keys of their machines (link-local), and tells nobody what was answered. Machines of the same
// network are allowed: that is where the receivers of many fleets are.

import { BlockList, isIP, isIPv6 } from "node:net";

/** Why a URL cannot be a target. */
export class TargetRefused extends Error {
  override readonly name = "TargetRefused";
}

const REFUSED = refusedAddresses();

/** The URL in its normal form. @throws TargetRefused */
export function readTarget(text: string): string {
  if (!URL.canParse(text)) throw new TargetRefused(`"${text.slice(0, 100)}" is not a URL`);
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw new TargetRefused(`the URL begins with ${url.protocol}, it has to be https: or http:`);
  if (url.username !== "" || url.password !== "")
    throw new TargetRefused("the URL has a user or a password in it: deliveries are signed instead");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) > 0) demandAllowed(host);
  url.hash = "";
  return url.href;
}

/** For an address that a name has led to, at the moment of the connection. @throws TargetRefused */
export function demandAllowed(address: string): void {
  if (REFUSED.check(address, isIPv6(address) ? "ipv6" : "ipv4"))
    throw new TargetRefused(`${address} is link-local, multicast or unspecified: nothing is sent there`);
}

function refusedAddresses(): BlockList {
  const list = new BlockList();
  list.addSubnet("0.0.0.0", 8, "ipv4");
  list.addSubnet("169.254.0.0", 16, "ipv4");
  list.addSubnet("224.0.0.0", 3, "ipv4");
  list.addAddress("::", "ipv6");
  list.addSubnet("fe80::", 10, "ipv6");
  list.addSubnet("ff00::", 8, "ipv6");
  // Where one cloud has its metadata service in IPv6.
  list.addAddress("fd00:ec2::254", "ipv6");
  return list;
}
