// What devices fetch in addition to an image: the digests of its chunks.

import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { pathOfBlob } from "../../../server/blobs/blobs.js";
import { ACCESS_CACHE_MS } from "../../../server/fast-path/access-cache.js";
import { type MadeRelease, makeRelease, TestServer } from "../test-server.js";

const DIGESTS = "/api/ota/download/1/digests";
const CHUNK_BYTES = 16 * 1024;

const hash = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

/** As a device expects them. */
function digestsOf(image: Buffer): Buffer {
  const digests: Buffer[] = [];
  for (let at = 0; at < image.length; at += CHUNK_BYTES)
    digests.push(hash(image.subarray(at, at + CHUNK_BYTES)));
  return Buffer.concat(digests);
}

describe("the digests of an image", () => {
  let server: TestServer;
  let made: MadeRelease;
  let digests: Buffer;
  before(async () => {
    made = await makeRelease("1.1.0", { image: { bundle: "x".repeat(1_500_000) } });
    digests = digestsOf(made.image);
  });
  beforeEach(async () => {
    server = await TestServer.open();
    await server.upload(made);
  });
  afterEach(() => server.close());

  const get = (headers: Record<string, string> = {}, url = DIGESTS, method: "GET" | "HEAD" = "GET") =>
    server.app.inject({ method, url, headers });

  it("are linked beside the manifest that has the hashes of their pages", async () => {
    const offer = (await server.check()).json();
    expect(offer.digests_url).to.equal(DIGESTS);
    const payload = JSON.parse(Buffer.from(offer.release.split(".")[1], "base64url").toString());
    expect(payload.format).to.equal(2);
    const pages = [hash(digests.subarray(0, 2048)), hash(digests.subarray(2048))];
    expect(payload.pages).to.equal(Buffer.concat(pages).toString("base64url"));
  });

  it("are sent complete, by range, or not at all to a client that has them", async () => {
    const whole = await get();
    expect(whole.statusCode).to.equal(200);
    expect(whole.rawPayload.equals(digests)).to.equal(true);
    expect(whole.headers).to.include({
      "accept-ranges": "bytes",
      "content-type": "application/octet-stream",
    });
    const page = await get({ range: "bytes=2048-4095" });
    expect(page.statusCode).to.equal(206);
    expect(page.headers["content-range"]).to.equal(`bytes 2048-${digests.length - 1}/${digests.length}`);
    expect(page.headers["content-length"]).to.equal(`${digests.length - 2048}`);
    expect(page.rawPayload.equals(digests.subarray(2048))).to.equal(true);
    expect((await get({ range: "bytes=0-31,64-95" })).rawPayload.length).to.equal(digests.length);
    const beyond = await get({ range: "bytes=999999-" });
    expect(beyond.statusCode).to.equal(416);
    expect(beyond.headers["content-range"]).to.equal(`bytes */${digests.length}`);
    const { etag = "" } = whole.headers as { etag?: string };
    expect((await get({ "if-none-match": etag })).statusCode).to.equal(304);
    expect((await get({ range: "bytes=0-31", "if-range": etag })).statusCode).to.equal(206);
    expect((await get({ range: "bytes=0-31", "if-range": '"other"' })).statusCode).to.equal(200);
    const head = await get({}, DIGESTS, "HEAD");
    expect(head.headers["content-length"]).to.equal(`${digests.length}`);
    expect(head.rawPayload.length).to.equal(0);
  });

  it("need the same access as the image", async () => {
    const { token } = (await server.admin("POST", "/api/enrolment-tokens", { name: "batch" })).json();
    await server.admin("PUT", "/api/registration/base", { registration: "enrolment", tokens: "first-use" });
    server.nowMs += ACCESS_CACHE_MS;
    const { device_token } = (await server.check({ keeps_token: true }, token)).json();
    const { digests_url } = (await server.check({}, device_token)).json();
    expect(digests_url).to.equal(`${DIGESTS}?device=base-010203`);
    for (const headers of [{}, { range: "bytes=0-31" }, { "if-none-match": "*" }, { range: "bytes=999999-" }])
      for (const method of ["GET", "HEAD"] as const) {
        const refused = await get(headers, digests_url, method);
        expect(refused.statusCode).to.equal(401);
        expect(refused.headers).not.to.have.any.keys("etag", "content-range");
      }
    const authorization = `Bearer ${device_token}`;
    const answer = await get({ authorization }, digests_url);
    expect(answer.rawPayload.equals(digests)).to.equal(true);
    expect(answer.headers["cache-control"]).to.equal("private, max-age=300");
    expect((await get({ authorization }, `${DIGESTS}?device=base-2`)).statusCode).to.equal(401);
  });

  it("are gone with the image, and missing if the image does not exist or is not signed", async () => {
    expect((await get({}, "/api/ota/download/9/digests")).json().error).to.equal("FIRMWARE_UNKNOWN");
    await server.admin("DELETE", "/api/ota/admin/firmware/1");
    expect((await get()).json().error).to.equal("FIRMWARE_INACTIVE");
    await server.admin("PUT", "/api/types/old", { kind: "legacy" });
    await server.upload({ image: made.image }, { device_type: "old", version: "1.1.0" });
    expect((await get({}, "/api/ota/download/2/digests")).json().error).to.equal("DIGESTS_UNKNOWN");
  });

  it("are computed from the stored file, and never from one that is not what was signed", async () => {
    const { fileHash } = (await server.store.findFirmware(1)) ?? { fileHash: "" };
    const changed = Buffer.from(made.image);
    changed[1_200_000]! ^= 1;
    await writeFile(join(server.blobFolder, pathOfBlob(fileHash)), changed);
    const answer = await get();
    expect(answer.statusCode).to.equal(500);
    expect(answer.json().error).to.equal("INTERNAL");
    await writeFile(join(server.blobFolder, pathOfBlob(fileHash)), made.image);
    expect((await get()).rawPayload.equals(digests)).to.equal(true);
  });

  it("are not linked beside a manifest that lists them itself, but can be fetched", async () => {
    const { image, release } = await makeRelease("1.2.0", { format: 1 });
    await server.upload({ image, release });
    const offer = (await server.check()).json();
    expect(offer.version).to.equal("1.2.0");
    expect(offer).not.to.have.property("digests_url");
    expect((await get({}, "/api/ota/download/2/digests")).rawPayload.equals(digestsOf(image))).to.equal(true);
  });
});

describe("a release from an older server whose manifest is longer than devices accept", () => {
  it("is not offered, and why says so", async () => {
    const server = await TestServer.open();
    try {
      await server.upload(await makeRelease("1.1.0"));
      const known = await server.store.findFirmware(1);
      if (!known) throw new Error("nothing was uploaded");
      const { id: _id, updatedAt: _updatedAt, ...long } = known;
      await server.store.addFirmware({ ...long, version: "1.2.0", release: "x".repeat(7746) });
      expect((await server.check()).json()).to.include({ update_available: true, version: "1.1.0" });
      const { answers } = (await server.admin("GET", "/api/devices/base-010203/why")).json();
      const about = answers.find(({ firmware_id }: { firmware_id: number }) => firmware_id === 2);
      expect(about).to.include({ verdict: "MANIFEST_TOO_LONG" });
      expect(about.sentence).to.match(/has a manifest of 7746 characters, devices read 6144: .* format 2/);
    } finally {
      await server.close();
    }
  });
});
