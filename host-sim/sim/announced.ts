// What a virtual device says in its log about an image that it begins to receive: the only place where a simulator that has not made the image
// finds its size before it is there. Asks nothing of the device.

import type { TargetImage } from "./web-view/update-state.js";

const OFFERED = /^info: updating to (\S+) build \d+, (\d+) bytes$/;
const PUSHED = /^info: receiving a pushed image of (\d+) bytes, (\S+)$/;

/**
 * The image that a line of the log is about. `undefined`: the line is about something else, or its size is not known.
 * An image without a release has no version yet: "".
 */
export function announcedImage(line: string): TargetImage | undefined {
  const [, version, bytes] = OFFERED.exec(line) ?? [];
  if (version !== undefined) return { version, bytes: Number(bytes) };
  const [, size, pushed] = PUSHED.exec(line) ?? [];
  return size === undefined
    ? undefined
    : { version: pushed === "unsigned" ? "" : (pushed ?? ""), bytes: Number(size) };
}
