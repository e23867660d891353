// Choosing a network and entering its password on the setup page, driven by user input, against the real portal.

import { expect } from "chai";
import { SCRIPT_STRINGS } from "../../../firmware/portal/strings.js";
import { HOME, network, PhoneBrowser } from "./phone-browser.js";

describe("the setup page", () => {
  let phone: PhoneBrowser;

  beforeEach(() => {
    phone = new PhoneBrowser();
    phone.send({ type: "portalOpened" });
  });

  afterEach(() => {
    phone.close();
    expect(phone.errors).to.deep.equal([]);
  });

  describe("choosing", () => {
    it("says that it is scanning, then lists what the scan found", async () => {
      await phone.open();
      expect(phone.view()).to.equal("choose");
      expect(phone.text("empty")).to.equal(SCRIPT_STRINGS.scanning);
      phone.scanned(HOME);
      await phone.advance(1500);
      expect(phone.rows().map((row) => row.firstChild?.textContent)).to.deep.equal(["home", "café", "far"]);
      expect(phone.element("empty").hidden).to.equal(true);
      expect(phone.text("status")).to.equal("3 networks found");
    });

    it("shows strength and lock, also to screen readers", async () => {
      await phone.opened();
      expect(phone.rows().map((row) => row.dataset.bars)).to.deep.equal(["4", "3", "1"]);
      expect(phone.rows().map((row) => row.querySelector(".lock") !== null)).to.deep.equal([
        true,
        false,
        true,
      ]);
      expect(phone.rows().map((row) => row.textContent)).to.deep.equal([
        "home, strong signal, password needed",
        "café, good signal, no password",
        "far, weak signal, password needed",
      ]);
    });

    it("shows names as text, whatever they contain", async () => {
      const names = [
        "<img src=x onerror=alert(1)>",
        "</script><b>x",
        "&amp;",
        "a+b=c%d#e&f",
        "  ",
        "😀 🏠",
        "$& $1 {ssid}",
        "שלום",
      ];
      await phone.opened(names.map((name, i) => network(name, -40 - i)));
      expect(phone.rows().map((row) => row.firstChild?.textContent)).to.deep.equal(names);
      expect(phone.document.querySelectorAll("#list img, #list b").length).to.equal(0);
      await phone.click(phone.rows()[6]!);
      expect(phone.text("form-title")).to.equal("Join $& $1 {ssid}");
    });

    it("scans again when asked, and only once at a time", async () => {
      await phone.opened();
      await phone.click("rescan");
      await phone.click("rescan");
      expect(phone.requests.filter(({ path }) => path === "/api/scan").length).to.equal(1);
      expect(phone.element<HTMLButtonElement>("rescan").disabled).to.equal(true);
      phone.send({ type: "timerFired", timer: "scan" });
      phone.scanned([network("new", -45)]);
      await phone.advance(1500);
      expect(phone.rows().map((row) => row.firstChild?.textContent)).to.deep.equal(["new"]);
      expect(phone.element<HTMLButtonElement>("rescan").disabled).to.equal(false);
    });

    it("keeps the list and continues by itself when the phone is dropped during a scan", async () => {
      await phone.opened();
      await phone.click("rescan");
      phone.link = "down";
      await phone.advance(8000);
      expect(phone.rows().length).to.equal(3);
      expect(phone.text("status")).to.equal(SCRIPT_STRINGS.unreachable);
      phone.link = "up";
      phone.send({ type: "timerFired", timer: "scan" });
      phone.scanned([network("new", -45)]);
      await phone.advance(3000);
      expect(phone.rows().length).to.equal(1);
    });

    it("says so when there is no network", async () => {
      await phone.opened([]);
      expect(phone.element("empty").hidden).to.equal(false);
      expect(phone.text("empty")).to.equal(SCRIPT_STRINGS.none);
    });

    it("keeps the focus on the same network when the list changes", async () => {
      await phone.opened();
      phone.rows()[2]?.focus();
      await phone.click("rescan");
      phone.send({ type: "timerFired", timer: "scan" });
      phone.scanned([network("far", -40), ...HOME.slice(0, 2)]);
      await phone.advance(1500);
      expect(phone.document.activeElement?.firstChild?.textContent).to.equal("far");
      expect(phone.document.activeElement).to.equal(phone.rows()[0]);
    });
  });

  describe("entering", () => {
    it("asks for the password alone and focuses it", async () => {
      await phone.opened();
      await phone.click(phone.rows()[0]!);
      expect(phone.view()).to.equal("enter");
      expect(phone.text("form-title")).to.equal("Join home");
      expect(phone.element("name-part").hidden).to.equal(true);
      expect(phone.document.activeElement?.id).to.equal("password");
    });

    it("asks nothing for an open network", async () => {
      await phone.opened();
      await phone.click(phone.rows()[1]!);
      expect(phone.element("password-part").hidden).to.equal(true);
      await phone.submit({});
      expect(phone.raised).to.deep.equal([{ type: "credentialsSubmitted", ssid: "café", password: "" }]);
    });

    it("accepts a hidden network by name", async () => {
      await phone.opened();
      await phone.click("other");
      expect(phone.document.activeElement?.id).to.equal("ssid");
      await phone.submit({ ssid: " hid+den=%# ", password: "p&ss w=rd+%€" });
      expect(phone.raised).to.deep.equal([
        { type: "credentialsSubmitted", ssid: " hid+den=%# ", password: "p&ss w=rd+%€" },
      ]);
    });

    it("shows and hides the password", async () => {
      await phone.opened();
      await phone.click(phone.rows()[0]!);
      expect(phone.input("password").type).to.equal("password");
      await phone.click("show");
      expect(phone.input("password").type).to.equal("text");
      expect(phone.element("show").getAttribute("aria-label")).to.equal("Hide password");
      await phone.click("show");
      expect(phone.input("password").type).to.equal("password");
    });

    const refused = [
      ["an empty name", { ssid: "", password: "" }, "ssid"],
      ["a name of 34 bytes", { ssid: "é".repeat(17), password: "" }, "ssid"],
      ["a password of 7 characters", { ssid: "a", password: "1234567" }, "password"],
      ["a password of 64 letters", { ssid: "a", password: "x".repeat(64) }, "password"],
    ] as const;
    for (const [label, values, field] of refused) {
      it(`refuses ${label} at once, beside the field`, async () => {
        await phone.opened();
        await phone.click("other");
        await phone.submit(values);
        expect(phone.view()).to.equal("enter");
        expect(phone.raised).to.deep.equal([]);
        expect(phone.input(field).getAttribute("aria-invalid")).to.equal("true");
        expect(phone.text(`${field}-hint`)).to.match(/\.$/);
        expect(phone.document.activeElement?.id).to.equal(field);
      });
    }

    it("accepts 32 and 63 bytes, and a key of 64 hex digits", async () => {
      await phone.opened();
      for (const password of ["x".repeat(63), "0aF".padEnd(64, "9")]) {
        await phone.click("other");
        await phone.submit({ ssid: "n".repeat(32), password });
        expect(phone.raised.pop()).to.deep.equal({
          type: "credentialsSubmitted",
          ssid: "n".repeat(32),
          password,
        });
      }
    });

    it("goes back to the list, and forgets the password", async () => {
      await phone.opened();
      await phone.click(phone.rows()[0]!);
      phone.input("password").value = "half-typed";
      await phone.click("back");
      expect(phone.view()).to.equal("choose");
      expect(phone.document.activeElement?.id).to.equal("list-title");
      await phone.click(phone.rows()[2]!);
      expect(phone.input("password").value).to.equal("");
    });
  });
});
