// Whether a request is addressed to this device, and whether it comes from the device's own page, by its `host` and `origin` headers.

import type { PageRequest } from "../event.js";

/**
 * What may follow the device's name: `.local`, and the domains that routers add. Only names that no stranger can register: top-level names
 * that do not exist in the public DNS and never will (RFC 6762, RFC 8375, ICANN's resolutions on .home, .corp and .internal), and AVM's own
 * domain. Any other suffix might be an attacker's, who makes `base-a1b2c3.attacker.example` lead to the device's address.
 */
const HOME_DOMAINS: readonly string[] = Object.freeze([
  "local",
  "lan",
  "home",
  "home.arpa",
  "internal",
  "localdomain",
  "localnet",
  "intranet",
  "private",
  "corp",
  "ip", // Speedport
  "station", // Huawei, TIM
  "fritz.box",
]);

/** A name in DNS (RFC 1035). Longer ones are nobody's. */
const MAX_NAME_LENGTH = 253;

/**
 * Whether a `host` header can only mean this device. A page that an attacker serves has a name in its Host, never a bare address,
 * so any address is accepted: behind a forwarded port it is not the device's own. Empty: only HTTP/1.0 may have no Host, and no browser
 * speaks that.
 * @param names of the device, lower case, without a domain
 */
export function isOwnHost(host: string, names: readonly string[]): boolean {
  if (host === "" || host.toLowerCase() === "localhost") return true;
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(host) || isOwnName(host, names);
}

/** Whether it is one of the names, alone or in a domain of the home. */
export function isOwnName(host: string, names: readonly string[]): boolean {
  if (host.length > MAX_NAME_LENGTH) return false;
  const lower = host.toLowerCase();
  const full = lower.endsWith(".") ? lower.slice(0, -1) : lower;
  const dot = full.indexOf(".");
  if (dot < 0) return names.includes(full);
  const domain = full.slice(dot + 1);
  return names.includes(full.slice(0, dot)) && HOME_DOMAINS.some((one) => isWithin(domain, one));
}

const isWithin = (domain: string, parent: string): boolean =>
  domain === parent || domain.endsWith(`.${parent}`);

/** Whether a page of another site sent this. A client that is no browser sends no Origin; a browser always sends a Host. */
export const isForeignOrigin = ({ origin, host }: Pick<PageRequest, "origin" | "host">): boolean =>
  origin !== undefined && (host === "" || hostOf(origin) !== host.toLowerCase());

/** Host of an origin, lower case, without its port; empty for `null` and anything else that is not an http origin. */
const hostOf = (origin: string): string =>
  /^https?:\/\/([^/:]+)(:\d+)?$/i.exec(origin)?.[1]?.toLowerCase() ?? "";
