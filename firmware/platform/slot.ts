// The inactive slot, through `embedded:storage/flash` ("nextota"): erases sectors, writes pieces, hashes ranges, and arms it.
// Not `embedded:update`: that cannot resume, and its begin erases the fallback's otadata entry (see core/update/update.ts).

import flash, { type Flash } from "embedded:storage/flash";
import { Digest } from "crypt";
import Timer from "timer";
import { explainEsp } from "../core/esp-error.js";
import { SECTOR_BYTES } from "../core/update/release.js";
import { readImageInFlash } from "./image-in-flash.js";
import { type Native, nextLabel } from "./native.js";
import type { Dispatch } from "./runner.js";

/** Bytes hashed in one turn: then other work runs, so that 2 MiB do not block the network. */
const HASH_PIECE_BYTES = 4096;
const PIECES_A_TURN = 8;

export class Slot {
  readonly #dispatch: Dispatch;
  readonly #native: Native;
  #opened: Flash | undefined;

  constructor(dispatch: Dispatch, native: Native) {
    this.#dispatch = dispatch;
    this.#native = native;
  }

  erase(attempt: number, offset: number): void {
    const erased = this.#attempted(attempt, `erase at ${offset}`, () =>
      this.#flash().eraseBlock(offset / SECTOR_BYTES),
    );
    this.#giveWay();
    if (erased) this.#dispatch({ type: "slotErased", attempt, offset });
  }

  write(attempt: number, offset: number, bytes: Uint8Array): void {
    const what = `write of ${bytes.length} bytes at ${offset}`;
    const written = this.#attempted(attempt, what, () => this.#flash().write(bytes, offset));
    if (written) this.#dispatch({ type: "slotWritten", attempt, offset, length: bytes.length });
  }

  hash(attempt: number, offset: number, length: number, algorithm: "SHA256" | "MD5"): void {
    const digest = new Digest(algorithm);
    const end = offset + length;
    let position = offset;
    const readPieces = () => {
      for (let i = 0; i < PIECES_A_TURN && position < end; i++) {
        const count = Math.min(HASH_PIECE_BYTES, end - position);
        digest.write(this.#flash().read(count, position));
        position += count;
      }
    };
    const turn = () => {
      if (!this.#attempted(attempt, `read at ${position}`, readPieces)) return;
      this.#giveWay();
      if (position < end) Timer.set(turn, 0);
      else this.#dispatch({ type: "slotHashed", attempt, offset, digest: new Uint8Array(digest.close()) });
    };
    Timer.set(turn, 0);
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

  /**
   * Lets all other tasks of the chip run for a tick, after each sector and each turn of hashing. The task watchdog watches IDLE, and the
   * SDK's loop does not wait while a message or a timer is due, which is the case while data arrives faster than the flash can be written.
   */
  #giveWay(): void {
    this.#native.vTaskDelay(1);
  }

  /** Carries out a flash operation; returns whether it succeeded. An exception becomes an event. */
  #attempted(attempt: number, what: string, action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      this.#dispatch({ type: "slotFailed", attempt, message: `${what}: ${String(error)}` });
      return false;
    }
  }
}
