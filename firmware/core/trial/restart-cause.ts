// The cause of a boot: the chip's reset reason, and what the firmware stored before it restarted the chip itself.

import type { Booted } from "../event.js";

type Facts = Pick<Booted, "resetReason" | "restartNote" | "image">;

/**
 * Why the firmware restarted the chip; nothing if it did not. A boot that crashes before it has read the note leaves it behind: but after
 * an update's restart the image is on trial.
 */
export function intendedRestart({ resetReason, restartNote, image }: Facts): string | undefined {
  if (resetReason !== "software") return undefined;
  return restartNote === "update" && image.slotState !== "pending_verify" ? undefined : restartNote;
}

/** Such as `panic` or `software (update)`. */
export function resetCause(facts: Facts): string {
  const intended = intendedRestart(facts);
  return intended === undefined ? facts.resetReason : `${facts.resetReason} (${intended})`;
}
