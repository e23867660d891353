import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect } from "chai";
import { type BlobStore, BlobsUnavailable } from "../../../server/blobs/blobs.js";
import { openS3Blobs } from "../../../server/blobs/s3.js";
import { makeRelease, TestServer } from "../test-server.js";

const PATIENCE = { connectMs: 300, answerMs: 300, pauseMs: 300 };
const SHA256 = "a".repeat(64);
const SIZE = 100_000;

/** An S3 server as a test needs it: what it does with each connection. */
async function listen(onRequest: (socket: Socket, head: string) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    let isAnswered = false;
    socket.on("data", (data) => {
      if (!isAnswered) onRequest(socket, data.toString("latin1"));
      isAnswered = true;
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

describe("a blob store on the network that does not answer", () => {
  const before = { ...process.env };
  let s3: Server | undefined;
  let blobs: BlobStore | undefined;
  afterEach(async () => {
    await blobs?.close();
    s3?.close();
    s3 = blobs = undefined;
    for (const name of ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
  });

  function openAt(port: number): BlobStore {
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
    });
    blobs = openS3Blobs("s3://bucket?path-style=true", PATIENCE);
    return blobs;
  }
  async function open(onRequest: (socket: Socket, head: string) => void): Promise<BlobStore> {
    s3 = await listen(onRequest);
    return openAt((s3.address() as AddressInfo).port);
  }
  const problem = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => undefined,
      (error: unknown) => error,
    );
  const upload = (store: BlobStore) => store.put(Readable.from([Buffer.alloc(SIZE)]), 1e6);
  const collect = async (store: BlobStore) => {
    for await (const _ of store.list());
  };

  it("is given up by every method", async () => {
    const store = await open(() => {});
    for (const [name, work] of [
      ["stat", store.stat(SHA256)],
      ["read", buffer(store.read(SHA256))],
      ["put", upload(store)],
      ["remove", store.remove(SHA256)],
      ["list", collect(store)],
    ] as const)
      expect(await problem(work), name)
        .instanceOf(BlobsUnavailable)
        .property("message")
        .match(/within 300 ms/);
  });

  it("is given up when it stops in the middle of a body", async () => {
    const store = await open((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${SIZE}\r\n\r\n${"x".repeat(1000)}`);
    });
    const read = store.read(SHA256);
    const pieces: Buffer[] = [];
    read.on("data", (piece: Buffer) => pieces.push(piece));
    const [error] = await once(read, "error");
    expect(error)
      .instanceOf(BlobsUnavailable)
      .property("message")
      .match(/sent nothing for 300 ms/);
    expect(Buffer.concat(pieces)).to.have.length(1000);
  });

  it("is given up when it takes an upload and never confirms it", async () => {
    const store = await open((socket, head) => {
      if (head.startsWith("HEAD")) socket.end("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
      else socket.resume();
    });
    expect(await problem(upload(store))).instanceOf(BlobsUnavailable);
  });

  it("is given up when nothing listens there, or it fails again and again", async () => {
    const closed = await listen(() => {});
    const { port } = closed.address() as AddressInfo;
    closed.close();
    expect(await problem(openAt(port).stat(SHA256))).instanceOf(BlobsUnavailable);
    await blobs?.close();
    const failing = await open((socket) => socket.end("HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\n\r\n"));
    expect(await problem(failing.stat(SHA256))).instanceOf(BlobsUnavailable);
  });

  it("waits for a reader that takes its time", async () => {
    const store = await open((socket) => {
      socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${SIZE}\r\n\r\n${"x".repeat(SIZE)}`);
    });
    let bytes = 0;
    for await (const piece of store.read(SHA256)) {
      if (bytes === 0) await new Promise((resolve) => setTimeout(resolve, 2 * PATIENCE.pauseMs));
      bytes += (piece as Buffer).length;
    }
    expect(bytes).equal(SIZE);
  });

  it("makes requests fail with 503, and nothing of it is cached", async () => {
    const silent = await open(() => {});
    const server = await TestServer.open();
    try {
      const made = await makeRelease("1.1.0");
      const { id } = (await server.upload(made)).json();
      const names = ["put", "stat", "read", "remove", "list"] as const;
      for (const name of names) server.app.context.blobs[name] = silent[name].bind(silent) as never;
      const ranges = [undefined, "bytes=0-9", "bytes=0-9,20-29"];
      for (const range of ranges) {
        const answer = await server.app.inject({
          url: `/api/ota/download/${id}`,
          ...(range && { headers: { range } }),
        });
        expect([answer.statusCode, answer.json().error], range).deep.equal([503, "FILES_UNAVAILABLE"]);
        expect(answer.headers, range).include({ "retry-after": "30", "cache-control": "no-store" });
        expect(answer.headers, range).not.to.have.any.keys("etag", "accept-ranges", "content-range");
      }
      const refused = await server.upload(await makeRelease("1.2.0"));
      expect([refused.statusCode, refused.json().error]).deep.equal([503, "FILES_UNAVAILABLE"]);
    } finally {
      await server.close();
    }
  });
});
