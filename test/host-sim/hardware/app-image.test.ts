// Checking app images against ESP-IDF's own verdicts, and building ones that pass.

import { createHash } from "node:crypto";
import { expect } from "chai";
import {
  buildAppImage,
  buildFirmwareImage,
  type Chip,
  extractBundle,
  readAppDescription,
  type VerifyStage,
  verifyAppImage,
  verifyImageFile,
} from "../../../host-sim/hardware/app-image.js";
import {
  applyPatches,
  Disagreements,
  hexOf,
  type Patches,
  readVectorFile,
  readVectors,
} from "../../vectors.js";

interface Verdict {
  readonly app_verify: string;
  readonly boot_verify: string;
  readonly boot_load: string;
  readonly image_len: number;
}

interface ImageCase {
  readonly file: string;
  readonly chip: string;
  readonly size: number;
  readonly hash_appended: number;
  readonly app_version: string;
  readonly project_name: string;
  readonly secure_version: number;
  readonly elf_sha256: string;
  readonly segments: readonly { load_addr: number; length: number; data_offset: number }[];
  readonly verdict: Readonly<Record<Chip, Verdict>>;
}

interface MutationCase extends Verdict {
  readonly kind: string;
  readonly image: string;
  readonly chip: Chip;
  readonly partition_offset: number;
  readonly partition_size: number;
  readonly patches: Patches;
  readonly truncate: number | null;
}

const CHIP_NAMES: readonly Chip[] = ["esp32", "esp32c3", "esp32s3"];
const FLASH_BYTES = 16 * 1024 * 1024;

describe("app image", () => {
  it("gets ESP-IDF's verdict on every image of esptool, on each chip", function () {
    const cases = readVectors<ImageCase>("images");
    if (cases.length === 0) this.skip();
    const disagreements = new Disagreements();
    for (const test of cases) {
      const image = readVectorFile(test.file)!;
      for (const chip of CHIP_NAMES) {
        const found = JSON.stringify(verdictOf(image, chip, 0x10000, 0x20000));
        const expected = JSON.stringify(test.verdict[chip]);
        if (found !== expected) disagreements.add(chip, `${test.file} found ${found}, expected ${expected}`);
      }
    }
    expect(disagreements.report()).to.equal("");
    expect(cases).to.have.length.above(5);
  });

  it("reads description, segments and hash out of every image", function () {
    const cases = readVectors<ImageCase>("images").filter((test) => CHIP_NAMES.includes(test.chip as Chip));
    if (cases.length === 0) this.skip();
    for (const test of cases) {
      const image = readVectorFile(test.file)!;
      const verdict = verifyImageFile(image, test.chip as Chip, "app");
      if (!verdict.ok) throw new Error(`${test.file}: ${verdict.message}`);
      expect(verdict.imageLength).to.equal(test.size);
      const hashed = test.hash_appended === 0 ? image : image.subarray(0, -32);
      expect(hexOf(verdict.sha256)).to.equal(createHash("sha256").update(hashed).digest("hex"));
      expect(
        verdict.segments.map((segment) => [segment.loadAddress, segment.length, segment.dataOffset]),
      ).to.deep.equal(
        test.segments.map((segment) => [segment.load_addr, segment.length, segment.data_offset]),
      );
      const { version, project, secureVersion, elfSha256 } = verdict.description!;
      expect([version, project, secureVersion, hexOf(elfSha256)]).to.deep.equal([
        test.app_version,
        test.project_name,
        test.secure_version,
        test.elf_sha256,
      ]);
    }
    expect(cases).to.have.length.above(3);
  });

  it("gets ESP-IDF's verdict on every damaged or altered image", function () {
    const cases = readVectors<MutationCase>("image-mutations");
    if (cases.length === 0) this.skip();
    const disagreements = new Disagreements();
    for (const test of cases) {
      const patched = applyPatches(readVectorFile(test.image)!, test.patches);
      const image = test.truncate === null ? patched : patched.subarray(0, test.truncate);
      const found = JSON.stringify(verdictOf(image, test.chip, test.partition_offset, test.partition_size));
      const { app_verify, boot_verify, boot_load, image_len } = test;
      const expected = JSON.stringify({ app_verify, boot_verify, boot_load, image_len });
      if (found !== expected) {
        const { kind, chip, partition_offset: offset, patches } = test;
        disagreements.add(
          kind,
          `${test.image} ${chip} @${offset} ${JSON.stringify(patches)} found ${found}, expected ${expected}`,
        );
      }
    }
    expect(disagreements.report()).to.equal("");
    expect(cases).to.have.length.above(50);
  });

  for (const chip of CHIP_NAMES) {
    it(`is built for ${chip} with a bundle that comes out again, the same bytes each time`, () => {
      const bundle = `trace("grüß dich\\n");`.repeat(5000);
      const options = { chip, version: "1.1.0", build: 7, project: "base", bundle, date: "Jan  1 2026" };
      const image = buildFirmwareImage(options);
      expect(verifyImageFile(image, chip).ok).to.equal(true);
      expect(extractBundle(image)).to.equal(bundle);
      expect(readAppDescription(image)).to.include({
        version: "1.1.0+7",
        project: "base",
        date: "Jan  1 2026",
      });
      expect(hexOf(buildFirmwareImage(options))).to.equal(hexOf(image));
    });
  }

  it("is refused at building when a segment would overwrite the boot loader", () => {
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

function verdictOf(image: Uint8Array, chip: Chip, offset: number, sizeBytes: number): Verdict {
  const readableBytes = FLASH_BYTES - offset;
  const read = (at: number, length: number) => {
    const bytes = new Uint8Array(length).fill(0xff);
    bytes.set(image.subarray(at, at + length));
    return bytes;
  };
  const verify = (stage: VerifyStage) =>
    verifyAppImage(read, sizeBytes, { chip, stage, offset, readableBytes });
  const name = (stage: VerifyStage) => {
    const verdict = verify(stage);
    return verdict.ok ? "ESP_OK" : verdict.error;
  };
  const app = verify("app");
  return {
    app_verify: name("app"),
    boot_verify: name("boot"),
    boot_load: name("load"),
    image_len: app.ok ? app.imageLength : 0,
  };
}
