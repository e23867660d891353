// Worn-out sectors: what a flash chip does there instead of what it is asked to, chosen by a test. Errors that the chip reports become
// FlashFailure, which the callers of the driver see as an ESP-IDF error; the others show only when the sector is read. What NVS does after
// a reported error is not modelled: such a fault in its sectors ends the boot.

import type { EspError } from "../esp-error.js";
import { type FlashOperation, SECTOR_BYTES } from "./flash-operation.js";

export type SectorFault =
  /** The chip reports an error and changes nothing. */
  | { readonly kind: "eraseError" | "programError" }
  /** The chip reports success and changes nothing. */
  | { readonly kind: "eraseIgnored" | "programIgnored" }
  /** These bits of one byte read as `value` whatever is done. `offset` in bytes from the sector's start. */
  | { readonly kind: "stuckBits"; readonly offset: number; readonly bits: number; readonly value: 0 | 1 };

/** The chip could not carry out an operation: ESP_ERR_FLASH_OP_FAIL of the flash driver. */
export class FlashFailure extends Error {
  override readonly name = "FlashFailure";

  constructor({ kind, offset }: Pick<FlashOperation, "kind" | "offset">) {
    super(`${kind} at 0x${offset.toString(16)} failed`);
  }
}

/** What the flash driver returns for what `operate` does. */
export function flashResult(operate: () => void): EspError {
  try {
    operate();
    return "ESP_OK";
  } catch (error) {
    if (error instanceof FlashFailure) return "ESP_ERR_FLASH_OP_FAIL";
    throw error;
  }
}

export class SectorFaults {
  readonly #faults = new Map<number, SectorFault>();

  get isEmpty(): boolean {
    return this.#faults.size === 0;
  }

  /** @param sector its index, not its offset; undefined repairs it */
  set(sector: number, fault: SectorFault | undefined): void {
    if (fault === undefined) this.#faults.delete(sector);
    else this.#faults.set(sector, fault);
  }

  isFaulty(offset: number): boolean {
    return this.#faults.has(sectorOf(offset));
  }

  /** Erases or programs one sector's part of an operation as far as its fault lets it. @throws FlashFailure */
  apply(kind: FlashOperation["kind"], offset: number, contents: Uint8Array, act: () => void): void {
    const fault = this.#faults.get(sectorOf(offset));
    const [error, ignored] =
      kind === "erase"
        ? (["eraseError", "eraseIgnored"] as const)
        : (["programError", "programIgnored"] as const);
    if (fault?.kind === error) throw new FlashFailure({ kind, offset });
    if (fault?.kind !== ignored) act();
    if (fault?.kind !== "stuckBits") return;
    const at = sectorOf(offset) * SECTOR_BYTES + fault.offset;
    if (fault.value === 1) contents[at]! |= fault.bits;
    else contents[at]! &= ~fault.bits;
  }
}

const sectorOf = (offset: number): number => Math.floor(offset / SECTOR_BYTES);
