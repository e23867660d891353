// What the status page shows and allows depending on the owner: the token and the saved networks.

import { expect } from "chai";
import { STATUS_SCRIPT_STRINGS } from "../../../firmware/portal/strings.js";
import { StatusBrowser, settle, TOKEN } from "./status-browser.js";

describe("the status page of a device and its owner", () => {
  let browser: StatusBrowser;
  afterEach(() => {
    browser.close();
    expect(browser.errors).deep.equal([]);
  });

  describe("the owner's token", () => {
    const unowned = { "push.token": undefined as unknown as string };
    const shown = (id: string) => !browser.element(id).hidden;

    it("is asked for if there is one, and can be changed", async () => {
      browser = await new StatusBrowser().own();
      expect([shown("token-part"), shown("new-part"), browser.text("owner-why")]).deep.equal([
        true,
        true,
        "",
      ]);
      expect(browser.element("new-token").value).equal("");
      await browser.submit("owner", { "new-token": "another-token-2" });
      expect(browser.state.push.token).equal("another-token-2");
      expect(browser.text("owner-say")).include("another-token-2");
      expect(browser.element("token").value).equal("another-token-2");
      await browser.submit("settings", { name: "Lamp" });
      expect(browser.text("settings-say")).equal(STATUS_SCRIPT_STRINGS.saved);
    });

    it("cannot be changed without knowing it", async () => {
      browser = await new StatusBrowser().open();
      await browser.submit("owner", { "new-token": "another-token-2" });
      expect(browser.text("owner-say")).equal(STATUS_SCRIPT_STRINGS.needToken);
      expect(browser.state.push.token).equal(TOKEN);
    });

    it("is suggested on a device that was just plugged in and has none", async () => {
      browser = await new StatusBrowser(unowned).open();
      expect(browser.text("owner-why")).include("within 9 min");
      expect([shown("token-part"), shown("new-part")]).deep.equal([false, true]);
      const suggested = browser.element("new-token").value;
      expect(suggested).match(/^[a-z2-9]{4}(-[a-z2-9]{4}){2}$/);
      await browser.submit("owner");
      expect(browser.state.push.token).equal(suggested);
      expect([shown("token-part"), browser.text("owner-why")]).deep.equal([true, ""]);
    });

    it("cannot be set later, and the page says what to do", async () => {
      browser = new StatusBrowser(unowned);
      browser.upMs = 600_000;
      await browser.open();
      expect(browser.text("owner-why")).equal(STATUS_SCRIPT_STRINGS.noOwner);
      expect([shown("token-part"), shown("new-part")]).deep.equal([false, false]);
      await browser.submit("settings", { name: "Lamp" });
      expect(browser.text("settings-say")).match(/plug it in again/);
    });

    it("is left to the setup page in the setup network", async () => {
      browser = await new StatusBrowser({ ...unowned, networks: "[]" }).open();
      expect([shown("setup"), shown("ota"), shown("new-part")]).deep.equal([true, false, false]);
      expect(browser.text("owner-why")).equal(STATUS_SCRIPT_STRINGS.setupToken);
      await browser.submit("settings", { name: "Lamp" });
      expect(browser.text("settings-say")).equal(STATUS_SCRIPT_STRINGS.saved);
    });
  });

  describe("the saved networks", () => {
    const networks = '[["home","secret password"],["<b>work</b>","b"],["garden","c"]]';
    const rows = () => [...browser.document.querySelectorAll<HTMLElement>("#saved li")];

    it("are shown to the owner only, the last used first", async () => {
      browser = await new StatusBrowser({ networks }).open();
      expect(rows().length).equal(0);
      expect(browser.text("saved-hint")).equal(STATUS_SCRIPT_STRINGS.needToken);
      await browser.change("token", TOKEN);
      expect(rows().map((row) => row.firstChild?.textContent)).deep.equal(["home", "<b>work</b>", "garden"]);
      expect(rows().map((row) => row.lastChild?.textContent)).deep.equal(["in use", "Remove", "Remove"]);
    });

    it("are removed one by one, after a second press to confirm", async () => {
      browser = await new StatusBrowser({ networks }).own();
      const button = () => rows()[1]!.querySelector("button")!;
      expect(button().getAttribute("aria-label")).equal("Remove <b>work</b>");
      button().click();
      await settle();
      expect(button().textContent).equal(STATUS_SCRIPT_STRINGS.removeSure);
      expect(rows().length).equal(3);
      button().click();
      await settle();
      expect(rows().map((row) => row.firstChild?.textContent)).deep.equal(["home", "garden"]);
      expect(browser.state.wifi.preferences?.networks.map(({ ssid }) => ssid)).deep.equal(["home", "garden"]);
    });
  });
});
