// Whether the boot loader takes the running image back when it fails its trial. All of updating rests on it, and it rests on how the boot
// loader and the image were built, which neither can change: so it is said at every start and told to the server with a trial.

import type { Booted } from "../event.js";

/** Why the boot loader will not take the image back; undefined: it will. */
export function missingRollBack({
  image,
  confirmsItself,
}: Pick<Booted, "image" | "confirmsItself">): string | undefined {
  if (confirmsItself)
    return "it was built to be confirmed as it starts, without CONFIG_BOOTLOADER_APP_ROLLBACK_CONFIRM_BY_APP";
  // one with roll back makes it pending_verify before it starts the image
  if (image.slotState === "new")
    return "its boot loader was built without CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE";
  return undefined;
}
