// What a boot came from: the chip's own reason, and what the firmware noted before it restarted the chip itself.

import type { Booted } from "../event.js";

type Facts = Pick<Booted, "resetReason" | "restartNote" | "image">;

/**
 * Why the firmware restarted the chip; nothing if it did not. A boot that crashes before it has read the note leaves it behind: who
 * comes from an update is on trial, and nobody else does.
 */
export function meantRestart({ resetReason, restartNote, image }: Facts): string | undefined {
  if (resetReason !== "software") return undefined;
  return restartNote === "update" && image.slotState !== "pending_verify" ? undefined : restartNote;
}

/** In a word or two: `panic`, `software (update)`. */
export function resetCause(facts: Facts): string {
  const meant = meantRestart(facts);
  return meant === undefined ? facts.resetReason : `${facts.resetReason} (${meant})`;
}
