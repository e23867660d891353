import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { expect } from "chai";
import { type BlobStore, BlobTooLarge } from "../../../server/blobs/blobs.js";
import { openFileBlobs } from "../../../server/blobs/files.js";

const BYTES = Uint8Array.from({ length: 10_000 }, (_, index) => index * 7);
const SHA256 = createHash("sha256").update(BYTES).digest("hex");

async function* stream(bytes: Uint8Array, piece = 999): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
}

describe("the blob files", () => {
  let folder: string;
  let blobs: BlobStore;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-blobs-"));
    blobs = await openFileBlobs(folder);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("names a file by its content and gives it back", async () => {
    const blob = await blobs.put(stream(BYTES), 10_000);
    expect(blob).to.deep.equal({
      sha256: SHA256,
      sizeBytes: 10_000,
      path: `${SHA256.slice(0, 2)}/${SHA256}`,
      isNew: true,
    });
    expect(await buffer(blobs.read(SHA256))).to.deep.equal(Buffer.from(BYTES));
    expect(await blobs.stat(SHA256)).to.include({ sizeBytes: 10_000 });
  });

  it("reads a range with both ends included", async () => {
    await blobs.put(stream(BYTES), 10_000);
    const part = await buffer(blobs.read(SHA256, { start: 5, end: 9 }));
    expect([...part]).to.deep.equal([...BYTES.subarray(5, 10)]);
  });

  it("says that the same bytes were here before", async () => {
    await blobs.put(stream(BYTES), 10_000);
    expect((await blobs.put(stream(BYTES, 4), 10_000)).isNew).to.equal(false);
  });

  it("takes nothing that is too long", async () => {
    const error = await blobs.put(stream(BYTES), 9_999).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(BlobTooLarge);
    expect(await readdir(folder)).to.deep.equal(["tmp"]);
    expect(await readdir(join(folder, "tmp"))).to.deep.equal([]);
  });

  it("leaves nothing of a stream that breaks", async () => {
    async function* broken() {
      yield BYTES;
      throw new Error("cut");
    }
    expect(await blobs.put(broken(), 1e6).catch((error: Error) => error.message)).to.equal("cut");
    expect(await readdir(join(folder, "tmp"))).to.deep.equal([]);
    expect(await blobs.stat(SHA256)).to.equal(undefined);
  });

  it("forgets what a killed server had begun to receive", async () => {
    for (const name of ["dead", "growing"]) await writeFile(join(folder, "tmp", name), "x");
    await utimes(join(folder, "tmp", "dead"), 1, 1);
    await openFileBlobs(folder);
    expect(await readdir(join(folder, "tmp"))).to.deep.equal(["growing"]);
  });

  it("never makes a path of a name that is no hash", async () => {
    expect(() => blobs.read("../../etc/passwd")).to.throw(RangeError);
    expect(await blobs.stat("..").catch((error: Error) => error.name)).to.equal("RangeError");
  });
});
