import { expect } from "chai";
import {
  chunkBytesFor,
  chunkCountOf,
  chunkLength,
  digestAt,
  pageAt,
  pageBytes,
  pageCountOf,
  pageEnd,
  pageOffset,
} from "../../../../firmware/core/update/digests.js";

const MIB = 1024 * 1024;
/** Two pages and one chunk of 100 bytes. */
const IMAGE = { size: 128 * 16_384 + 100, chunkSize: 16_384 };

describe("where the digest of a chunk is", () => {
  it("follows from chunks of 16 KiB up to 8 MiB, and of 32 KiB above", () => {
    expect(chunkBytesFor(1)).equal(16_384);
    expect(chunkBytesFor(8 * MIB)).equal(16_384);
    expect(chunkBytesFor(8 * MIB + 1)).equal(32_768);
  });

  it("counts the last chunk and the last page, however short they are", () => {
    expect(chunkCountOf(IMAGE)).equal(129);
    expect(chunkLength(IMAGE, 127)).equal(16_384);
    expect(chunkLength(IMAGE, 128)).equal(100);
    expect(pageCountOf(IMAGE)).equal(3);
    expect(pageCountOf({ ...IMAGE, size: 128 * 16_384 })).equal(2);
    expect(pageBytes(IMAGE, 1)).equal(2048);
    expect(pageBytes(IMAGE, 2)).equal(32);
  });

  it("changes the page with every 64th chunk", () => {
    expect(pageAt(IMAGE, 64 * 16_384 - 1)).equal(0);
    expect(pageAt(IMAGE, 64 * 16_384)).equal(1);
    expect(pageEnd(IMAGE, 0)).equal(64 * 16_384);
    expect(pageEnd(IMAGE, 2)).equal(IMAGE.size);
    expect(pageOffset(2)).equal(4096);
  });

  it("is at a multiple of 32 bytes", () => {
    const digests = Uint8Array.from({ length: 96 }, (_, i) => i);
    expect([...digestAt(digests, 1)]).deep.equal([...digests.slice(32, 64)]);
  });
});
