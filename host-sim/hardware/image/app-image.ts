// The ESP32 app image as the rest of the simulator uses it: building one, checking one, and taking the description and the
// JavaScript bundle out of it. Re-exports only; the layout is drawn in image-verifier.ts.

export type { Chip } from "../chips.js";
export { readAppDescription } from "./app-description.js";
export { buildAppImage } from "./app-image-builder.js";
export { buildFirmwareImage, extractBundle, type FirmwareOptions } from "./firmware-image.js";
export * from "./image-verifier.js";
