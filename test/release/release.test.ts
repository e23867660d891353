import { createHash } from "node:crypto";
import { expect } from "chai";
import { CompactSign, importJWK } from "jose";
import { MAX_RELEASE_LENGTH, type ReleasePayload } from "../../firmware/core/wire.js";
import { buildFirmwareImage } from "../../host-sim/hardware/image/firmware-image.js";
import { describeRelease, inspectImage } from "../../release/describe.js";
import { ReleaseError } from "../../release/error.js";
import { makeReleaseKeys } from "../../release/keys.js";
import { readRelease, signRelease, verifyReleaseSignature } from "../../release/signing.js";
import { digestFile, verifyReleaseFile } from "../../release/verify.js";
import { makeRelease, releaseKeys } from "../server/test-server.js";

async function* pieces(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return "nothing thrown";
  } catch (error) {
    return error instanceof ReleaseError ? error.code : String(error);
  }
};

describe("a release", () => {
  it("reads version, build, chip and project from the image itself", async () => {
    const { release } = await makeRelease("1.2.3", {
      image: { build: 7, chip: "esp32c3", secureVersion: 2 },
    });
    expect(readRelease(release).release).to.include({
      type: "base",
      chip: "esp32c3",
      hardware: "esp32c3",
      version: "1.2.3",
      build: 7,
      securityVersion: 2,
    });
  });

  it("is verified by the key that signed it, and by no other", async () => {
    const { release } = await makeRelease("1.1.0");
    const { publicKey } = await releaseKeys();
    const other = (await makeReleaseKeys()).publicKey;
    const read = readRelease(release);
    expect(read.keyId).to.equal(publicKey.kid);
    expect(await codeOf(verifyReleaseSignature(read, [other, publicKey]))).to.equal("nothing thrown");
    expect(await codeOf(verifyReleaseSignature(read, [other]))).to.equal("KEY_UNKNOWN");
  });

  it("is refused when its payload was changed after it was signed", async () => {
    const { release } = await makeRelease("1.1.0");
    const [header, payload, signature] = release.split(".");
    const changed = { ...JSON.parse(Buffer.from(payload ?? "", "base64url").toString()), version: "9.9.9" };
    const forged = [header, Buffer.from(JSON.stringify(changed)).toString("base64url"), signature].join(".");
    const { publicKey } = await releaseKeys();
    expect(await codeOf(verifyReleaseSignature(readRelease(forged), [publicKey]))).to.equal(
      "SIGNATURE_INVALID",
    );
  });

  it("is refused when it is a token for another purpose, signed by the same key", async () => {
    const { privateKey } = await releaseKeys();
    const token = await new CompactSign(new TextEncoder().encode("{}"))
      .setProtectedHeader({ alg: "ES256", typ: "JWT", kid: privateKey.kid ?? "" })
      .sign(await importJWK(privateKey, "ES256"));
    expect(() => readRelease(token)).to.throw(ReleaseError, /typ skyslot-release/);
  });

  it("matches its file in pieces of any size", async () => {
    const { image, release } = await makeRelease("1.1.0");
    for (const size of [1, 31, 4096, 16_384, 1_000_000]) {
      const { release: read } = readRelease(release);
      expect(await codeOf(verifyReleaseFile(read, pieces(image, size))), `pieces of ${size}`).to.equal(
        "nothing thrown",
      );
    }
  });

  it("matches a file whose appended hash spans two chunks", async () => {
    // Bundles of growing length move the end of the image over the chunk border in steps of 16.
    let crossings = 0;
    for (let extra = 0; extra < 16_384; extra += 8) {
      const { image } = await makeImageOf(extra);
      const beyond = image.length % 4096;
      if (beyond === 0 || beyond >= 32) continue;
      crossings += 1;
      const { release } = await makeImageOf(extra);
      expect(await codeOf(verifyReleaseFile(readRelease(release).release, pieces(image)))).to.equal(
        "nothing thrown",
      );
      break;
    }
    expect(crossings).to.equal(1);
  });

  it("is refused for every file but its own", async () => {
    const { image, release } = await makeRelease("1.1.0");
    const flip = (at: number) => {
      const copy = Buffer.from(image);
      copy[at] = (copy[at] ?? 0) ^ 1;
      return copy;
    };
    const { release: read } = readRelease(release);
    const check = (file: Uint8Array) => codeOf(verifyReleaseFile(read, pieces(file)));
    expect(await check(flip(0))).to.equal("CHUNK_MISMATCH");
    expect(await check(flip(image.length - 1))).to.equal("CHUNK_MISMATCH");
    expect(await check(image.subarray(0, -1))).to.equal("IMAGE_MISMATCH");
    expect(await check(Buffer.concat([image, Buffer.alloc(1)]))).to.equal("IMAGE_MISMATCH");
    expect(await check(Buffer.concat([image, Buffer.alloc(100_000)]))).to.equal("IMAGE_MISMATCH");
    expect(await check(Buffer.alloc(0))).to.equal("IMAGE_MISMATCH");
  });

  it("is refused when its version differs from its image's, even if digests and signature are right", async () => {
    const { image } = await makeRelease("1.1.0");
    const payload = { ...describeRelease(image, { created: 1 }), version: "2.0.0" };
    const lie = readRelease(await signRelease(payload, (await releaseKeys()).privateKey));
    expect(await codeOf(verifyReleaseFile(lie.release, pieces(image)))).to.equal("IMAGE_MISMATCH");
  });

  it("says what the image speaks with its peer, unless it is told otherwise", () => {
    const pair = { protocol: 3, minCompatible: 20_104 };
    const image = buildFirmwareImage({
      chip: "esp32",
      version: "2.2.0",
      project: "receiver",
      bundle: "1",
      pair,
    });
    const stated = describeRelease(image, { created: 1 });
    expect(stated).to.include({ protocolVersion: 3, minCompatible: "2.1.4" });
    const told = describeRelease(image, { created: 1, protocolVersion: 4, minCompatible: "2.2.0" });
    expect(told).to.include({ protocolVersion: 4, minCompatible: "2.2.0" });
    const silent = buildFirmwareImage({ chip: "esp32", version: "2.2.0", project: "base", bundle: "1" });
    expect(describeRelease(silent, { created: 1 }))
      .to.include({ protocolVersion: 1 })
      .and.not.property("minCompatible");
  });

  it("is not made from a file that is not an image, or truncated or damaged", async () => {
    const { image } = await makeRelease("1.1.0");
    expect(() => inspectImage(Buffer.from("not an image".repeat(50)))).to.throw(/first byte is 0x6e/);
    expect(() => inspectImage(Buffer.alloc(0))).to.throw(/file ends after 0 bytes/);
    expect(() => inspectImage(image.subarray(0, 5000))).to.throw(ReleaseError);
    const damaged = Buffer.from(image);
    damaged[1000] = (damaged[1000] ?? 0) ^ 1;
    expect(() => inspectImage(damaged)).to.throw(/appended/);
  });

  it("is never longer than a device accepts", async () => {
    const { image } = await makeRelease("1.1.0");
    const { privateKey } = await releaseKeys();
    const listing = { ...describeRelease(image, { created: 1, format: 1 }), chunks: "A".repeat(5000) };
    expect(await codeOf(signRelease(listing as ReleasePayload, privateKey))).to.equal("RELEASE_TOO_LARGE");
    const name = "n".repeat(64);
    const paged = describeRelease(image, {
      created: 1,
      format: 2,
      type: name,
      hardware: name,
      expires: 4_000_000_000,
      minCurrentVersion: `100.0.0-${"a".repeat(28)}+999999999`,
    });
    const pages = Buffer.alloc(8 * 32).toString("base64url");
    const largest = { ...paged, pages, size: 16 * 1024 * 1024, chunkSize: 32_768 } as ReleasePayload;
    expect((await signRelease(largest, privateKey)).length).to.be.within(1400, MAX_RELEASE_LENGTH);
    const wordy = { ...largest, more: "x".repeat(100) };
    const refused = await signRelease(wordy, privateKey).catch((error) => error);
    expect(refused).to.include({ code: "RELEASE_TOO_LARGE" });
    expect(refused.message).to.match(/at most 1536 are read: shorten its fields/);
  });

  it("of format 2 has the hashes of pages of 64 chunks, and is refused for chunks too small to fit into eight", async () => {
    const image = largeImage(3 * 1024 * 1024);
    const payload = describeRelease(image, { created: 1, format: 2 });
    const { release } = readRelease(await signRelease(payload, (await releaseKeys()).privateKey));
    const digests = await digestFile(release, pieces(image));
    expect(digests.length).to.equal(Math.ceil(image.length / 16_384) * 32);
    const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
    expect(digests.subarray(32, 64)).to.deep.equal(hash(image.subarray(16_384, 32_768)));
    const pages = [0, 1, 2, 3].map((page) => hash(digests.subarray(page * 2048, (page + 1) * 2048)));
    expect(Buffer.from(release.digests)).to.deep.equal(
      Buffer.concat(pages.slice(0, release.digests.length / 32)),
    );
    await verifyReleaseFile(release, pieces(image));
    const changed = Buffer.from(image);
    changed[2 * 1024 * 1024 + 5]! ^= 1;
    expect(await codeOf(verifyReleaseFile(release, pieces(changed)))).to.equal("CHUNK_MISMATCH");
    expect(await codeOf(digestFile(release, pieces(changed)))).to.equal("CHUNK_MISMATCH");
    expect(await codeOf(digestFile(release, pieces(image.subarray(0, -20_000))))).to.not.equal("OK");
    expect(() => describeRelease(image, { created: 1, format: 2, chunkBytes: 4096 })).to.throw(
      /need 13 pages of digests, the maximum is 8: choose larger chunks/,
    );
  });
});

const largeImage = (bytes: number): Buffer =>
  Buffer.from(
    buildFirmwareImage({ chip: "esp32", version: "1.1.0", project: "base", bundle: "x".repeat(bytes) }),
  );

const makeImageOf = (extra: number) =>
  makeRelease("1.1.0", { chunkBytes: 4096, image: { bundle: "x".repeat(20_000 + extra) } });
