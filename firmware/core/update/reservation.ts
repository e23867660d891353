// While several devices are updated together, the other slot of each holds the way back, or the image that is to start with those of the others:
// nothing else may be written to it, and nothing else may start. Says what that excludes; reserve.ts ends what is under way.

import type { UpdateState } from "./state.js";

/** Whether the slot is kept from this image. An offer that is not to be held would start it before the others have theirs. */
export const isReserved = (
  { reserved }: Pick<UpdateState, "reserved">,
  imageSha256: string,
  hold: boolean | undefined,
): boolean => reserved !== undefined && !(hold === true && reserved.images.includes(imageSha256));

/** Why nothing can be pushed now, as a sentence for its sender; undefined: nothing prevents it. */
export const reservedFor = ({ reserved }: UpdateState): string | undefined =>
  reserved && `nothing else is installed meanwhile: ${reserved.reason}`;

/** Whether what is staged may start: it is not left over from before. */
export const mayStart = ({ reserved, staged }: UpdateState): boolean =>
  reserved === undefined || staged === undefined || reserved.images.includes(staged.imageSha256);
