import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import { expect } from "chai";
import type { FastifyInstance } from "fastify";
import { pino } from "pino";
import { createApp } from "../../../server/app.js";
import { openFileBlobs } from "../../../server/blobs/files.js";
import { makeRelease, TestServer } from "../test-server.js";

describe("a file that was damaged after its upload", () => {
  let server: TestServer;
  let app: FastifyInstance;
  let url: string;
  let file: string;
  let logged: Record<string, unknown>[];
  beforeEach(async () => {
    server = await TestServer.open();
    const { id, binary_path, file_size } = (await server.upload(await makeRelease("1.1.0"))).json();
    file = join(server.blobFolder, binary_path);
    expect(file_size).to.be.above(30_000);
    logged = [];
    const log = pino(
      new Writable({
        write(line: Buffer, _encoding, done) {
          logged.push(JSON.parse(String(line)));
          done();
        },
      }),
    );
    const { store, auth } = server;
    const blobs = await openFileBlobs(server.blobFolder);
    app = createApp({ store, blobs, auth, now: () => server.nowMs, log });
    url = `${await app.listen({ host: "127.0.0.1", port: 0 })}/api/ota/download/${id}`;
  });
  afterEach(async () => {
    await app.close();
    await server.close();
  });

  /** The status, and whether the body is as long as was announced. */
  async function get(range?: string): Promise<{ readonly status: number; readonly isWhole: boolean }> {
    const answer = await fetch(url, range === undefined ? {} : { headers: { range } });
    const body = await answer.arrayBuffer().catch(() => undefined);
    const announced = Number(answer.headers.get("content-length"));
    return { status: answer.status, isWhole: body !== undefined && body.byteLength === announced };
  }
  const complaints = () => logged.filter(({ level }) => Number(level) >= 40);

  it("is sent as it is while it is whole", async () => {
    for (const range of [undefined, "bytes=0-9", "bytes=0-9,20000-29999"])
      expect((await get(range)).isWhole, range).equal(true);
    expect(complaints()).deep.equal([]);
  });

  for (const [what, range] of [
    ["the second of two ranges", "bytes=0-9,20000-29999"],
    ["the end of the last of three", "bytes=0-9,100-199,5000-20000"],
  ] as const)
    it(`ends the connection, and is logged, when ${what} is missing`, async () => {
      await truncate(file, 10_000);
      expect(await get(range)).deep.equal({ status: 206, isWhole: false });
      const [complaint] = complaints();
      expect(JSON.stringify(complaint)).to.match(/blob [0-9a-f]{64} sent \d+ bytes where \d+ were asked for/);
    });

  it("answers 500 when nothing has been sent yet, and nothing of it is cached", async () => {
    await writeFile(file, "");
    for (const range of [undefined, "bytes=0-9", "bytes=0-9,20000-29999"])
      expect((await get(range)).status, range).equal(500);
    expect(complaints().length).to.be.above(2);
    expect((await fetch(url)).headers.get("cache-control")).equal("no-store");
  });
});
