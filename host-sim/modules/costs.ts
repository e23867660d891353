// What the SDK's native code costs on the chip: instructions of a release build, measured on an ESP32-C3 at 160 MHz without the flash
// itself. While it computes nothing else runs, and the watchdog waits; in a virtual device it is done at once, so the time is charged.

import type { Machine } from "../machine/machine.js";

const INSTRUCTIONS_PER_MS = 160_000;

export const COST = Object.freeze({
  /** A byte of SHA-256. The other digests were not measured and count alike. */
  digestByte: 77,
  /** A round of PBKDF2-HMAC-SHA256: four blocks of 64 bytes, two of them the key's pads. Computed from the above. */
  deriveRound: 4 * 64 * 77,
  /** A handshake of TLS 1.2 with P-256, and a byte by AES-128-GCM: estimated (0.75 s), not measured. */
  tlsHandshake: 120_000_000,
  tlsByte: 100,
  keyValueRead: 8_000,
  keyValueWrite: 33_000,
  /** A byte given to update.write: 240 k instructions for 4 KiB. */
  updateByte: 240_000 / 4096,
  /** A byte of an image that is verified once; update.complete does so twice: 66 M instructions for 456 KiB. */
  verifiedByte: 66_000_000 / (456 * 1024) / 2,
  /** A byte that skyslot-parts.c adds: the seven instructions of its loop, counted in what GCC 12 makes of it for the C3 with the SDK's -Os. */
  addedByte: 7,
});

/** Keeps the chip busy for this number of instructions, as the native code does. */
export function spend(machine: Pick<Machine, "compute">, instructionCount: number): void {
  machine.compute(instructionCount / INSTRUCTIONS_PER_MS);
}
