// The owner's token on the setup page: suggested, chosen, refused, or not asked for.

import { expect } from "chai";
import { SCRIPT_STRINGS } from "../../../firmware/portal/strings.js";
import { PhoneBrowser } from "./phone-browser.js";

describe("the owner's token on the setup page", () => {
  let phone: PhoneBrowser;

  beforeEach(() => {
    phone = new PhoneBrowser();
    phone.send({ type: "portalOpened" });
  });

  afterEach(() => {
    phone.close();
    expect(phone.errors).to.deep.equal([]);
  });

  const TOKEN = /^[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}$/;

  async function choosing(stored: Readonly<Record<string, string>> = {}): Promise<void> {
    phone.close();
    phone = new PhoneBrowser(stored);
    phone.send({ type: "portalOpened" });
    await phone.opened();
    await phone.click(phone.rows()[0]!);
  }
  async function join(): Promise<void> {
    phone.send({ type: "online", address: "10.0.0.5", rssi: -50 });
    await phone.advance(1500);
    expect(phone.view()).to.equal("done");
  }

  it("is suggested for a new device, explained, and shown at the end", async () => {
    await choosing();
    const token = phone.input("owner").value;
    expect(token).to.match(TOKEN);
    expect(phone.text("owner-hint")).to.equal(SCRIPT_STRINGS.tokenHint);
    await phone.submit({ password: "password" });
    expect(phone.local.token).to.equal("");
    await join();
    expect(phone.local.token).to.equal(token);
    expect(phone.text("made")).to.equal(token);
    expect(phone.element("made-part").hidden || phone.element("made-hint").hidden).to.equal(false);
  });

  it("can be replaced by another suggestion, or the owner's own", async () => {
    await choosing();
    const before = phone.input("owner").value;
    await phone.click("suggest");
    expect(phone.input("owner").value).to.match(TOKEN).and.not.equal(before);
    await phone.submit({ password: "password", owner: "my-own-token" });
    await join();
    expect(phone.local.token).to.equal("my-own-token");
  });

  it("is copied where it is chosen and where it is shown, and says when that did not work", async () => {
    await choosing();
    const selected: string[] = [];
    let works = true;
    phone.document.execCommand = (command) => {
      const area = phone.document.querySelector<HTMLTextAreaElement>("textarea.sr");
      selected.push(`${command} ${area?.value.slice(area.selectionStart, area.selectionEnd)}`);
      return works;
    };
    const token = phone.input("owner").value;
    await phone.click("copy");
    expect(phone.text("copy")).to.equal(SCRIPT_STRINGS.copied);
    await phone.advance(3_500);
    expect(phone.text("copy")).to.equal(SCRIPT_STRINGS.copy);
    await phone.submit({ password: "password", owner: "x".repeat(64) });
    await join();
    works = false;
    await phone.click("copy-made");
    expect(phone.text("copy-made")).to.equal(SCRIPT_STRINGS.notCopied);
    expect(selected).to.deep.equal([`copy ${token}`, `copy ${"x".repeat(64)}`]);
    expect(phone.document.querySelector<HTMLTextAreaElement>("textarea.sr")).to.equal(null);
  });

  for (const owner of ["seven77", "with a space", "x".repeat(65), "ümläut-token"])
    it(`is refused as ${owner.slice(0, 12)} at once, beside the field`, async () => {
      await choosing();
      await phone.submit({ password: "password", owner });
      expect(phone.view()).to.equal("enter");
      expect(phone.text("owner-hint")).to.equal(SCRIPT_STRINGS.tokenWrong);
      expect(phone.document.activeElement?.id).to.equal("owner");
      expect(phone.raised).to.deep.equal([]);
    });

  it("is left unset when the field is emptied", async () => {
    await choosing();
    await phone.submit({ password: "password", owner: "" });
    await join();
    expect(phone.local.token).to.equal("");
    expect(phone.element("made-part").hidden).to.equal(true);
  });

  it("is not asked for if there is one, or if the device was not just powered on", async () => {
    for (const stored of [{ "push.token": "owner-token-1" }, { networks: '[["old","password"]]' }]) {
      await choosing(stored);
      expect(phone.element("owner-part").hidden).to.equal(true);
      await phone.submit({ password: "password" });
      expect(phone.requests.some(({ path }) => path === "/api/token")).to.equal(false);
      await join();
      expect(phone.element("made-part").hidden).to.equal(true);
    }
  });
});
