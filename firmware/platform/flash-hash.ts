// The digest of a range of a flash partition, a few pieces a turn, so that other work runs meanwhile.

import type { Flash } from "embedded:storage/flash";
import { Digest } from "crypt";
import Timer from "timer";
import type { Native } from "./native.js";

/** Bytes hashed in one turn: then other work runs, so that 2 MiB do not block the network. */
const HASH_PIECE_BYTES = 4096;
const PIECES_A_TURN = 8;

export interface FlashHash {
  readonly flash: () => Flash;
  readonly native: Native;
  readonly offset: number;
  readonly length: number;
  readonly algorithm: "SHA256" | "MD5";
  readonly hashed: (digest: Uint8Array) => void;
  /** What could not be read, and why. */
  readonly failed: (what: string, error: unknown) => void;
}

export function hashFlash({ flash, native, offset, length, algorithm, hashed, failed }: FlashHash): void {
  const digest = new Digest(algorithm);
  const end = offset + length;
  let position = offset;
  const turn = () => {
    try {
      for (let i = 0; i < PIECES_A_TURN && position < end; i++) {
        const count = Math.min(HASH_PIECE_BYTES, end - position);
        digest.write(flash().read(count, position));
        position += count;
      }
    } catch (error) {
      return failed(`read at ${position}`, error);
    }
    giveWay(native);
    if (position < end) Timer.set(turn, 0);
    else hashed(new Uint8Array(digest.close()));
  };
  Timer.set(turn, 0);
}

/**
 * Lets all other tasks of the chip run for a tick, after each erase and each turn of hashing. The task watchdog watches IDLE, and the
 * SDK's loop does not wait while a message or a timer is due, which is the case while data arrives faster than the flash can be written.
 */
export const giveWay = (native: Native): void => native.vTaskDelay(1);
