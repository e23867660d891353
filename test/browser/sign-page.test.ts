// The page that signs, opened from disk in a real browser: without a network, and with a server that takes what it has signed.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { buildFirmwareImage } from "../../host-sim/hardware/image/firmware-image.js";
import { publicPart } from "../../release/keys.js";
import { buildSignPage } from "../../release/sign-page/sign-page.js";
import { readRelease, signersOf, verifyReleaseSignature } from "../../release/signing.js";
import { unsignedManifestOf } from "../../release/unsigned-manifest.js";
import { makeRelease } from "../server/test-server.js";
import { openBrowser, openPage, overflowOf, PHONE, requireChromium, type WatchedPage } from "./browser.js";
import { type ChosenFile, type FleetStage, openFleetStage } from "./fleet-stage.js";

const PATIENCE_MS = 30_000;
const NO_FILE: readonly ChosenFile[] = [];

const jsonFile = (name: string, value: object | string): ChosenFile => ({
  name,
  mimeType: "application/json",
  buffer: Buffer.from(typeof value === "string" ? value : JSON.stringify(value)),
});

describe("the page that signs, opened from disk", function () {
  this.timeout(120_000);
  let stage: FleetStage;
  let browser: Browser;
  let watched: WatchedPage;
  let page: Page;
  let folder: string;
  let address: string;
  /** All that the page has asked for, whether it was allowed or not. */
  const requested: string[] = [];

  before(async function () {
    requireChromium(this);
    folder = await mkdtemp(join(tmpdir(), "skyslot-sign-page-"));
    const file = join(folder, "sign.html");
    await writeFile(file, (await buildSignPage()).html);
    address = pathToFileURL(file).href;
    stage = await openFleetStage();
    browser = await openBrowser();
    watched = await openPage(browser, { ...PHONE, offline: true });
    page = watched.page;
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("request", (request) => requested.push(request.url()));
  });
  after(async () => {
    await watched?.close();
    await browser?.close();
    await stage?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });
  beforeEach(() => page.goto(address));

  const choose = (label: string, file: ChosenFile) => page.getByLabel(label).setInputFiles(file);
  const sign = () => page.getByRole("button", { name: "Sign", exact: true }).click();
  const signed = async () => {
    await sign();
    await page.getByRole("heading", { name: "Signed" }).waitFor();
    return page.getByLabel("Manifest as text").inputValue();
  };
  const problem = (text: string | RegExp) => page.getByRole("alert").getByText(text).waitFor();
  const upload = async (image: ChosenFile, release: string) => {
    const form = new FormData();
    form.set("release", release);
    form.set("file", new Blob([new Uint8Array(image.buffer)]), image.name);
    const headers = { authorization: `Bearer ${stage.adminToken}` };
    const answer = await fetch(`${stage.url}/api/ota/admin/upload`, { method: "POST", headers, body: form });
    return `${answer.status} ${await answer.text()}`;
  };

  it("signs with a key file, offers the manifest to save, and forgets the key", async () => {
    const image = stage.image("1.1.0");
    await choose("Firmware image", image);
    await page.getByText(/^base 1\.1\.0 for esp32, \d+ bytes, SHA-256 [0-9a-f]{64}$/).waitFor();
    await choose("Key file", stage.key);
    await page.getByLabel("Oldest version").fill("1.0.0");
    await page.getByLabel("Last day").fill("2031-05-09");
    const shown = await signed();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Save the manifest" }).click(),
    ]);
    expect(download.suggestedFilename()).equal("base-1.1.0.release.jws");
    const manifest = (await readFile(await download.path(), "utf8")).trim();
    expect(shown).equal(manifest);
    expect(readRelease(manifest).release).include({
      type: "base",
      version: "1.1.0",
      minCurrentVersion: "1.0.0",
      expires: Date.UTC(2031, 4, 10) / 1000 - 1,
    });
    for (const text of [readRelease(manifest).keyId, "2031-05-09T23:59:59.000Z"])
      await page.getByRole("region", { name: "Signed" }).getByText(text).waitFor();
    const { d } = JSON.parse(stage.key.buffer.toString()) as { d: string };
    expect(await page.getByLabel("Key file").inputValue()).equal("");
    expect(await page.content()).not.contain(d);
    expect(await upload(image, manifest)).match(/^201 /);
  });

  it("signs with a key that is entered as text, as an unsigned manifest of the server wishes", async () => {
    const image = stage.image("1.2.0");
    const wished = unsignedManifestOf(image.buffer, { type: "lamp", hardware: "board-2" });
    await choose("Firmware image", image);
    await choose("Unsigned manifest", jsonFile("lamp.unsigned.json", wished));
    await page.getByLabel("Or the key as text").fill(stage.key.buffer.toString());
    const manifest = await signed();
    expect(readRelease(manifest).release).include({ type: "lamp", hardware: "board-2", version: "1.2.0" });
    expect(await page.getByLabel("Or the key as text").inputValue()).equal("");
    expect(await upload(image, manifest)).match(/^201 /);
    // What was signed is not shown beside another choice.
    await page.getByLabel("Device type").fill("led");
    await page.getByRole("heading", { name: "Signed" }).waitFor({ state: "hidden" });
  });

  it("signs for two people: the second adds their signature to what the first has signed, and to nothing else", async () => {
    const image = stage.image("1.6.0");
    await choose("Firmware image", image);
    await page.getByLabel("A second person signs it, too").check();
    await page.getByLabel("Oldest trust root").fill("3");
    await choose("Key file", stage.key);
    const once = await signed();
    const first = readRelease(once);
    expect(first.release).include({ minRoot: 3, version: "1.6.0" });
    expect(JSON.parse(once).signatures).length(1);
    expect(first.release.sequence).equal(first.release.created);
    await page.getByText("1 of 2: a second person has to add theirs").waitFor();

    await page.reload();
    const firstFile = jsonFile("base-1.6.0.release.jws", once);
    await choose("Firmware image", stage.image("1.6.1"));
    await choose("Manifest of the first person", firstFile);
    await problem(/^The manifest is for another image: base 1\.6\.0 .*the chosen image is base 1\.6\.1/);
    await choose("Key file", stage.otherKey);
    await sign();
    await problem(/^The manifest is for another image/);
    await choose("Firmware image", image);
    await page.getByText(`base 1.6.0, signed by ${first.keyId}`).waitFor();
    expect(await page.getByLabel("Device type").isDisabled()).equal(true);
    const twice = await signed();
    const ids = signersOf(twice);
    expect(ids).length(2).and.include(first.keyId);
    const keys = [stage.key, stage.otherKey].map(({ buffer }) => publicPart(JSON.parse(buffer.toString())));
    await verifyReleaseSignature({ jws: twice }, keys, 2);
    expect(JSON.parse(twice).payload).equal(JSON.parse(once).payload);
    await page.getByRole("region", { name: "Signed" }).getByText(ids.join(" and ")).waitFor();

    // a third one, and one of a format with room for one
    await choose("Manifest of the first person", jsonFile("a.jws", (await makeRelease("1.6.0")).release));
    await problem(/has room for one signature/);
  });

  it("gives a release its place in the sequence", async () => {
    await choose("Firmware image", stage.image("1.7.0"));
    for (const [text, sequence] of [
      ["7", 7],
      ["now", "created"],
      ["", undefined],
    ] as const) {
      await page.getByLabel("Sequence").fill(text);
      await choose("Key file", stage.key);
      const { release } = readRelease(await signed());
      expect(release.sequence).equal(sequence === "created" ? release.created : sequence);
    }
    for (const text of ["0", "soon", "4294967296"]) {
      await page.getByLabel("Sequence").fill(text);
      await choose("Key file", stage.key);
      await sign();
      await problem(`The sequence "${text}" is not a number of 1 to 4294967295.`);
    }
  });

  it("says what is wrong with an image", async () => {
    const image = stage.image("1.3.0");
    const damaged = Buffer.from(image.buffer);
    damaged[900] = (damaged[900] ?? 0) ^ 1;
    for (const [buffer, sentence] of [
      [damaged, "SHA-256 appended to the image does not match its bytes."],
      [image.buffer.subarray(0, 700), /^(File ends after|Image states \d+ bytes, file is) 700/],
      [Buffer.from("no image".repeat(50)), /^First byte is 0x6e/],
    ] as const) {
      await choose("Firmware image", { ...image, buffer });
      await problem(sentence);
      await choose("Key file", stage.key);
      await sign();
      await problem(sentence);
      expect(await page.getByRole("heading", { name: "Signed" }).isVisible()).equal(false);
    }
  });

  it("says that an unsigned manifest is for another image, or none at all", async () => {
    const led = buildFirmwareImage({ chip: "esp32", version: "2.0.0", project: "led", bundle: "trace(1);" });
    const wished = unsignedManifestOf(led, { type: "", hardware: "" });
    await choose("Unsigned manifest", jsonFile("led.unsigned.json", wished));
    await choose("Firmware image", stage.image("1.4.0"));
    const sentence =
      /^The unsigned manifest is for another image: led 2\.0\.0 .*the chosen image is base 1\.4\.0/;
    await problem(sentence);
    await choose("Key file", stage.key);
    await sign();
    await problem(sentence);
    await choose("Unsigned manifest", jsonFile("release.jws", "eyJ.eyJ.abc"));
    await problem(/^release\.jws is not an unsigned manifest/);
    expect(await page.getByRole("heading", { name: "Signed" }).isVisible()).equal(false);
  });

  it("says what is wrong with a key", async () => {
    await sign();
    await problem("Choose the firmware image first.");
    await choose("Firmware image", stage.image("1.4.0"));
    await sign();
    await problem("Choose the release key.");
    const key = JSON.parse(stage.key.buffer.toString());
    const { d, ...publicKey } = key as { d: string };
    const other = JSON.parse(stage.otherKey.buffer.toString()) as { d: string };
    for (const [file, sentence] of [
      [jsonFile("release.pub.jwk", publicKey), /^release\.pub\.jwk contains a public key/],
      [
        jsonFile("locked.jwk", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB"),
        /^locked\.jwk is locked with a passphrase/,
      ],
      [jsonFile("locked.jwk", { ciphertext: "a", protected: "b" }), /is locked with a passphrase/],
      [jsonFile("key.pem", "-----BEGIN PRIVATE KEY-----\nMIIB"), /is in PEM form/],
      [jsonFile("large.jwk", "x".repeat(3_000_000)), /it is not a key/],
      [jsonFile("mixed.jwk", { ...key, d: other.d }), /^The key is damaged/],
    ] as const) {
      await choose("Key file", file);
      await sign();
      await problem(sentence);
    }
    await page.getByLabel("Or the key as text").fill(stage.key.buffer.toString());
    await sign();
    await problem(/not both/);
    await page.getByLabel("Key file").setInputFiles([...NO_FILE]);
    await page.getByLabel("Oldest version").fill("newest");
    await sign();
    await problem(/minCurrentVersion is not a version/);
    expect(await page.getByRole("heading", { name: "Signed" }).isVisible()).equal(false);
  });

  it("signs with a key that the server does not trust, and the server says so", async () => {
    const image = stage.image("1.4.0");
    await choose("Firmware image", image);
    await choose("Key file", stage.otherKey);
    const manifest = await signed();
    expect(await upload(image, manifest)).match(/^422 .*is not among the 1 trusted keys/);
    expect(await upload(stage.image("1.5.0"), manifest)).match(/^422 /);
  });

  it("has made no request and reported no error in all of this, and fits a phone", async () => {
    expect(requested.filter((url) => url !== address && !url.startsWith("blob:"))).deep.equal([]);
    expect(watched.problems).deep.equal([]);
    for (const width of [320, PHONE.viewport.width]) {
      await page.setViewportSize({ width, height: PHONE.viewport.height });
      expect(await overflowOf(page), `${width} px`).equal(0);
    }
  });
});

/** A text, because what compiles this file would add helpers to a function, which the page does not have. */
const TRY_EVERYTHING = `async (target) => {
  const violated = new Set();
  document.addEventListener("securitypolicyviolation", (event) => violated.add(event.effectiveDirective));
  const outcome = (work) => Promise.resolve().then(work).then(() => "done", () => "refused");
  const add = (tag, fields) => document.body.appendChild(Object.assign(document.createElement(tag), fields));
  const load = (tag, fields) =>
    new Promise((onload, onerror) => add(tag, { onload, onerror, ...fields }));
  const post = () => new Promise((onload, onerror) => {
    const request = Object.assign(new XMLHttpRequest(), { onload, onerror });
    request.open("POST", target);
    request.send("key");
  });
  const outcomes = await Promise.all([
    outcome(() => fetch(target)),
    outcome(post),
    outcome(() => load("img", { src: target + "picture" })),
    outcome(() => load("script", { src: target + "script" })),
    outcome(() => load("link", { rel: "stylesheet", href: target + "style" })),
    outcome(() => new Promise((onopen, onerror) =>
      Object.assign(new WebSocket(target.replace("http", "ws")), { onopen, onerror }))),
    outcome(() => new Promise((onopen, onerror) =>
      Object.assign(new EventSource(target + "events"), { onopen, onerror }))),
  ]);
  navigator.sendBeacon(target + "beacon", "key");
  add("iframe", { src: target + "frame" });
  add("form", { action: target + "form", method: "post" }).submit();
  add("script", { textContent: "globalThis.injected = 1" });
  // Violations are reported in later turns.
  while (!violated.has("frame-src") || !violated.has("form-action"))
    await new Promise((done) => setTimeout(done, 10));
  return { outcomes, violated: [...violated].sort(), isInjected: "injected" in globalThis };
}`;

describe("the policy of the page that signs", function () {
  this.timeout(120_000);
  let browser: Browser;
  let server: Server;
  let url: string;
  let folder: string;
  const arrived: string[] = [];

  before(async function () {
    requireChromium(this);
    const { html } = await buildSignPage();
    folder = await mkdtemp(join(tmpdir(), "skyslot-sign-page-"));
    await writeFile(join(folder, "sign.html"), html);
    server = createServer((request, response) => {
      arrived.push(request.url ?? "");
      response.setHeader("access-control-allow-origin", "*");
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.end(html);
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    server?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it("blocks every way in which a script asks for something, while the network is there", async () => {
    const { page, problems, close } = await openPage(browser);
    await page.goto(pathToFileURL(join(folder, "sign.html")).href);
    const blocked = await page.evaluate(`(${TRY_EVERYTHING})(${JSON.stringify(url)})`);
    expect(blocked).deep.equal({
      outcomes: Array(7).fill("refused"),
      violated: ["connect-src", "form-action", "frame-src", "img-src", "script-src-elem", "style-src-elem"],
      isInjected: false,
    });
    expect(arrived).deep.equal([]);
    expect(problems.length).above(0);
    await close();
  });

  it("is not needed where a server shows the page: it takes no key there", async () => {
    const { page, close } = await openPage(browser);
    await page.goto(url);
    await page.getByRole("alert").getByText("This page was opened from a server").waitFor();
    expect(await page.getByLabel("Key file").isVisible()).equal(false);
    expect(await page.getByRole("button", { name: "Sign", exact: true }).isVisible()).equal(false);
    await close();
  });
});
