// Pushing a firmware file from the status page.

import { expect } from "chai";
import { STATUS_SCRIPT_STRINGS } from "../../../firmware/portal/strings.js";
import { answerTo, sha256 } from "../core/hashes.js";
import { HOST, IMAGE_TEXT, StatusBrowser, type Upload } from "./status-browser.js";

const nonceOf = ({ headers }: Upload): string =>
  /nonce="([^"]+)"/.exec(headers.authorization ?? "")?.[1] ?? "";

describe("the status page with a firmware file", () => {
  let browser: StatusBrowser;
  afterEach(() => {
    browser.close();
    expect(browser.errors).deep.equal([]);
  });

  const IMAGE = Object.freeze({ name: "base.bin", size: 200_000 });

  async function sending(): Promise<Upload> {
    browser = await new StatusBrowser().open();
    browser.choose("image", IMAGE);
    browser.choose("release", { name: "base.jws" });
    await browser.submit("upload", { token: "owner-token-1" });
    return browser.uploads[0]!;
  }

  it("asks for one", async () => {
    browser = await new StatusBrowser().open();
    await browser.submit("upload");
    expect(browser.text("ota-say")).equal(STATUS_SCRIPT_STRINGS.noFile);
    expect(browser.uploads).deep.equal([]);
  });

  it("sends the file to the push port with a proof of the token and the release", async () => {
    const upload = await sending();
    expect(upload).include({ method: "POST", url: `http://${HOST}:3232/update`, body: IMAGE });
    expect(upload.headers).deep.equal({
      "content-type": "application/octet-stream",
      "x-skyslot-release": "eyJhbGciOiJFUzI1NiJ9.cGF5bG9hZA.c2ln",
      authorization: answerTo({
        nonce: nonceOf(upload),
        token: "owner-token-1",
        sha256: sha256(IMAGE_TEXT),
      }).replaceAll(", ", ","),
    });
    expect(browser.element<HTMLButtonElement>("send").disabled).equal(true);
  });

  it("shows the progress and the remaining time", async () => {
    const upload = await sending();
    browser.nowMs += 10_000;
    upload.upload.onprogress!({ loaded: 50_000, total: 200_000 });
    expect(browser.text("ota-say")).equal("25 % sent, 30 s left");
    expect(browser.element<HTMLProgressElement>("bar").value).equal(25);
    upload.upload.onprogress!({ loaded: 200_000, total: 200_000 });
    expect(browser.text("ota-say")).equal(STATUS_SCRIPT_STRINGS.checking);
  });

  it("waits for the device to come back with the new version", async () => {
    const upload = await sending();
    Object.assign(upload, { status: 200, responseText: "{}" }).onload!();
    expect(browser.text("ota-say")).equal(STATUS_SCRIPT_STRINGS.installed);
    browser.link = "down";
    await browser.advance(3_000);
    browser.link = "up";
    await browser.advance(3_000);
    expect(browser.text("ota-say")).equal("The device is back, version 1.0.0.");
    expect(browser.element<HTMLButtonElement>("send").disabled).equal(false);
  });

  it("says why the device refused it", async () => {
    const upload = await sending();
    const responseText = '{"code":"WRONG_CHIP","message":"image is for esp32c3, device is esp32"}';
    Object.assign(upload, { status: 500, responseText }).onload!();
    expect(browser.text("ota-say")).equal("image is for esp32c3, device is esp32");
    expect(browser.element<HTMLButtonElement>("send").disabled).equal(false);
  });

  it("says so when the connection breaks", async () => {
    const upload = await sending();
    upload.onerror!();
    expect(browser.text("ota-say")).equal(STATUS_SCRIPT_STRINGS.broken);
  });
});
