// The ESP32 app image as the rest of the simulator uses it: building one, checking one, and taking the description and the
// JavaScript bundle out of it. Re-exports only; the layout is drawn in image-verifier.ts.

export type { Chip } from "../chips.js";
export {
  APP_DESCRIPTION_BYTES,
  APP_DESCRIPTION_OFFSET,
  type AppDescription,
  readAppDescription,
} from "./app-description.js";
export { type AppImageOptions, buildAppImage, type ImageSegment } from "./app-image-builder.js";
export { buildFirmwareImage, bundleSegment, extractBundle, type FirmwareOptions } from "./firmware-image.js";
export * from "./image-verifier.js";
