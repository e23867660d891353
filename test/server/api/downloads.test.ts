import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { openFileBlobs } from "../../../server/blobs/files.js";
import { HotBlobs } from "../../../server/blobs/hot.js";
import { type MadeRelease, makeRelease, TestServer } from "../test-server.js";

describe("a download", () => {
  let server: TestServer;
  let made: MadeRelease;
  let sha256: string;
  const get = (
    headers: Record<string, string> = {},
    url = "/api/ota/download/1",
    method: "GET" | "HEAD" = "GET",
  ) => server.app.inject({ method, url, headers });

  before(async () => {
    made = await makeRelease("1.1.0");
  });
  beforeEach(async () => {
    server = await TestServer.open();
    sha256 = (await server.upload(made)).json().file_hash;
  });
  afterEach(() => server.close());

  it("sends several parts in one answer", async () => {
    const answer = await get({ range: "bytes=0-9,100-199,-5" });
    expect(answer.statusCode).to.equal(206);
    expect(answer.headers["content-length"]).to.equal(`${answer.rawPayload.length}`);
    const [, boundary] =
      /^multipart\/byteranges; boundary=(\S+)$/.exec(`${answer.headers["content-type"]}`) ?? [];
    const text = answer.rawPayload.toString("latin1");
    const sections = text.split(`--${boundary}`);
    expect(sections.pop()).to.equal("--\r\n");
    expect(sections.shift()).to.equal("");
    const size = made.image.length;
    const wanted = [
      [0, 9],
      [100, 199],
      [size - 5, size - 1],
    ] as const;
    expect(sections).to.have.length(wanted.length);
    for (const [at, [start, end]] of wanted.entries()) {
      expect(sections[at]).to.equal(
        `\r\ncontent-type: application/octet-stream\r\ncontent-range: bytes ${start}-${end}/${size}\r\n\r\n` +
          `${made.image.subarray(start, end + 1).toString("latin1")}\r\n`,
      );
    }
  });

  it("returns the length of several parts to HEAD too", async () => {
    const range = "bytes=0-9,100-199";
    const head = await get({ range }, undefined, "HEAD");
    expect(head.rawPayload).to.have.length(0);
    expect(head.headers["content-length"]).to.equal((await get({ range })).headers["content-length"]);
  });

  it("is not sent to a client that has it", async () => {
    const etag = `"${sha256}"`;
    for (const header of [etag, `"other", W/${etag}`, "*"]) {
      const answer = await get({ "if-none-match": header });
      expect(answer.statusCode, header).to.equal(304);
      expect(answer.rawPayload).to.have.length(0);
      expect(answer.headers.etag).to.equal(etag);
    }
    expect((await get({ "if-none-match": '"other"' })).statusCode).to.equal(200);
  });

  it("may be cached forever under the name of its content, and minutes under its number", async () => {
    const byContent = await get({}, `/api/ota/files/${sha256}`);
    expect(byContent.rawPayload.equals(made.image)).to.equal(true);
    expect(byContent.headers["cache-control"]).to.equal("public, max-age=31536000, immutable");
    expect((await get()).headers["cache-control"]).to.equal("public, max-age=300");
  });

  it("is gone under both names when the firmware is deactivated", async () => {
    await server.admin("DELETE", "/api/ota/admin/firmware/1");
    expect((await get()).json().error).to.equal("FIRMWARE_INACTIVE");
    expect((await get({}, `/api/ota/files/${sha256}`)).json().error).to.equal("FILE_UNKNOWN");
  });

  it("refuses a name that is not a SHA-256", async () => {
    expect((await get({}, "/api/ota/files/..%2f..%2fjwt.key")).statusCode).to.equal(400);
  });
});

describe("blobs in memory", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-hot-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function open(maxBytes: number) {
    const blobs = await openFileBlobs(folder);
    let readCount = 0;
    const counted = Object.assign(Object.create(blobs) as typeof blobs, {
      read: (...of: Parameters<typeof blobs.read>) => {
        readCount++;
        return blobs.read(...of);
      },
    });
    const put = async (fill: number, sizeBytes: number) =>
      (await blobs.put(chunksOf(Buffer.alloc(sizeBytes, fill)), 1_000_000)).sha256;
    return { hot: new HotBlobs(counted, maxBytes), put, reads: () => readCount };
  }
  async function* chunksOf(bytes: Buffer): AsyncGenerator<Buffer> {
    yield bytes;
  }

  it("are read once, even by many at the same time", async () => {
    const { hot, put, reads } = await open(100_000);
    const sha256 = await put(1, 1000);
    const loaded = await Promise.all(Array.from({ length: 50 }, () => hot.load(sha256, 1000)));
    for (const bytes of loaded) expect(bytes?.equals(Buffer.alloc(1000, 1))).to.equal(true);
    await hot.load(sha256, 1000);
    expect(reads()).to.equal(1);
  });

  it("stay within their limit: the least recently used is dropped", async () => {
    const { hot, put, reads } = await open(3000);
    const [first, second, third] = [await put(1, 1200), await put(2, 1200), await put(3, 1200)];
    for (const sha256 of [first, second, first, third]) await hot.load(sha256, 1200);
    expect(reads()).to.equal(3);
    await hot.load(first, 1200);
    expect(reads(), "the first is still there").to.equal(3);
    await hot.load(second, 1200);
    expect(reads(), "the second had to go").to.equal(4);
  });

  it("stay on the disk when they are large", async () => {
    const { hot, put, reads } = await open(3000);
    expect(await hot.load(await put(1, 1501), 1501)).to.equal(undefined);
    expect(reads()).to.equal(0);
  });

  it("are read again after a failed read", async () => {
    const { hot, put } = await open(100_000);
    const missing = "0".repeat(64);
    let failure: unknown;
    await hot.load(missing, 10).catch((error: unknown) => {
      failure = error;
    });
    expect((failure as NodeJS.ErrnoException).code).to.equal("ENOENT");
    const sha256 = await put(9, 10);
    expect(await hot.load(sha256, 10)).to.have.length(10);
  });
});
