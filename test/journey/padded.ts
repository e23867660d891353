// Images of any size, for tests of what depends on it.

import {
  buildFirmwareImage,
  extractBundle,
  readAppDescription,
} from "../../host-sim/hardware/image/app-image.js";

/** The same firmware in an image of about this size, rounded up: a comment after its bundle. */
export function padded(image: Uint8Array, sizeBytes: number): Uint8Array {
  const { version, project } = readAppDescription(image)!;
  const padding = "x".repeat(Math.max(0, sizeBytes - image.length - "\n//".length));
  return buildFirmwareImage({
    chip: "esp32",
    version,
    project,
    bundle: `${extractBundle(image)}\n//${padding}`,
  });
}
