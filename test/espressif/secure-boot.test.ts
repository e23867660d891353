// Images that Espressif's espsecure has signed for Secure Boot v2: the file is longer than the image in it, and its SHA-256 is not at the end.

import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { describeRelease, inspectImage } from "../../release/describe.js";
import { describeInBrowser } from "../../release/describe-in-browser.js";
import { signRelease } from "../../release/signing.js";
import { PushBench, TOKEN } from "../journey/push-bench.js";
import { imageOf, type Rig, setUpRig } from "../journey/rig.js";
import { arduinoImage, LegacyServer } from "../server/dialects/legacy-server.js";
import { makeRelease, releaseKeys, START_MS } from "../server/test-server.js";
import { findTool, runTool, type Tool } from "./tools.js";

const SCHEMES: readonly string[] = ["rsa3072", "ecdsa256", "ecdsa384"];
const SECTOR_BYTES = 4096;
const created = START_MS / 1000;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("images signed for Secure Boot v2", () => {
  let tool: Tool;
  let folder: string;
  const inFolder = (name: string) => join(folder, name);
  before(function () {
    this.timeout(120_000);
    const found = findTool("espsecure", "esptool");
    if (found === undefined) return this.skip();
    tool = found;
    folder = mkdtempSync(join(tmpdir(), "skyslot-secure-boot-"));
    for (const scheme of SCHEMES)
      runTool(tool, "generate-signing-key", "--version", "2", "--scheme", scheme, inFolder(`${scheme}.pem`));
  });
  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  function sign(image: Uint8Array, scheme: string): Buffer {
    writeFileSync(inFolder("image.bin"), image);
    const options = [
      "--version",
      "2",
      "--keyfile",
      inFolder(`${scheme}.pem`),
      "--output",
      inFolder("signed.bin"),
    ];
    runTool(tool, "sign-data", ...options, inFolder("image.bin"));
    return readFileSync(inFolder("signed.bin"));
  }

  for (const scheme of SCHEMES)
    it(`are released and uploaded, with the digests of the file and of the image (${scheme})`, async () => {
      const { image, imageSha256 } = await makeRelease("1.1.0");
      const signed = sign(image, scheme);
      expect(signed.length % SECTOR_BYTES).to.equal(0);
      expect(signed.length).to.be.greaterThan(image.length + SECTOR_BYTES - 1);
      expect(inspectImage(signed).imageSha256).to.equal(imageSha256);
      const payload = describeRelease(signed, { created });
      expect(payload).to.include({ size: signed.length, sha256: sha256(signed), imageSha256 });
      expect(await describeInBrowser(signed, { created })).to.deep.equal(payload);
      const legacy = await LegacyServer.open("scales");
      const release = await signRelease(payload, (await releaseKeys()).privateKey);
      const uploaded = (await legacy.server.upload({ image: signed, release })).json();
      expect(uploaded).to.include({
        file_size: signed.length,
        file_hash: sha256(signed),
        image_sha256: imageSha256,
      });
      const unsigned = (await legacy.upload(sign(arduinoImage("x"), scheme), { version: "2.0.0" })).json();
      expect(unsigned).to.include({
        chip: "esp32",
        image_sha256: sha256(arduinoImage("x").subarray(0, -32)),
      });
      await legacy.close();
    });

  it("are refused if anything else follows the image, or the block is damaged or cut off", async () => {
    const { image } = await makeRelease("1.1.0");
    const signed = sign(image, "rsa3072");
    const sector = signed.length - SECTOR_BYTES;
    const withByte = (at: number): Buffer => {
      const copy = Buffer.from(signed);
      copy[at]! ^= 1;
      return copy;
    };
    const legacy = await LegacyServer.open("base");
    const wrong: readonly [string, Buffer, RegExp][] = [
      ["the magic", withByte(sector), /not a signature of Secure Boot v2/],
      ["the version", withByte(sector + 1), /not a signature of Secure Boot v2/],
      ["the signature", withByte(sector + 900), /not a signature of Secure Boot v2/],
      ["the padding", withByte(image.length), /not a signature of Secure Boot v2/],
      ["the image", withByte(image.length - 50), /SHA-256 appended to the image/],
      ["the end", signed.subarray(0, -16), /file is/],
      ["16 bytes more", Buffer.concat([signed, Buffer.alloc(16)]), /file is/],
      [
        "a sector of zeros",
        Buffer.concat([signed.subarray(0, sector), Buffer.alloc(SECTOR_BYTES)]),
        /not a signature/,
      ],
      ["megabytes of anything", Buffer.concat([image, Buffer.alloc(1 << 20)]), /file is/],
    ];
    for (const [what, file, message] of wrong) {
      expect(() => describeRelease(file, { created }), what).to.throw(message);
      const answer = await legacy.upload(file, { version: "1.1.0" });
      expect(answer.statusCode, what).to.equal(422);
      expect(answer.json().message, what).to.match(message);
    }
    await legacy.close();
  });

  it("may have a second signature, as when a key is replaced", async () => {
    const { image, imageSha256 } = await makeRelease("1.1.0");
    writeFileSync(inFolder("once.bin"), sign(image, "rsa3072"));
    const key = inFolder("second.pem");
    runTool(tool, "generate-signing-key", "--version", "2", "--scheme", "rsa3072", key);
    const options = [
      "--version",
      "2",
      "--append-signatures",
      "--keyfile",
      key,
      "--output",
      inFolder("twice.bin"),
    ];
    runTool(tool, "sign-data", ...options, inFolder("once.bin"));
    expect(inspectImage(readFileSync(inFolder("twice.bin"))).imageSha256).to.equal(imageSha256);
  }).timeout(60_000);

  it("are installed by a device and validated, and reported by the SHA-256 of the image", async () => {
    const update = sign(await imageOf("base", "1.1.0"), "rsa3072");
    const rig: Rig = await setUpRig({ update });
    rig.desk.device.powerOn();
    const isValidated = await rig.desk.world.runUntil(
      () => rig.reports.some(({ status }) => status === "success"),
      { limitMs: 3_600_000 },
    );
    expect(isValidated).to.be.true;
    expect(rig.running()).to.equal("1.1.0 ota_0");
    await rig.close();
  }).timeout(120_000);

  it("are installed when they are pushed without a release, once the owner has allowed that", async () => {
    const bench = await PushBench.start();
    await bench.acceptUnsigned();
    const signed = sign(bench.image, "rsa3072");
    const damaged = Buffer.from(signed);
    damaged[bench.image.length - 50]! ^= 1;
    const longer = Buffer.concat([signed, Buffer.alloc(16)]);
    expect((await bench.pusher.push(damaged, { token: TOKEN })).text).to.match(/slot have SHA256/);
    expect((await bench.pusher.push(longer, { token: TOKEN })).text).to.match(
      /file is \d+ bytes, the image in it/,
    );
    expect((await bench.pusher.push(signed, { token: TOKEN })).status).to.equal(200);
    await bench.expectValidated();
    await bench.close();
  }).timeout(120_000);
});
