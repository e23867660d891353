// The inactive slot, through `embedded:storage/flash` ("nextota"): erases sectors, writes pieces, hashes ranges, and arms it.
// Not `embedded:update`: that cannot resume, and its begin erases the fallback's otadata entry (see core/update/update.ts).

import flash, { type Flash } from "embedded:storage/flash";
import { explainEsp } from "../core/esp-error.js";
import { SECTOR_BYTES } from "../core/update/release.js";
import { giveWay, hashFlash } from "./flash-hash.js";
import { readImageInFlash } from "./image-in-flash.js";
import { type Native, nextLabel } from "./native.js";
import type { Dispatch } from "./runner.js";

export class Slot {
  readonly #dispatch: Dispatch;
  readonly #native: Native;
  #opened: Flash | undefined;

  constructor(dispatch: Dispatch, native: Native) {
    this.#dispatch = dispatch;
    this.#native = native;
  }

  erase(attempt: number, offset: number, length: number): void {
    const erased = this.#attempted(attempt, `erase of ${length} bytes at ${offset}`, () =>
      this.#flash().eraseBlock(offset / SECTOR_BYTES, (offset + length) / SECTOR_BYTES),
    );
    giveWay(this.#native);
    if (erased) this.#dispatch({ type: "slotErased", attempt, offset, length });
  }

  write(attempt: number, offset: number, bytes: Uint8Array): void {
    const what = `write of ${bytes.length} bytes at ${offset}`;
    const written = this.#attempted(attempt, what, () => this.#flash().write(bytes, offset));
    if (written) this.#dispatch({ type: "slotWritten", attempt, offset, length: bytes.length });
  }

  hash(attempt: number, offset: number, length: number, algorithm: "SHA256" | "MD5"): void {
    hashFlash({
      flash: () => this.#flash(),
      native: this.#native,
      offset,
      length,
      algorithm,
      hashed: (digest) => this.#dispatch({ type: "slotHashed", attempt, offset, digest }),
      failed: (what, error) => this.#failed(attempt, what, error),
    });
  }

  /**
   * Selects the slot, if it holds the image with this appended SHA-256. What was verified is the file; ESP-IDF verifies the image that begins
   * in the slot, which is longer where an earlier one has left its end there.
   */
  arm(attempt: number, imageSha256: string): void {
    let found = "";
    const isRead = this.#attempted(attempt, "read of the image", () => {
      found = readImageInFlash(this.#flash()).imageSha256;
    });
    if (!isRead) return;
    if (found !== imageSha256) {
      const message = `the slot holds an image with SHA256 ${found || "(none)"}, the release is of ${imageSha256}`;
      return this.#dispatch({ type: "slotFailed", attempt, message });
    }
    const error = this.#native.skyslot_arm(nextLabel(this.#native));
    if (error === 0) this.#dispatch({ type: "slotArmed", attempt });
    else
      this.#dispatch({
        type: "slotFailed",
        attempt,
        message: `the slot could not be armed: ${explainEsp(error)}`,
      });
  }

  #flash(): Flash {
    this.#opened ??= flash.open({ path: "nextota" });
    return this.#opened;
  }

  /** Carries out a flash operation; returns whether it succeeded. An exception becomes an event. */
  #attempted(attempt: number, what: string, action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      this.#failed(attempt, what, error);
      return false;
    }
  }

  #failed(attempt: number, what: string, error: unknown): void {
    this.#dispatch({ type: "slotFailed", attempt, message: `${what}: ${String(error)}` });
  }
}
