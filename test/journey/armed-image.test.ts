// The kind: a file that is what was signed, in a slot whose image is not. What is armed is the image that begins in the slot, however long the
// signed file is, and its own hash has to be the one that was signed.

import { createHash } from "node:crypto";
import { expect } from "chai";
import { chunkBytesFor } from "../../firmware/core/update/digests.js";
import { imageOf, type Lie, type Rig, readJson, releaseOf, setUpRig, writeJson } from "./rig.js";

const HOUR_MS = 3_600_000;
const CHUNK_BYTES = 8192;

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();

/** A release of the first chunks of an image, as someone signs it who has a part of the file. */
async function releaseOfPart(image: Uint8Array, chunkCount: number, changes: object = {}): Promise<string> {
  const part = image.subarray(0, chunkCount * CHUNK_BYTES);
  const digests = Array.from({ length: chunkCount }, (_, n) =>
    sha256(part.subarray(n * CHUNK_BYTES, (n + 1) * CHUNK_BYTES)),
  );
  return releaseOf(
    image,
    {
      size: part.length,
      sha256: sha256(part).toString("hex"),
      imageSha256: Buffer.from(part.subarray(-32)).toString("hex"),
      chunks: Buffer.concat(digests).toString("base64url"),
      ...changes,
    },
    { format: 1, chunkBytes: CHUNK_BYTES },
  );
}

const offering =
  (release: string): Lie =>
  async ({ path }, honest) => {
    const answer = await honest();
    const body = path === "/api/ota/check" && answer.status === 200 ? readJson(answer.body!) : {};
    if (!body.update_available) return answer;
    const { digests_url: _, ...listing } = body;
    return { ...answer, body: writeJson({ ...listing, release }) };
  };

describe("the image that is armed is the one that was signed: a slot", () => {
  let rig: Rig;
  afterEach(() => rig.close());

  /** Offers a release to a device whose slot holds `left`, until it has reported an end. */
  async function endOf(release: string, left: Uint8Array | undefined) {
    rig = await setUpRig({ lie: offering(release) });
    const { device, world } = rig.desk;
    const slot = device.partitions.find(({ label }) => label === "ota_0")!;
    if (left) device.flash.bytes.set(left, slot.offset);
    device.powerOn();
    const end = () => rig.reports.find(({ status }) => status === "failed" || status === "success");
    await world.runUntil(() => end() !== undefined, { limitMs: HOUR_MS });
    return end();
  }

  const cases: readonly (readonly [string, () => Promise<readonly [string, Uint8Array | undefined]>])[] = [
    [
      "that holds a whole image of which one chunk is signed",
      async () => {
        const image = await imageOf("base", "1.1.0");
        return [await releaseOfPart(image, 1), image];
      },
    ],
    [
      "that holds a whole image of which all but the last chunks are signed",
      async () => {
        const image = await imageOf("base", "1.1.0");
        return [await releaseOfPart(image, Math.floor(image.length / CHUNK_BYTES) - 2), image];
      },
    ],
    [
      "that holds the end of a newer image, which nobody has signed",
      async () => {
        const newer = await imageOf("base", "1.2.0");
        return [await releaseOfPart(newer, 8), newer];
      },
    ],
    [
      "with an image whose release names another hash than its own",
      async () => {
        const image = await imageOf("base", "1.1.0");
        const chunkBytes = chunkBytesFor(image.length);
        return [
          await releaseOf(image, { imageSha256: "ab".repeat(32) }, { format: 1, chunkBytes }),
          undefined,
        ];
      },
    ],
  ];

  for (const [what, make] of cases)
    it(`${what} is not armed`, async () => {
      const end = await endOf(...(await make()));
      expect(end?.error_code).equal("ARM_FAILED");
      expect(end?.error_message).match(
        /^the slot holds an image with SHA256 [0-9a-f]{64}, the release is of /,
      );
      expect(rig.desk.device.running?.label).equal("factory");
      rig.desk.device.powerOff();
      rig.desk.device.powerOn();
      await rig.desk.world.runFor(1_000);
      expect(rig.desk.device.running?.label).equal("factory");
    });
});
