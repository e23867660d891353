// Checking app images against ESP-IDF's own verdicts, and building ones that pass.

import { expect } from "chai";
import { CHIPS } from "../../../../host-sim/hardware/chips.js";
import {
  buildAppImage,
  buildFirmwareImage,
  type Chip,
  extractBundle,
  readAppDescription,
  verifyImageFile,
} from "../../../../host-sim/hardware/image/app-image.js";
import { hexOf } from "../../../../host-sim/vectors/comparison.js";
import { expectGolden } from "../../../golden.js";

const CHIP_NAMES = Object.keys(CHIPS) as Chip[];

describe("app image", () => {
  it("gets ESP-IDF's verdict on every image of esptool, on each chip, with its contents", () => {
    expectGolden("images", { casesMin: 40, partsMin: 120 });
  });

  it("gets ESP-IDF's verdict on every damaged or altered image", () => {
    expectGolden("image-mutations", { casesMin: 500 });
  });

  for (const chip of CHIP_NAMES) {
    it(`is built for ${chip} with a bundle that can be read back, with the same bytes each time`, () => {
      const bundle = `trace("grüß dich\\n");`.repeat(5000);
      const options = { chip, version: "1.1.0", build: 7, project: "base", bundle, date: "Jan  1 2026" };
      const image = buildFirmwareImage(options);
      expect(verifyImageFile(image, chip).ok).to.equal(true);
      expect(extractBundle(image)).to.equal(bundle);
      expect(extractBundle(buildFirmwareImage({ ...options, nvs: null }))).to.equal(bundle);
      expect(readAppDescription(image)).to.include({
        version: "1.1.0+7",
        project: "base",
        date: "Jan  1 2026",
      });
      expect(hexOf(buildFirmwareImage(options))).to.equal(hexOf(image));
    });
  }

  it("cannot be built when a segment would overwrite the boot loader", () => {
    const segments = [
      { loadAddress: 0x3f400020, data: new Uint8Array(16) },
      { loadAddress: 0x3fff0000, data: new Uint8Array(64) },
    ];
    expect(() => buildAppImage({ chip: "esp32", version: "1.0.0", project: "base", segments })).to.throw(
      RangeError,
      "segment 1 (0x3fff0000, 64 bytes) would overwrite the boot loader",
    );
  });

  it("does not verify with any single byte changed", () => {
    const image = buildFirmwareImage({ chip: "esp32s3", version: "1.0.0", project: "base", bundle: "1" });
    for (let offset = 0; offset < image.length; offset += 1) {
      const changed = image.slice();
      changed[offset]! ^= 0x40;
      expect(verifyImageFile(changed, "esp32s3").ok, `offset ${offset}`).to.equal(false);
    }
    expect(image.length).to.be.above(400);
  });
});
