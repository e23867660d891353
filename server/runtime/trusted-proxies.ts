// The proxies in front of this server whose word about their clients is taken (`--trust-proxy`).

import { BlockList, isIP } from "node:net";
import { readAddress, writeAddress } from "../shared/address.js";

/** Networks that have names. */
const NAMED: Readonly<Record<string, readonly string[]>> = Object.freeze({
  loopback: Object.freeze(["127.0.0.0/8", "::1"]),
  linklocal: Object.freeze(["169.254.0.0/16", "fe80::/10"]),
  uniquelocal: Object.freeze(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]),
});

/** Whether an address is one of them. @throws if what is trusted is no address, no network and no name */
export function trustProxies(trusted: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const each of trusted.flatMap((name) => NAMED[name] ?? name)) add(list, each);
  return (address) => {
    const version = isIP(address);
    return version !== 0 && list.check(address, version === 6 ? "ipv6" : "ipv4");
  };
}

function add(list: BlockList, text: string): void {
  const [address = "", bits, ...rest] = text.split("/");
  const version = isIP(address);
  const maxBits = version === 6 ? 128 : 32;
  const isNetwork = bits !== undefined && /^\d{1,3}$/.test(bits) && Number(bits) <= maxBits;
  if (version === 0 || rest.length > 0 || (bits !== undefined && !isNetwork))
    throw new Error(`"${text}" is no proxy to trust: an address such as 10.0.0.7, or a network, 10.0.0.0/8`);
  list.addSubnet(address, bits === undefined ? maxBits : Number(bits), version === 6 ? "ipv6" : "ipv4");
}

/**
 * `X-Forwarded-For` with nothing but addresses in it: some proxies add the port (`192.0.2.7:1234`, `[2001:db8::1]:1234`), which is
 * another with each connection. What stands left of something else was said by nobody who is known, and is dropped: the request is then its
 * sender's own.
 */
export function readForwardedFor(header: string): string {
  const hops = header.split(",").map(readHop);
  return hops.slice(hops.lastIndexOf(undefined) + 1).join(", ");
}

function readHop(text: string): string | undefined {
  const hop = text.trim();
  const address = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(hop)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(hop)?.[1] ?? hop;
  const read = readAddress(address);
  return read && writeAddress(read);
}
