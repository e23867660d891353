import { type AddressInfo, connect, createServer } from "node:net";
import { buffer } from "node:stream/consumers";
import { CopyObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { openS3Blobs } from "../../../server/blobs/s3.js";
import { BYTES, blobContract, listed, SHA256, stream } from "../../contract/blobs.js";
import { type Buckets, bucketsOrSkip } from "../../services/s3.js";

describe("the blobs in S3", () => {
  let buckets: Buckets;
  before(async function () {
    buckets = await bucketsOrSkip(this);
  });

  blobContract(async () => openS3Blobs(await buckets.newBucket()));

  it("creates temporary links to a blob, ranges included", async () => {
    const blobs = openS3Blobs(await buckets.newBucket());
    await blobs.put(stream(BYTES), 1e6);
    const link = (await blobs.link?.(SHA256)) ?? "";
    expect(link).to.include("X-Amz-Expires=900");
    expect(Buffer.from(await (await fetch(link)).arrayBuffer())).to.deep.equal(Buffer.from(BYTES));
    const part = await fetch(link, { headers: { range: "bytes=5-9" } });
    expect(part.status).to.equal(206);
    expect([...new Uint8Array(await part.arrayBuffer())]).to.deep.equal([...BYTES.subarray(5, 10)]);
    await blobs.close();
  });

  it("computes the digests of an object that was put there by another program, and ignores other objects", async () => {
    const url = await buckets.newBucket();
    const client = new S3Client({ forcePathStyle: true });
    const Bucket = new URL(url).hostname;
    const Key = `images/all/${SHA256.slice(0, 2)}/${SHA256}`;
    await client.send(new PutObjectCommand({ Bucket, Key, Body: BYTES }));
    for (const other of [SHA256, `images/all/${SHA256}`, `images/all/00/${SHA256}`, "images/all/x"]) {
      await client.send(new CopyObjectCommand({ Bucket, Key: other, CopySource: `${Bucket}/${Key}` }));
    }
    const blobs = openS3Blobs(url);
    const stranger = await blobs.stat(SHA256);
    const own = await openS3Blobs(await buckets.newBucket()).put(stream(BYTES), 1e6);
    expect({ ...stranger, isNew: true }).to.deep.equal(own);
    expect(await listed(blobs)).to.have.length(1);
    expect(await buffer(blobs.read(SHA256))).to.have.length(10_000);
    client.destroy();
    await blobs.close();
  });

  it("uploads a large file again from its beginning when the server breaks off", async () => {
    const url = await buckets.newBucket();
    const bytes = Uint8Array.from({ length: 500_000 }, (_, index) => (index * index) >> 5);
    let cutCount = 0;
    const proxy = createServer((socket) => {
      const upstream = connect(Number(new URL(buckets.endpoint).port), "127.0.0.1");
      let seen = 0;
      socket.on("data", (data) => {
        seen += data.length;
        // The first two uploads end in their middle.
        if (seen > 200_000 && cutCount < 2) {
          cutCount++;
          socket.destroy();
          upstream.destroy();
        } else upstream.write(data);
      });
      upstream.pipe(socket);
      const end = () => {
        socket.destroy();
        upstream.destroy();
      };
      for (const side of [socket, upstream]) side.on("error", end).on("close", end);
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    process.env.AWS_ENDPOINT_URL = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const blobs = openS3Blobs(url);
    try {
      const { sha256 } = await blobs.put(stream(bytes, 65_536), 1e6);
      expect(cutCount).to.equal(2);
      expect(await buffer(blobs.read(sha256))).to.deep.equal(Buffer.from(bytes));
      expect(await listed(blobs)).to.have.length(1);
    } finally {
      process.env.AWS_ENDPOINT_URL = buckets.endpoint;
      await blobs.close();
      proxy.close();
    }
  });

  it("says what is wrong with its URL", () => {
    expect(() => openS3Blobs("s3://")).to.throw("names no bucket");
    expect(() => openS3Blobs("s3://bucket?pathstyle=1")).to.throw("pathstyle");
  });
});
