// The pages' own SHA-256, HMAC and key, against node:crypto, as they stand in a page (squeezed).

import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { expect } from "chai";
import { squeeze } from "../../../firmware/portal/page-text.js";
import { PROOF_SCRIPT } from "../../../firmware/portal/proof-script.js";
import { STATUS_SCRIPT_STRINGS } from "../../../firmware/portal/strings.js";
import { answerTo, sha256 } from "../core/hashes.js";
import { StatusBrowser, TOKEN } from "./status-browser.js";

interface Script {
  sha256(bytes: Uint8Array): Uint8Array;
  hmac(key: Uint8Array, message: Uint8Array): Uint8Array;
  keyOf(token: string, realm: string, count: string): string;
  proof(asked: string | null, method: string, path: string, digest: string): string;
}

/** The script of a page in whose field this token stands. */
const scriptWith = (token: string): Script =>
  new Function("$", `${squeeze(PROOF_SCRIPT)};return{sha256,hmac,keyOf,proof}`)(() => ({ value: token }));

const script = scriptWith(TOKEN);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
/** Bytes that are not alike. */
const sample = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255);

describe("the script that proves the token", () => {
  it("hashes texts of every length around a block as node:crypto does, and a whole image", () => {
    for (const length of [...Array(200).keys(), 1_000_003])
      expect(hex(script.sha256(sample(length))), `${length} bytes`).equal(
        createHash("sha256").update(sample(length)).digest("hex"),
      );
  });

  it("makes MACs as node:crypto does", () => {
    for (const [key, message] of [
      [0, 0],
      [20, 8],
      [63, 64],
      [64, 55],
      [64, 300],
    ] as const)
      expect(hex(script.hmac(sample(key), sample(message)))).equal(
        createHmac("sha256", sample(key)).update(sample(message)).digest("hex"),
      );
  });

  it("derives keys as node:crypto does, of tokens longer than a block too", () => {
    for (const token of ["owner-token-1", "x".repeat(64), "y".repeat(65), "z".repeat(256)])
      expect(script.keyOf(token, "base-0000a1", "50")).equal(
        pbkdf2Sync(token, "skyslot:base-0000a1", 50, 32, "sha256").toString("hex"),
      );
  });

  it("answers a challenge, about the query of a path too", () => {
    const asked = 'Skyslot realm="base-0000a1", nonce="7-ab", rounds=10000, Bearer';
    const digest = sha256("the body");
    expect(script.proof(asked, "POST", "/api/ota/install?force=1", digest)).equal(
      answerTo({ nonce: "7-ab", token: TOKEN, path: "/api/ota/install?force=1", sha256: digest }).replaceAll(
        ", ",
        ",",
      ),
    );
  });

  it("answers nothing but a challenge of ours", () => {
    for (const asked of [null, "", "Bearer", 'Basic realm="x"'])
      expect(script.proof(asked, "POST", "/update", sha256(""))).equal("");
  });

  it("keeps the token out of all that a page sends", async () => {
    const browser = await new StatusBrowser().own();
    await browser.submit("settings", { name: "Küche" });
    await browser.click("bearer");
    await browser.submit("settings", { name: "K\u{fc}che 2" });
    expect(browser.text("settings-say")).equal(STATUS_SCRIPT_STRINGS.saved);
    expect(browser.state.push.acceptBearer).equal(false);
    await browser.submit("settings", { name: "Attic" });
    expect(browser.state.localApi.preferences?.deviceName).equal("Attic");
    expect(browser.sent.length).greaterThan(8);
    expect(browser.sent.join("\n"))
      .match(/Skyslot nonce=/)
      .and.not.include(TOKEN);
    browser.close();
  });
});
