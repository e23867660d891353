// What every implementation of the blob store promises. Call it inside a `describe` with a function that opens an empty one.

import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { expect } from "chai";
import { type BlobStore, BlobTooLarge, type ListedBlob } from "../../server/blobs/blobs.js";

export const BYTES = Uint8Array.from({ length: 10_000 }, (_, index) => index * 7);
const hashOf = (name: string, bytes: Uint8Array) => createHash(name).update(bytes).digest("hex");
export const SHA256 = hashOf("sha256", BYTES);

export async function* stream(bytes: Uint8Array, piece = 999): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
}

export async function listed(blobs: BlobStore): Promise<ListedBlob[]> {
  const all: ListedBlob[] = [];
  for await (const blob of blobs.list()) all.push(blob);
  return all;
}

export function blobContract(open: () => Promise<BlobStore>): void {
  let blobs: BlobStore;
  beforeEach(async () => {
    blobs = await open();
  });
  afterEach(() => blobs.close());

  it("names a file by its content, returns its other digests and its bytes", async () => {
    const blob = {
      sha256: SHA256,
      md5: hashOf("md5", BYTES),
      sha1: hashOf("sha1", BYTES),
      sizeBytes: 10_000,
      path: `${SHA256.slice(0, 2)}/${SHA256}`,
    };
    expect(await blobs.put(stream(BYTES), 10_000)).to.deep.equal({ ...blob, isNew: true });
    expect(await blobs.stat(SHA256)).to.deep.equal(blob);
    expect(await buffer(blobs.read(SHA256))).to.deep.equal(Buffer.from(BYTES));
  });

  it("reads a range with both ends included", async () => {
    await blobs.put(stream(BYTES), 10_000);
    const part = await buffer(blobs.read(SHA256, { start: 5, end: 9 }));
    expect([...part]).to.deep.equal([...BYTES.subarray(5, 10)]);
  });

  it("reports that the same bytes were already stored", async () => {
    await blobs.put(stream(BYTES), 10_000);
    expect((await blobs.put(stream(BYTES, 4), 10_000)).isNew).to.equal(false);
  });

  it("accepts files of any size, even empty ones", async () => {
    const large = Uint8Array.from({ length: 3_000_017 }, (_, index) => (index * index) >> 7);
    const { sha256 } = await blobs.put(stream(large, 65_536), large.length);
    expect(hashOf("sha256", await buffer(blobs.read(sha256)))).to.equal(sha256);
    const empty = await blobs.put(stream(new Uint8Array()), 0);
    expect(await blobs.stat(empty.sha256)).to.include({ sizeBytes: 0 });
    expect(await buffer(blobs.read(empty.sha256))).to.have.length(0);
  });

  it("refuses what is too long", async () => {
    const error = await blobs.put(stream(BYTES), 9_999).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(BlobTooLarge);
    expect(await listed(blobs)).to.deep.equal([]);
  });

  it("keeps nothing of a stream that fails", async () => {
    async function* broken() {
      yield BYTES;
      throw new Error("cut");
    }
    expect(await blobs.put(broken(), 1e6).catch((error: Error) => error.message)).to.equal("cut");
    expect(await blobs.stat(SHA256)).to.equal(undefined);
    expect(await listed(blobs)).to.deep.equal([]);
  });

  it("accepts the same file from several clients at once", async () => {
    const put = await Promise.all(
      Array.from({ length: 5 }, (_, n) => blobs.put(stream(BYTES, 100 + n), 1e6)),
    );
    expect(new Set(put.map(({ sha256 }) => sha256)).size).to.equal(1);
    expect(await buffer(blobs.read(SHA256))).to.deep.equal(Buffer.from(BYTES));
  });

  it("lists its blobs, with size and time", async () => {
    await blobs.put(stream(BYTES), 1e6);
    const other = await blobs.put(stream(BYTES.subarray(1)), 1e6);
    const all = await listed(blobs);
    expect(all.map(({ sha256 }) => sha256)).to.have.members([SHA256, other.sha256]);
    expect(all.find(({ sha256 }) => sha256 === SHA256)?.sizeBytes).to.equal(10_000);
    for (const { storedAt } of all) expect(Math.abs(storedAt - Date.now())).to.be.below(60_000);
  });

  it("removes blobs, even missing ones", async () => {
    await blobs.put(stream(BYTES), 1e6);
    await blobs.remove(SHA256);
    await blobs.remove(SHA256);
    expect(await blobs.stat(SHA256)).to.equal(undefined);
    expect(await listed(blobs)).to.deep.equal([]);
    const read = buffer(blobs.read(SHA256));
    expect(await read.catch(() => "failed")).to.equal("failed");
  });

  it("never makes a path of a name that is not a hash", async () => {
    expect(() => blobs.read("../../etc/passwd")).to.throw(RangeError);
    expect(await blobs.stat("..").catch((error: Error) => error.name)).to.equal("RangeError");
    expect(await blobs.remove("..").catch((error: Error) => error.name)).to.equal("RangeError");
  });
}
