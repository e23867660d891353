// The status page: what it shows, what it saves and what it confirms before it acts.

import { expect } from "chai";
import { ledSection } from "../../../firmware/apps/led/core/settings.js";
import { statusPage } from "../../../firmware/portal/status-page.js";
import { PART_STRINGS, STATUS_SCRIPT_STRINGS, STATUS_STRINGS } from "../../../firmware/portal/strings.js";
import { makeAuthority } from "../../journey/authority.js";
import { BOOTED } from "../core/events.js";
import { StatusBrowser } from "./status-browser.js";

const SECTION = ledSection({ chip: "esp32", statusPin: 2 });

describe("the status page", () => {
  let browser: StatusBrowser;
  afterEach(() => {
    browser.close();
    expect(browser.errors).deep.equal([]);
  });

  it("is one ASCII file of at most 26 KiB that loads nothing", async () => {
    browser = new StatusBrowser();
    expect(statusPage).match(/^[\n -~]+$/);
    expect(statusPage.length).at.most(26 * 1024);
    expect(statusPage).not.match(/\b(src|href)=(?!"data:|"\/")|@import|url\(/);
  });

  it("labels every field, and contains no password of the device", async () => {
    browser = await new StatusBrowser({}, { section: SECTION }).open();
    for (const input of browser.document.querySelectorAll("input,select"))
      expect(browser.document.querySelector(`label[for="${input.id}"]`), input.id).not.equal(null);
    expect(browser.document.documentElement.outerHTML).not.match(/secret password|owner-token-1/);
  });

  it("sends the authority of a server at home as its file has it, PEM or DER, and removes it again", async () => {
    browser = await new StatusBrowser().own();
    const { certificate } = makeAuthority(1_795_000_000);
    const stored = () =>
      browser.done.flatMap((effect) =>
        effect.type === "store" && effect.key === "tls.authority" ? [effect.value] : [],
      );
    const pem = `-----BEGIN CERTIFICATE-----
${certificate}
-----END CERTIFICATE-----
`;
    for (const bytes of [Buffer.from(certificate, "base64"), Buffer.from(pem)]) {
      browser.choose("authority", { bytes });
      await browser.submit("settings");
      expect(browser.element("no-authority").hidden, browser.text("settings-say")).equal(false);
    }
    expect(stored()).deep.equal([certificate, certificate]);
    await browser.click("no-authority");
    expect(browser.element("no-authority").hidden).equal(true);
  });

  it("shows the device's health, and its settings", async () => {
    browser = await new StatusBrowser({ "device.name": "<b>Hall</b>" }).open();
    expect(browser.text("title")).equal("<b>Hall</b>");
    expect(browser.text("facts"))
      .include("base 1.0.0")
      .include("192.168.1.20 (-50 dBm)")
      .include("61 s")
      .include("98 KB");
    expect(browser.text("facts")).include(STATUS_SCRIPT_STRINGS.states.ok);
    expect(browser.element("server").value).equal(BOOTED.build.server);
    expect(browser.element("seconds").value).equal("120");
    expect(browser.text("alert")).equal("");
  });

  it("shows why the last update was rolled back", async () => {
    const record = { firmwareId: 7, version: "1.1.0", build: 0, imageSha256: "c".repeat(64), slot: "ota_0" };
    const failure = { code: "ROLLED_BACK", reason: "the new firmware hung" };
    const install = JSON.stringify({ ...record, powerLosses: 0, armed: true, failure });
    browser = await new StatusBrowser({ install }).open();
    expect(browser.text("facts")).include("Last problem").include("the new firmware hung");
  });

  it("shows what is wrong with what the device has stored", async () => {
    const problems = [{ code: "STORED_INVALID", message: "The stored name is <too> long." }];
    browser = await new StatusBrowser({}, { problems }).open();
    expect(browser.text("facts")).include("Last problem").include("The stored name is <too> long.");
  });

  it("of a device with a cable shows its address, and nothing about Wi-Fi", async () => {
    const wired = await new StatusBrowser({}, { link: "ethernet", isAnnounced: false }).own();
    wired.on({ type: "online", address: "192.168.1.20", rssi: 0 });
    await wired.open();
    expect(wired.text("lead")).equal("192.168.1.20 \u00b7 esp32");
    expect(wired.element("networks").hidden).equal(true);
    expect(wired.text("token-hint")).match(/flashed again/);
    await wired.click("reset");
    expect(wired.text("ask-text")).equal("Erase all settings and the owner\u2019s token?");
    const wireless = await new StatusBrowser().open();
    expect(wireless.text("lead")).equal("base-0000a1.local \u00b7 esp32");
    expect(wireless.element("networks").hidden).equal(false);
  });

  it("says so when the device does not answer, and when it is in safe mode", async () => {
    browser = new StatusBrowser();
    browser.link = "down";
    await browser.open();
    expect(browser.text("alert")).equal(STATUS_SCRIPT_STRINGS.unreachable);
    browser.close();
    browser = await new StatusBrowser({ unhealthy: "5" }).open();
    expect(browser.text("alert")).match(/^Safe mode: .* 5 times/);
  });

  it("saves only what was changed, and says why something is refused", async () => {
    browser = await new StatusBrowser().own();
    await browser.submit("settings", { name: "Lamp", seconds: "5" });
    expect(browser.text("settings-say")).match(/10 to 86400 seconds/);
    browser.done.length = 0;
    await browser.submit("settings", { seconds: "120" });
    expect(browser.done.flatMap((effect) => (effect.type === "store" ? [effect.key] : []))).deep.equal([
      "device.name",
    ]);
    expect(browser.text("settings-say")).equal(STATUS_SCRIPT_STRINGS.saved);
    expect(browser.text("title")).equal("Lamp");
  });

  it("sends the entered token, and asks for it when it is missing", async () => {
    browser = await new StatusBrowser().open();
    await browser.submit("settings", { name: "Lamp" });
    expect(browser.text("settings-say")).equal(STATUS_SCRIPT_STRINGS.needToken);
    await browser.submit("settings", { token: "owner-token-1" });
    expect(browser.text("settings-say")).equal(STATUS_SCRIPT_STRINGS.saved);
  });

  it("asks before it rolls back or restarts", async () => {
    browser = await new StatusBrowser().own();
    await browser.click("rollback");
    expect(browser.text("ota-say")).equal("There is no other image to go back to.");
    await browser.click("restart");
    expect(browser.text("device-say")).equal(STATUS_SCRIPT_STRINGS.restarting);
    expect(browser.state.localApi.leaving).equal("restart");
    expect(browser.questions.length).equal(2);
  });

  describe("the reset", () => {
    it("needs two confirmations", async () => {
      browser = await new StatusBrowser().own();
      expect(browser.element("ask").hidden).equal(true);
      await browser.click("reset");
      expect(browser.text("ask-text")).equal(STATUS_SCRIPT_STRINGS.resetAsk);
      expect(browser.document.activeElement?.id).equal("ask-text");
      await browser.click("ask-yes");
      expect(browser.text("ask-text")).equal(STATUS_SCRIPT_STRINGS.resetSure);
      expect(browser.state.localApi.leaving).equal("no");
      await browser.click("ask-yes");
      expect(browser.state.localApi.leaving).equal("reset");
      expect(browser.text("reset-say")).equal(STATUS_SCRIPT_STRINGS.resetDone);
    });

    it("can be cancelled at either question, and begins with the first again", async () => {
      browser = await new StatusBrowser().own();
      for (const yeses of [0, 1]) {
        await browser.click("reset");
        for (let i = 0; i < yeses; i++) await browser.click("ask-yes");
        await browser.click("ask-no");
        expect(browser.element("ask").hidden).equal(true);
      }
      await browser.click("reset");
      await browser.click("ask-yes");
      expect(browser.state.localApi.leaving).equal("no");
    });

    it("says why it is refused", async () => {
      browser = await new StatusBrowser().open();
      await browser.click("reset");
      await browser.click("ask-yes");
      await browser.click("ask-yes");
      expect(browser.text("reset-say")).match(/needs the owner's token/);
      expect(browser.state.localApi.leaving).equal("no");
    });
  });

  it("switches unsigned local updates on only when the owner says so, and says what that means", async () => {
    browser = await new StatusBrowser().own();
    const box = browser.element("unsigned");
    expect(box.checked).equal(false);
    expect(browser.text("unsigned-hint")).match(/anyone with the token can install anything/);
    box.checked = true;
    await browser.submit("settings");
    expect(browser.state.push.acceptUnsigned).equal(true);
    await browser.submit("settings", { name: "Lamp" });
    expect(browser.state.push.acceptUnsigned).equal(true);
  });

  it("has only sentences that need no escaping in markup and script", () => {
    browser = new StatusBrowser();
    const all = JSON.stringify([STATUS_STRINGS, STATUS_SCRIPT_STRINGS, PART_STRINGS]);
    expect(all).not.match(/[&<>`\\]/);
  });
});
