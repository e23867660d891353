// Golden vectors of app images: the verdicts of ESP-IDF's three verifiers on esptool's images and on damaged ones.

import { createHash } from "node:crypto";
import { CHIPS } from "../hardware/chips.js";
import { type Chip, type VerifyStage, verifyAppImage, verifyImageFile } from "../hardware/image/app-image.js";
import {
  applyPatches,
  type CaseChecker,
  compare,
  type Difference,
  hexOf,
  type Patches,
} from "./comparison.js";
import type { VectorFolder } from "./folder.js";

interface Verdict {
  readonly app_verify: string;
  readonly boot_verify: string;
  readonly boot_load: string;
  readonly image_len: number;
}

export interface ImageCase {
  readonly file: string;
  readonly chip: string;
  readonly size: number;
  readonly sha256: string;
  readonly hash_appended: number;
  readonly app_version: string;
  readonly project_name: string;
  readonly secure_version: number;
  readonly elf_sha256: string;
  readonly segments: readonly { load_addr: number; length: number; data_offset: number }[];
  readonly verdict: Readonly<Record<string, Verdict>>;
}

export interface MutationCase extends Verdict {
  readonly kind: string;
  readonly image: string;
  readonly chip: Chip;
  readonly partition_offset: number;
  readonly partition_size: number;
  readonly patches: Patches;
  readonly truncate: number | null;
}

const FLASH_BYTES = 16 * 1024 * 1024;
const SLOT_OFFSET = 0x10000;
const SLOT_BYTES = 0x20000;

export const imageChecker: CaseChecker<ImageCase, VectorFolder> = {
  describe: ({ file }) => file,
  difference: (test, folder) => {
    const image = folder.bytes(test.file);
    const sha256 = createHash("sha256").update(image).digest("hex");
    return (
      compare(sha256, test.sha256, "file") ?? verdictDifference(image, test) ?? contentDifference(image, test)
    );
  },
  parts: { unit: "verdicts", count: ({ verdict }) => Object.keys(verdict).length },
};

export const mutationChecker: CaseChecker<MutationCase, VectorFolder> = {
  describe: ({ kind, image, chip, patches }) => `${kind}, ${image} on ${chip}, ${JSON.stringify(patches)}`,
  difference: (test, folder) => {
    const patched = applyPatches(folder.bytes(test.image), test.patches);
    const image = test.truncate === null ? patched : patched.subarray(0, test.truncate);
    const { app_verify, boot_verify, boot_load, image_len } = test;
    const found = verdictOf(image, test.chip, test.partition_offset, test.partition_size);
    return compare(found, { app_verify, boot_verify, boot_load, image_len });
  },
};

function verdictDifference(image: Uint8Array, test: ImageCase): Difference | undefined {
  for (const [chip, expected] of Object.entries(test.verdict)) {
    const difference = compare(
      verdictOf(image, chip as Chip, SLOT_OFFSET, SLOT_BYTES),
      expected,
      `verdict.${chip}`,
    );
    if (difference !== undefined) return difference;
  }
  return undefined;
}

/** What is read out of an image, on its own chip. */
function contentDifference(image: Uint8Array, test: ImageCase): Difference | undefined {
  const chip = test.chip as Chip;
  if (!(chip in CHIPS)) return { at: "chip", found: "unknown", expected: chip };
  const verdict = verifyImageFile(image, chip, "app");
  if (!verdict.ok) return { at: "", found: verdict.message, expected: "an image" };
  const hashed = test.hash_appended === 0 ? image : image.subarray(0, -32);
  const { description } = verdict;
  return compare(
    {
      size: verdict.imageLength,
      digest: hexOf(verdict.sha256),
      segments: verdict.segments.map(({ loadAddress, length, dataOffset }) => ({
        load_addr: loadAddress,
        length,
        data_offset: dataOffset,
      })),
      app_version: description?.version,
      project_name: description?.project,
      secure_version: description?.secureVersion,
      elf_sha256: description && hexOf(description.elfSha256),
    },
    {
      size: test.size,
      digest: createHash("sha256").update(hashed).digest("hex"),
      segments: test.segments,
      app_version: test.app_version,
      project_name: test.project_name,
      secure_version: test.secure_version,
      elf_sha256: test.elf_sha256,
    },
  );
}

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
