// Connectivity checks: an operating system that joins a network fetches a known address on the internet, Android's being /generate_204.
// Here the portal's name server leads it to the device, which redirects it to the setup page; so the phone shows that page by itself.
// An answer of 204 would mean to the phone that it is online, and one of 200 that it may stop checking.

import type { Effect } from "../effect.js";
import type { PageRequest } from "../event.js";
import { respond } from "../http/answer.js";
import { isOwnName } from "../http/own-host.js";
import type { PortalState } from "./portal-state.js";

/** The access point's own address. */
const PORTAL_ADDRESS = "192.168.4.1";

/** Most checks name a foreign host as well. */
const PROBE_PATHS: readonly string[] = Object.freeze([
  // Android, ChromeOS
  "/generate_204",
  "/gen_204",
  // iOS, macOS
  "/hotspot-detect.html",
  "/library/test/success.html",
  // Windows
  "/connecttest.txt",
  "/redirect",
  "/ncsi.txt",
  // Firefox
  "/canonical.html",
  "/success.txt",
  // GNOME
  "/check_network_status.txt",
]);

/** Whether a request was meant for the internet. */
export const isCaptured = (state: PortalState, host: string, path: string): boolean =>
  state.open && (PROBE_PATHS.includes(path) || !isPortalHost(state, host));

export const redirectToPortal = (request: PageRequest): Effect =>
  respond(request, 302, "", { location: `http://${PORTAL_ADDRESS}/` });

/** Whether a `host` header names this device. */
export function isPortalHost(state: PortalState, host: string): boolean {
  const { deviceId, claimedName = "" } = state.info;
  return (
    host === "" ||
    host === PORTAL_ADDRESS ||
    host === state.join.address ||
    isOwnName(host, [deviceId.toLowerCase(), ...(claimedName === "" ? [] : [claimedName])])
  );
}
