import { mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { BlobStore } from "../../../server/blobs/blobs.js";
import { openFileBlobs } from "../../../server/blobs/files.js";
import { BYTES, blobContract, SHA256, stream } from "../../contract/blobs.js";

describe("the blob files", () => {
  let folder: string;
  let blobs: BlobStore;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-blobs-"));
    blobs = await openFileBlobs(folder);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  blobContract(() => openFileBlobs(folder));

  it("leaves no file behind when it refuses one", async () => {
    await blobs.put(stream(BYTES), 9_999).catch(() => {});
    expect(await readdir(folder)).to.deep.equal(["tmp"]);
    expect(await readdir(join(folder, "tmp"))).to.deep.equal([]);
  });

  it("leaves no file behind when it removes one", async () => {
    const { path } = await blobs.put(stream(BYTES), 10_000);
    await blobs.remove(SHA256);
    expect(await readdir(join(folder, path.slice(0, 2)))).to.deep.equal([]);
  });

  it("removes what a killed server had begun to receive", async () => {
    for (const name of ["dead", "growing"]) await writeFile(join(folder, "tmp", name), "x");
    await utimes(join(folder, "tmp", "dead"), 1, 1);
    await blobs.forgetUnfinished(Date.now() - 60_000);
    expect(await readdir(join(folder, "tmp"))).to.deep.equal(["growing"]);
  });

  it("computes the digests of a file that has none beside it, and stores them", async () => {
    const { path, isNew: _isNew, ...blob } = await blobs.put(stream(BYTES), 10_000);
    for (const spoil of [
      () => rm(join(folder, `${path}.json`)),
      () => writeFile(join(folder, `${path}.json`), "{"),
    ]) {
      await spoil();
      const opened = await openFileBlobs(folder);
      expect(await opened.stat(SHA256)).to.deep.equal({ ...blob, path });
      expect((await stat(join(folder, `${path}.json`))).size).to.be.above(80);
    }
  });
});
