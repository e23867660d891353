// Payloads to sign, of small images.

import type { ReleasePayload } from "../../firmware/core/wire.js";
import { buildFirmwareImage } from "../../host-sim/hardware/image/firmware-image.js";
import { describeRelease } from "../../release/describe.js";

export const smallImage = (version: string, project = "base"): Buffer =>
  Buffer.from(buildFirmwareImage({ chip: "esp32", version, project, bundle: `trace("${version}");` }));

export const makePayloadFor = (version: string): ReleasePayload =>
  describeRelease(smallImage(version), { created: 7 });
