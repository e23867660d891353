import { assert } from "chai";
import {
  announceFrame,
  blockCountOf,
  blockLength,
  dataFrame,
  MAX_IMAGE_BYTES,
  parityFrame,
  readAnnouncement,
  readData,
  readParity,
  readStatus,
  statusFrame,
} from "../../../../firmware/core/radio/block-frames.js";
import { MAX_FRAME_BYTES } from "../../../../firmware/core/radio/vocabulary.js";
import { randomStream } from "../../../../host-sim/world/random.js";

const ID = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
/** 62 blocks; the last one has 576 bytes in 3 parts. */
const IMAGE_BYTES = 1_000_000;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** `with` of typed arrays, which XS does not have. */
function changed(bytes: Uint8Array, index: number, value: number): Uint8Array {
  const copy = bytes.slice();
  copy[index] = value;
  return copy;
}

const STATUS_OF = {
  id: ID,
  imageBytes: IMAGE_BYTES,
  block: 3,
  endBlock: 62,
  room: 31,
  settled: Uint8Array.from({ length: 10 }, (_, i) => (i === 4 ? 0x8f : 0xff)),
};

describe("frames of blocks", () => {
  it("are laid out as documented", () => {
    const announced = { session: 5, id: ID, imageBytes: IMAGE_BYTES, block: 0x21, waitSeconds: 8 };
    assert.strictEqual(hex(announceFrame(announced)), "300501020304050607084042" + "0f00" + "210008");
    const parity = { session: 2, id: ID, block: 0x0102, seed: 0xfedc, bytes: new Uint8Array(224).fill(0xaa) };
    assert.strictEqual(hex(parityFrame(parity)), `310201020304050607080201dcfe${"aa".repeat(224)}`);
    assert.strictEqual(
      hex(statusFrame(STATUS_OF)),
      `32010203040506070840420f0003003e001fffffffff8f${"ff".repeat(5)}`,
    );
    const data = { session: 7, block: 1, part: 2, bytes: new Uint8Array(224).fill(0xbb) };
    assert.strictEqual(hex(dataFrame(data)), `3f4c00e0${"bb".repeat(224)}`);
  });

  it("are read as they were written, and fit a frame", () => {
    const announced = { session: 0, id: ID, imageBytes: IMAGE_BYTES, block: 61, waitSeconds: 0 };
    assert.deepEqual(readAnnouncement(announceFrame(announced)), announced);
    const parity = { session: 1, id: ID, block: 61, seed: 9, bytes: new Uint8Array(224).fill(3) };
    assert.deepEqual(readParity(parityFrame(parity), IMAGE_BYTES), parity);
    assert.deepEqual(readStatus(statusFrame(STATUS_OF)), { ...STATUS_OF, lacking: 3 });
    const data = { session: 3, block: 61, part: 2, bytes: new Uint8Array(128).fill(4) };
    assert.deepEqual(readData(dataFrame(data), IMAGE_BYTES), data);
    assert.ok(parityFrame(parity).length <= MAX_FRAME_BYTES);
  });

  it("divide an image into blocks", () => {
    assert.strictEqual(blockCountOf(IMAGE_BYTES), 62);
    assert.strictEqual(blockLength(IMAGE_BYTES, 61), 576);
    assert.strictEqual(blockLength(IMAGE_BYTES, 60), 16_384);
    assert.strictEqual(blockCountOf(MAX_IMAGE_BYTES) * 74 <= 0x1_0000, true);
  });

  it("refuse a part beyond the image's end, or with another length than it has", () => {
    const part = (block: number, index: number, sizeBytes: number) =>
      readData(dataFrame({ session: 0, block, part: index, bytes: new Uint8Array(sizeBytes) }), IMAGE_BYTES);
    assert.ok(part(61, 2, 128));
    assert.strictEqual(part(61, 2, 224), undefined);
    assert.strictEqual(part(61, 2, 127), undefined);
    assert.strictEqual(part(61, 3, 224), undefined);
    assert.strictEqual(part(62, 0, 224), undefined);
    assert.strictEqual(part(60, 73, 224), undefined);
    assert.ok(part(60, 73, 32));
  });

  it("refuse a size that is not the frame's", () => {
    const frame = dataFrame({ session: 0, block: 0, part: 0, bytes: new Uint8Array(224) });
    assert.strictEqual(readData(frame.subarray(0, 100), IMAGE_BYTES), undefined);
    assert.strictEqual(readData(Uint8Array.from([...frame, 0]), IMAGE_BYTES), undefined);
    assert.strictEqual(readData(changed(frame, 3, 223), IMAGE_BYTES), undefined);
    assert.strictEqual(readData(Uint8Array.of(0x38, 0, 0, 0), IMAGE_BYTES), undefined);
  });

  it("refuse statuses that cannot be true", () => {
    const refused = (change: Partial<typeof STATUS_OF>) =>
      assert.strictEqual(
        readStatus(statusFrame({ ...STATUS_OF, ...change })),
        undefined,
        JSON.stringify(change),
      );
    refused({ imageBytes: 0 });
    refused({ imageBytes: MAX_IMAGE_BYTES + 1 });
    refused({ block: 62, endBlock: 63 });
    refused({ endBlock: 3 });
    refused({ endBlock: 63 });
    refused({ settled: new Uint8Array(10).fill(0xff) });
    // of the last block, which has three parts
    refused({ block: 61, settled: Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0, 0, 0) });
    const last = { ...STATUS_OF, block: 61, settled: Uint8Array.of(0xfa, 0, 0, 0, 0, 0, 0, 0, 0, 0) };
    assert.strictEqual(readStatus(statusFrame(last))?.lacking, 2);
  });

  it("refuse a block that the image does not have, and a session beyond 7", () => {
    assert.strictEqual(
      readAnnouncement(announceFrame({ session: 8, id: ID, imageBytes: 100, block: 0, waitSeconds: 0 })),
      undefined,
    );
    assert.strictEqual(
      readAnnouncement(announceFrame({ session: 0, id: ID, imageBytes: 100, block: 1, waitSeconds: 0 })),
      undefined,
    );
    const parity = { session: 0, id: ID, block: 62, seed: 0, bytes: new Uint8Array(224) };
    assert.strictEqual(readParity(parityFrame(parity), IMAGE_BYTES), undefined);
    assert.strictEqual(readParity(parityFrame({ ...parity, block: 0, session: 8 }), IMAGE_BYTES), undefined);
  });

  it("read anything without an error, and give nothing outside the image", () => {
    const random = randomStream("frames");
    for (let run = 0; run < 2_000; run++) {
      const frame = Uint8Array.from({ length: Math.floor(random() * 251) }, () => Math.floor(random() * 256));
      if (frame.length > 0) frame[0] = 0x30 + Math.floor(random() * 16);
      const imageBytes = 1 + Math.floor(random() * 100_000);
      const data = readData(frame, imageBytes);
      if (data) assert.ok(data.block * 16_384 + data.part * 224 + data.bytes.length <= imageBytes);
      const parity = readParity(frame, imageBytes);
      if (parity) assert.ok(parity.block < blockCountOf(imageBytes));
      readAnnouncement(frame);
      readStatus(frame);
    }
  });
});
