// Whether the boot loader rolls the running image back when it fails its trial. All updates depend on this, and it depends on how the boot
// loader and the image were built, which no update changes: so it is logged at every start and reported to the server with a trial.

import type { Booted } from "../event.js";

/** Why the boot loader would not roll the image back; undefined: it would. */
export function missingRollbackSupport({
  image,
  confirmsItself,
}: Pick<Booted, "image" | "confirmsItself">): string | undefined {
  if (confirmsItself)
    return "it was built to be confirmed as it starts, without CONFIG_BOOTLOADER_APP_ROLLBACK_CONFIRM_BY_APP";
  // one with rollback support sets it to pending_verify before it starts the image
  if (image.slotState === "new")
    return "its boot loader was built without CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE";
  return undefined;
}
