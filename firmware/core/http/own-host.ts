// Whether a request is addressed to this device, and whether it comes from the device's own page, by its `host` and `origin` headers.

import type { PageRequest } from "../event.js";

/**
 * Whether a `host` header can only mean this device. A page that an attacker serves has a name in its Host, never a bare address,
 * so any address is accepted: behind a forwarded port it is not the device's own.
 */
export function isOwnHost(host: string, deviceId: string): boolean {
  const name = host.toLowerCase();
  const id = deviceId.toLowerCase();
  return (
    /^\d{1,3}(\.\d{1,3}){3}$/.test(name) || name === "localhost" || name === id || name === `${id}.local`
  );
}

/** Whether a page of another site sent this. A client that is no browser sends no Origin. */
export const isForeignOrigin = ({ origin, host }: Pick<PageRequest, "origin" | "host">): boolean =>
  origin !== undefined && hostOf(origin) !== host.toLowerCase();

/** Host of an origin, lower case, without its port; empty for `null` and anything else that is not an http origin. */
const hostOf = (origin: string): string =>
  /^https?:\/\/([^/:]+)(:\d+)?$/i.exec(origin)?.[1]?.toLowerCase() ?? "";
