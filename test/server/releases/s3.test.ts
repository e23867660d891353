import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type RunningServer, type ServerOptions, startServer } from "../../../server/start.js";
import { type Buckets, bucketsOrSkip } from "../../services/s3.js";
import { type MadeRelease, makeRelease } from "../test-server.js";

describe("firmware in S3", () => {
  let buckets: Buckets;
  let folder: string;
  let server: RunningServer;
  let made: MadeRelease;
  before(async function () {
    buckets = await bucketsOrSkip(this);
    made = await makeRelease("1.1.0");
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-elsewhere-"));
  });
  afterEach(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A server that has one release. */
  const start = async (options: Partial<ServerOptions>) => {
    server = await startServer({
      dataDir: folder,
      blobStoreUrl: await buckets.newBucket(),
      port: 0,
      ...options,
    });
    const form = new FormData();
    form.set("release", made.release);
    form.set("file", new Blob([new Uint8Array(made.image)]), "base.bin");
    const headers = { authorization: `Bearer ${server.adminToken}` };
    const answer = await fetch(`${server.url}/api/ota/admin/upload`, { method: "POST", body: form, headers });
    expect(answer.status).to.equal(201);
    return (await answer.json()) as { binary_path: string };
  };
  const download = (query = "", init: RequestInit = {}) =>
    fetch(`${server.url}/api/ota/download/1${query}`, init);
  const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());
  const RANGE = { headers: { range: "bytes=100-299" } };

  it("is sent by the server, whole and in parts", async () => {
    await start({});
    const whole = await download("", { redirect: "error" });
    expect(await bytesOf(whole)).to.deep.equal(made.image);
    const part = await download("", { redirect: "error", ...RANGE });
    expect(part.status).to.equal(206);
    expect(await bytesOf(part)).to.deep.equal(made.image.subarray(100, 300));
  });

  it("is fetched from the bucket by a temporary link, ranges included", async () => {
    await start({ settings: { downloadsFrom: "link" } });
    const answer = await download("", { redirect: "manual" });
    expect(answer.status).to.equal(302);
    expect(answer.headers.get("cache-control")).to.equal("no-store");
    expect(answer.headers.get("location")).to.match(new RegExp(`^${buckets.endpoint}/.*X-Amz-Signature=`));
    expect(await bytesOf(await download())).to.deep.equal(made.image);
    expect(await bytesOf(await download("", RANGE))).to.deep.equal(made.image.subarray(100, 300));
  });

  it("is fetched from a cache in front of the bucket", async () => {
    const { binary_path } = await start({ settings: { downloadsFrom: "https://cdn.example/fw/" } });
    const answer = await download("", { redirect: "manual" });
    expect(answer.headers.get("location")).to.equal(`https://cdn.example/fw/${binary_path}`);
  });

  it("is sent by the server to devices, which follow no redirect", async () => {
    await start({ settings: { downloadsFrom: "link" } });
    const check = await fetch(`${server.url}/api/ota/check`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        device_id: "base-1",
        device_type: "base",
        current_version: "1.0.0",
        current_build: 0,
      }),
    });
    const { download_url } = (await check.json()) as { download_url: string };
    const answer = await fetch(server.url + download_url, { redirect: "error" });
    expect(await bytesOf(answer)).to.deep.equal(made.image);
  });

  it("is no longer linked once it was deactivated", async () => {
    await start({ settings: { downloadsFrom: "link" } });
    const headers = { authorization: `Bearer ${server.adminToken}` };
    await fetch(`${server.url}/api/ota/admin/firmware/1`, { method: "DELETE", headers });
    expect((await download("", { redirect: "manual" })).status).to.equal(410);
  });
});
