/**
 * Why an access point refuses a station before it is associated, as ESP-IDF reports it for the configuration that the SDK sets: a name, a
 * password, no threshold of its own. Pure.
 */

import { type AirNetwork, REASON, type Security } from "./air.js";

const EXCHANGE_MS = 100;
/** A router repeats its first message a few times before it gives up on a wrong password. */
const HANDSHAKE_TIMEOUT_MS = 2500;

/** A wrong password fails in the first exchange (SAE), not in the four-way handshake, and ESP-IDF does not call that a wrong password. */
const SAE: readonly Security[] = Object.freeze(["wpa3_psk", "wpa2_wpa3_psk"]);
/** Below what ESP-IDF asks for where there is a password: WPA2. */
const OLD: readonly Security[] = Object.freeze(["none", "wep", "wpa_psk"]);
/** Not possible with a name and a password alone. */
const UNSUPPORTED: readonly Security[] = Object.freeze(["wpa2_enterprise", "owe"]);

export interface Refused {
  /** wifi_err_reason_t */
  readonly reason: number;
  readonly delayMs: number;
}

export function refusalOf(network: AirNetwork, password: string): Refused | undefined {
  const { security } = network;
  if (UNSUPPORTED.includes(security) || (security !== "none" && password === ""))
    return { reason: REASON.noCompatibleSecurity, delayMs: 0 };
  if (password !== "" && OLD.includes(security))
    return { reason: REASON.belowAuthenticationThreshold, delayMs: 0 };
  if (network.acceptsPassword(password)) return undefined;
  return SAE.includes(security)
    ? { reason: REASON.authenticationFailed, delayMs: EXCHANGE_MS }
    : { reason: REASON.fourWayHandshakeTimeout, delayMs: HANDSHAKE_TIMEOUT_MS };
}
