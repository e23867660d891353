import { expect } from "chai";
import { chipHeap } from "../../host-sim/xs/chip-heaps.js";
import { skipUnless32Bit } from "./chip-bench.js";
import { expectScene, RADIO_SCENES } from "./radio-scenes.js";

/** What TLS needs, and three times as much. */
const UNCLAIMED_LEAST_BYTES = 72 * 1024;

describe("memory inside XS of apps with a radio on the larger chips", function () {
  this.timeout(240_000);
  before(function () {
    skipUnless32Bit(this);
  });

  for (const scene of RADIO_SCENES)
    it(`leaves 72 KiB of the heap while ${scene.what}: esp32s3, esp32c6`, () => {
      expect(chipHeap("esp32c6", "gateway")).deep.equal(chipHeap("esp32s3", "gateway"));
      return expectScene(scene, "esp32s3", "S3", UNCLAIMED_LEAST_BYTES);
    });
});
