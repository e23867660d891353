// The page that signs, without a browser: what it computes, and that its file is the same wherever it is made. In a browser:
// test/browser/sign-page.test.ts.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { describeRelease } from "../../release/describe.js";
import { describeInBrowser } from "../../release/describe-in-browser.js";
import { readExpiry } from "../../release/expiry.js";
import { compareFacts, imageFacts } from "../../release/image-facts.js";
import { buildSignPage } from "../../release/sign-page/sign-page.js";
import { readRelease } from "../../release/signing.js";
import { readUnsignedManifest, unsignedManifestOf } from "../../release/unsigned-manifest.js";
import { bundleClient } from "../../server/dashboard/bundle.js";
import { makeRelease } from "../server/test-server.js";
import { smallImage } from "./payloads.js";

const said = (work: () => unknown): Promise<string> =>
  Promise.resolve()
    .then(work)
    .then(
      () => "nothing",
      (error: Error) => error.message,
    );

describe("the page that signs releases", () => {
  it("is the same file wherever Skyslot lies and is started", async () => {
    const folder = await mkdtemp(join(tmpdir(), "skyslot elsewhere-"));
    try {
      for (const path of ["release", "firmware/core", "package.json", "tsconfig.json"])
        await cp(path, join(folder, path), { recursive: true });
      await symlink(resolve("node_modules"), join(folder, "node_modules"));
      const module = pathToFileURL(join(folder, "release/sign-page/sign-page.ts"));
      const code = `import(${JSON.stringify(module.href)}).then(({ buildSignPage }) => buildSignPage()).then(({ html }) => process.stdout.write(html))`;
      const loader = pathToFileURL(resolve("node_modules/tsx/dist/loader.mjs")).href;
      const elsewhere = execFileSync(process.execPath, ["--no-warnings", "--import", loader, "-e", code], {
        cwd: folder,
      });
      const { html, sha256 } = await buildSignPage();
      expect(elsewhere.toString() === html, "the same text").equal(true);
      expect(createHash("sha256").update(elsewhere).digest("hex")).equal(sha256);
      expect((await buildSignPage()).sha256).equal(sha256);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("allows its own script and style by their hashes, and nothing else", async () => {
    const { html, version } = await buildSignPage();
    const inside = (tag: string) => html.split(`<${tag}>`)[1]?.split(`</${tag}>`)[0] ?? "";
    const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
    expect(/content-security-policy" content="([^"]*)"/.exec(html)?.[1]?.split("; ")).deep.equal([
      "default-src 'none'",
      `script-src ${hash(inside("script"))}`,
      `style-src ${hash(inside("style"))}`,
      "connect-src 'none'",
      "form-action 'none'",
      "base-uri 'none'",
    ]);
    for (const tag of ["script", "style"])
      for (const mark of [`<${tag}`, `</${tag}`])
        expect(html.split(mark), `${mark} ends or begins once`).to.have.length(2);
    expect(inside("script").length).above(10_000);
    expect(html).not.match(/\r|<!--|(src|href)="(?!#)|url\(|https?:\/\/\w|node_modules/);
    expect(html).contain(`Skyslot ${version}.`);
  });

  it("makes the manifest that the command line makes for the same image", async () => {
    const { image } = await makeRelease("1.4.2");
    for (const options of [
      { created: 1_795_000_000 },
      {
        created: 7,
        type: "led",
        hardware: "board-2",
        chunkBytes: 4096,
        minCurrentVersion: "1.0.0",
        expires: 9,
      },
      { created: 7, format: 1 as const },
    ])
      expect(await describeInBrowser(image, options)).deep.equal(describeRelease(image, options));
  });

  it("refuses an image for the reasons that the command line gives", async () => {
    const { image } = await makeRelease("1.4.2");
    const damaged = Buffer.from(image);
    damaged[400] = (damaged[400] ?? 0) ^ 1;
    for (const file of [damaged, image.subarray(0, 1000), Buffer.from("no image at all")]) {
      const sentence = await said(() => describeRelease(file, { created: 7 }));
      expect(sentence).not.equal("nothing");
      expect(await said(() => describeInBrowser(file, { created: 7 }))).equal(sentence);
    }
  });
});

describe("an unsigned manifest", () => {
  it("states an image and what is wished for it", () => {
    const image = smallImage("1.1.0+7");
    const facts = { project: "base", version: "1.1.0", build: 7, chip: "esp32", size: image.length };
    expect(unsignedManifestOf(image, { type: "", hardware: "" })).deep.equal({
      type: "base",
      hardware: "esp32",
      ...facts,
    });
    const wished = unsignedManifestOf(image, { type: "led", hardware: "board-2" });
    expect(wished).deep.equal({ type: "led", hardware: "board-2", ...facts });
    expect(readUnsignedManifest(JSON.stringify({ ...wished, more: 1 }), "a")).deep.equal(wished);
  });

  it("is refused when it is something else", async () => {
    const whole = unsignedManifestOf(smallImage("1.1.0"), { type: "", hardware: "" });
    for (const text of [
      "",
      "null",
      "[]",
      "eyJ.a.b",
      JSON.stringify({ ...whole, type: 7 }),
      JSON.stringify({ ...whole, size: "12" }),
      JSON.stringify({ ...whole, build: undefined }),
      JSON.stringify({ ...whole, more: "x".repeat(5000) }),
    ])
      expect(await said(() => readUnsignedManifest(text, "a.json")), text.slice(0, 60)).match(
        /^a\.json is not an unsigned manifest/,
      );
  });

  it("does not fit another image: of another project, version, build, chip or size", async () => {
    const image = smallImage("1.1.0");
    const stated = unsignedManifestOf(image, { type: "", hardware: "" });
    compareFacts("unsigned manifest", stated, imageFacts(image));
    for (const other of [smallImage("1.1.0", "led"), smallImage("1.1.1"), smallImage("1.1.0+2")])
      expect(await said(() => compareFacts("unsigned manifest", stated, imageFacts(other)))).match(
        /^the unsigned manifest is for another image: base 1\.1\.0 for esp32, \d+ bytes; the chosen image is (led|base) 1\.1/,
      );
    for (const wrong of [{ chip: "esp32c3" }, { size: image.length + 16 }])
      expect(
        await said(() => compareFacts("unsigned manifest", { ...stated, ...wrong }, imageFacts(image))),
      ).contain("another image");
  });

  it("that has been signed is compared without the project, which its type may differ from", async () => {
    const { image, release } = await makeRelease("1.1.0", { type: "led" });
    compareFacts("manifest", readRelease(release).release, imageFacts(image));
    expect(
      await said(() =>
        compareFacts("manifest", readRelease(release).release, imageFacts(smallImage("1.0.0"))),
      ),
    ).match(/^the manifest is for another image: led 1\.1\.0/);
  });
});

describe("the last time at which a release may be installed", () => {
  it("is the end of a day, a time, or some days from now", () => {
    expect(readExpiry("2030-01-31", 0)).equal(Date.UTC(2030, 1, 1) / 1000 - 1);
    expect(readExpiry("2030-01-31T12:00:00Z", 0)).equal(Date.UTC(2030, 0, 31, 12) / 1000);
    expect(readExpiry("90d", 1000)).equal(1000 + 90 * 86_400);
    for (const text of ["", "soon", "d", "-1d", "2030-13-01"])
      expect(readExpiry(text, 0), text).equal(undefined);
  });
});

describe("the pages that a server serves", () => {
  it("have no code that could use a private key", async () => {
    const { script } = await bundleClient();
    for (const name of ["importKey", "subtle", "CompactSign", "PRIVATE KEY"])
      expect(script.text, name).not.contain(name);
    expect((await buildSignPage()).html).contain("importKey");
    const sources = await readFile("server/dashboard/client/releases/upload.tsx", "utf8");
    expect(sources).not.match(/privateKey|jwk/i);
  });
});
