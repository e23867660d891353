// Who a device is: its name in the network and at the server, from the factory's MAC address.

import type { Booted, Problem } from "./event.js";
import type { StoredValues } from "./stored.js";

/** `aa:bb:cc:dd:ee:ff`. */
export function formatMac(mac: Uint8Array): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** The 6 bytes of an address as formatMac writes it. */
export const parseMac = (mac: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(mac.split(":"), (digits) => Number.parseInt(digits, 16));

/** Of the type in an id, which is a label of a host name: 31 characters with the MAC's part and 33 with a number behind it, of 63. */
const MAX_TYPE_LENGTH = 24;

/**
 * `<type>-<last three bytes of the MAC>`, such as `base-a1b2c3`: also the mDNS host name, so letters, digits and hyphens only. A long type
 * is shortened; the MAC's part, which tells devices of a type apart, never is.
 */
export function deviceIdOf(type: string, mac: Uint8Array): string {
  const tail = Array.from(mac.subarray(3), (byte) => byte.toString(16).padStart(2, "0")).join("");
  // by characters: an emoji is one hyphen in every engine
  const letters = Array.from(type, (character) => (/^[A-Za-z0-9-]$/.test(character) ? character : "-"));
  return `${letters.slice(0, MAX_TYPE_LENGTH).join("")}-${tail}`;
}

/** The id that is stored for this device, if it can be used: it is a host name and part of addresses. */
export function ownDeviceId(stored: StoredValues): string | undefined {
  const id = stored["device.id"] ?? "";
  return /^[A-Za-z0-9][A-Za-z0-9-]{0,31}$/.test(id) ? id : undefined;
}

/** What is wrong with the stored id. */
export const idProblems = (stored: StoredValues): readonly Problem[] =>
  stored["device.id"] === undefined || ownDeviceId(stored) !== undefined
    ? []
    : [
        {
          code: "ID_INVALID",
          message:
            "The stored device id cannot be used: it has to be at most 32 letters, digits and hyphens. The usual one is.",
        },
      ];

/** What fits behind `Skyslot ` into an SSID of 32 bytes (IEEE 802.11-2020, 9.4.2.2). */
const MAX_NAMED_LENGTH = 24;
/** A hyphen and the MAC's part, which tells devices of a type apart. */
const TAIL_LENGTH = 7;

/** Name of the access point that the device opens for its setup: `Skyslot base-a1b2c3`. Of a long id the middle is left out. */
export function accessPointName(deviceId: string): string {
  if (deviceId.length <= MAX_NAMED_LENGTH) return `Skyslot ${deviceId}`;
  return `Skyslot ${deviceId.slice(0, MAX_NAMED_LENGTH - TAIL_LENGTH)}${deviceId.slice(-TAIL_LENGTH)}`;
}

/** Names of esp_reset_reason_t (esp_system.h), by number. */
export const RESET_REASONS: readonly string[] = Object.freeze([
  "unknown",
  "power-on",
  "external",
  "software",
  "panic",
  "interrupt-watchdog",
  "task-watchdog",
  "watchdog",
  "deep-sleep",
  "brownout",
  "sdio",
  "usb",
  "jtag",
  "efuse",
  "power-glitch",
  "cpu-lockup",
]);

/**
 * Resets that the firmware does not cause: power loss, a reset pin, a connected debugger. They say nothing against the firmware that ran.
 * Unknown reasons are not among them: a firmware that crashes that way would never be detected.
 */
export const isFromOutside = (resetReason: string): boolean => FROM_OUTSIDE.includes(resetReason);

const FROM_OUTSIDE: readonly string[] = Object.freeze([
  "power-on",
  "brownout",
  "power-glitch",
  "external",
  "sdio",
  "usb",
  "jtag",
]);

/** Whether the firmware is not to blame for the end of the previous boot: a reset from outside, or waking from deep sleep. */
export const endedBlamelessly = (resetReason: string): boolean =>
  isFromOutside(resetReason) || resetReason === "deep-sleep";

/**
 * The mDNS name of the device, such as `base-a1b2c3.local`; undefined if it announces none.
 * @param claimed the name that it got; empty: none yet, so it will probably get its first choice
 */
export const announcedName = (
  { identity, isAnnounced }: Pick<Booted, "identity" | "isAnnounced">,
  claimed: string,
): string | undefined =>
  isAnnounced === false ? undefined : `${claimed || identity.deviceId.toLowerCase()}.local`;
