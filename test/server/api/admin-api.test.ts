import { readdir } from "node:fs/promises";
import { expect } from "chai";
import { makeReleaseKeys } from "../../../release/keys.js";
import { signRelease } from "../../../release/signing.js";
import { makeRelease, releaseKeys, START_MS, TestServer } from "../test-server.js";

const FIRMWARE = "/api/ota/admin/firmware";

describe("the admin API", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());

  const storedFiles = async () =>
    (await readdir(server.blobFolder, { recursive: true })).filter((name) => /[0-9a-f]{64}$/.test(name));

  it("accepts a release and returns everything about it", async () => {
    const made = await makeRelease("1.1.0", { minCurrentVersion: "1.0.0", expires: START_MS / 1000 + 60 });
    const answer = await server.upload(made, { release_notes: "Fewer bugs" });
    expect(answer.statusCode).to.equal(201);
    expect(answer.json()).to.deep.include({
      id: 1,
      device_type: "base",
      version: "1.1.0",
      build_number: 0,
      filename: "base.bin",
      file_size: made.image.length,
      image_sha256: made.imageSha256,
      is_stable: true,
      is_active: true,
      min_current_version: "1.0.0",
      release_notes: "Fewer bugs",
      expires_at: new Date(START_MS + 60_000).toISOString(),
    });
    expect((await server.admin("GET", `${FIRMWARE}/1`)).json()).to.include({ release: made.release });
    expect(await storedFiles()).to.have.length(1);
  });

  it("accepts an image with any build metadata, under the version without it", async () => {
    for (const [index, metadata] of ["+5114f85", "+exp.sha.51", "+20260101120000", "+007"].entries()) {
      const made = await makeRelease(`1.${index}.0-rc.1${metadata}`);
      const answer = await server.upload(made, { version: `v1.${index}.0-rc.1${metadata}` });
      expect(answer.statusCode, answer.body).to.equal(201);
      const build_number = metadata === "+007" ? 7 : 0;
      expect(answer.json()).to.include({ version: `1.${index}.0-rc.1`, build_number });
    }
  });

  it("refuses a file that does not match its manifest, and keeps nothing of it", async () => {
    const made = await makeRelease("1.1.0");
    const other = await makeRelease("1.2.0");
    const answer = await server.upload({ image: other.image, release: made.release });
    expect(answer.statusCode).to.equal(422);
    expect(answer.json().error).to.be.oneOf(["CHUNK_MISMATCH", "IMAGE_MISMATCH"]);
    expect(await storedFiles()).to.deep.equal([]);
    expect((await server.admin("GET", FIRMWARE)).json().total).to.equal(0);
  });

  it("refuses an upload without its parts, or with fields that contradict the manifest", async () => {
    const made = await makeRelease("1.1.0");
    const code = async (answer: ReturnType<TestServer["upload"]>) => (await answer).json().error;
    expect(await code(server.upload({ image: made.image }))).to.equal("RELEASE_MISSING");
    expect(await code(server.upload({ release: made.release }))).to.equal("FILE_MISSING");
    expect(await code(server.upload({ ...made, release: "a.b.c" }))).to.equal("RELEASE_MALFORMED");
    expect(await code(server.upload(made, { version: "3.0.0" }))).to.equal("FIELD_MISMATCH");
    expect(await code(server.upload(made, { device_type: "led" }))).to.equal("FIELD_MISMATCH");
    expect(await code(server.upload(made, { is_stable: "maybe" }))).to.equal("INVALID_REQUEST");
    expect((await server.admin("POST", "/api/ota/admin/upload", {})).json().error).to.equal(
      "MEDIA_TYPE_UNKNOWN",
    );
    expect(await storedFiles()).to.deep.equal([]);
  });

  it("accepts nothing longer than configured", async () => {
    await server.close();
    server = await TestServer.open({ maxImageBytes: 10_000 });
    const answer = await server.upload(await makeRelease("1.1.0"));
    expect(answer.statusCode).to.equal(413);
    expect(answer.json().error).to.equal("FILE_TOO_LARGE");
    expect(await storedFiles()).to.deep.equal([]);
  });

  it("accepts only releases of trusted keys, if any are configured", async () => {
    await server.close();
    server = await TestServer.open({ trustedKeys: [(await releaseKeys()).publicKey] });
    const stranger = (await makeReleaseKeys()).privateKey;
    expect((await server.upload(await makeRelease("1.1.0", { key: stranger }))).json().error).to.equal(
      "KEY_UNKNOWN",
    );
    expect((await server.upload(await makeRelease("1.1.0"))).statusCode).to.equal(201);
  });

  it("refuses the same release twice and keeps the file of the first", async () => {
    const made = await makeRelease("1.1.0");
    await server.upload(made);
    expect((await server.upload(made)).statusCode).to.equal(409);
    expect((await server.app.inject("/api/ota/download/1")).rawPayload.equals(made.image)).to.equal(true);
  });

  it("keeps the file that two uploads share when one of them is refused", async () => {
    const made = await makeRelease("1.1.0");
    const answers = await Promise.all([
      server.upload(made),
      server.upload({ ...made, release: "a.b.c" }),
      server.upload(made),
    ]);
    const taken = answers.filter(({ statusCode }) => statusCode === 201).length;
    expect(taken).to.be.at.most(1);
    const { total } = (await server.admin("GET", FIRMWARE)).json();
    expect(total).to.equal(taken);
    if (taken > 0)
      expect((await server.app.inject("/api/ota/download/1")).rawPayload.equals(made.image)).to.equal(true);
  });

  it("registers a second board's release of a file that it holds", async () => {
    const made = await makeRelease("1.1.0");
    await server.upload(made);
    const forOlimex = await makeRelease("1.1.0", { hardware: "olimex-poe" });
    const answer = await server.admin("POST", FIRMWARE, { release: forOlimex.release, is_stable: false });
    expect(answer.statusCode).to.equal(201);
    expect(answer.json()).to.include({ hardware: "olimex-poe", is_stable: false });
    expect(await storedFiles()).to.have.length(1);
    const unknown = await makeRelease("7.0.0");
    expect((await server.admin("POST", FIRMWARE, { release: unknown.release })).json().error).to.equal(
      "FILE_UNKNOWN",
    );
  });

  it("offers a release only when it is stable and active", async () => {
    await server.upload(await makeRelease("1.1.0"), { is_stable: "false" });
    const isOffered = async () => (await server.check()).json().update_available;
    expect(await isOffered()).to.equal(false);
    expect((await server.app.inject("/api/ota/download/1")).statusCode).to.equal(200);
    await server.admin("PATCH", `${FIRMWARE}/1`, { is_stable: true });
    expect(await isOffered()).to.equal(true);
    await server.admin("DELETE", `${FIRMWARE}/1`);
    expect(await isOffered()).to.equal(false);
    await server.admin("PATCH", `${FIRMWARE}/1`, { is_active: true });
    expect(await isOffered()).to.equal(true);
  });

  it("may require a newer minimum version, never an older one than the manifest", async () => {
    await server.upload(await makeRelease("2.0.0", { minCurrentVersion: "1.1.0" }));
    const patch = (min_current_version: string | null) =>
      server.admin("PATCH", `${FIRMWARE}/1`, { min_current_version });
    expect((await patch("1.5.0")).json().min_current_version).to.equal("1.5.0");
    for (const wrong of ["1.0.0", null, "soon"]) {
      expect((await patch(wrong)).json().error, `${wrong}`).to.equal("MIN_VERSION_INVALID");
    }
  });

  it("lists and filters, page by page", async () => {
    for (const version of ["1.1.0", "1.2.0", "1.3.0"]) await server.upload(await makeRelease(version));
    const page = (await server.admin("GET", `${FIRMWARE}?limit=1&offset=1`)).json();
    expect(page).to.include({ total: 3, limit: 1, offset: 1 });
    expect(page.firmware[0].version).to.equal("1.2.0");
    expect((await server.admin("GET", `${FIRMWARE}?is_active=false`)).json().total).to.equal(0);
    expect((await server.admin("GET", `${FIRMWARE}?limit=0`)).json().error).to.equal("INVALID_REQUEST");
    await server.check();
    await server.check({ device_id: "other" });
    expect((await server.admin("GET", "/api/ota/admin/logs?device_id=other")).json().total).to.equal(1);
    expect((await server.admin("GET", "/api/ota/admin/logs?status=success")).json().total).to.equal(0);
    expect((await server.admin("GET", "/api/ota/admin/logs?status=great")).statusCode).to.equal(400);
  });

  it("refuses numbers that no database supports", async () => {
    for (const url of [
      "/api/ota/admin/logs?firmware_id=99999999999999999999",
      "/api/events?before=99999999999999999999",
      `${FIRMWARE}/99999999999999999999`,
    ]) {
      expect((await server.admin("GET", url)).statusCode, url).to.equal(400);
    }
  });

  it("answers 404 for firmware that does not exist", async () => {
    for (const method of ["GET", "PATCH", "DELETE"] as const) {
      const answer = await server.admin(
        method,
        `${FIRMWARE}/9`,
        method === "PATCH" ? { is_stable: true } : undefined,
      );
      expect(answer.json().error, method).to.equal("FIRMWARE_UNKNOWN");
    }
  });

  it("refuses a manifest that no device could read", async () => {
    const made = await makeRelease("1.1.0");
    const payload = JSON.parse(Buffer.from(made.release.split(".")[1] ?? "", "base64url").toString());
    const { privateKey } = await releaseKeys();
    expect(
      await signRelease({ ...payload, chunkSize: 1000 }, privateKey).catch((error) => error.code),
    ).to.equal("RELEASE_MALFORMED");
  });
});
