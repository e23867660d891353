// What the setup page does while the device joins, and when it is opened later.

import { expect } from "chai";
import { SCRIPT_STRINGS } from "../../../firmware/portal/strings.js";
import { HOME, PhoneBrowser } from "./phone-browser.js";

describe("the setup page of a device that joins", () => {
  let phone: PhoneBrowser;

  beforeEach(() => {
    phone = new PhoneBrowser();
    phone.send({ type: "portalOpened" });
  });

  afterEach(() => {
    phone.close();
    expect(phone.errors).to.deep.equal([]);
  });

  describe("joining", () => {
    async function submitted(): Promise<void> {
      await phone.opened();
      await phone.click(phone.rows()[0]!);
      await phone.submit({ password: "password" });
    }

    const joinedHome = (): unknown => phone.send({ type: "online", address: "10.0.0.5", rssi: -50 });

    it("shows the new address and the name, as links", async () => {
      await submitted();
      expect(phone.view()).to.equal("progress");
      expect(phone.text("progress-title")).to.equal("Joining home");
      joinedHome();
      await phone.advance(1500);
      expect(phone.view()).to.equal("done");
      expect(phone.text("done-title")).to.equal("Connected to home");
      expect(phone.element<HTMLAnchorElement>("address").href).to.equal("http://10.0.0.5/");
      expect(phone.text("host-name")).to.equal("led-a1b2c3.local");
      expect(phone.document.activeElement?.id).to.equal("done-title");
      expect(phone.input("password").value).to.equal("");
    });

    for (const reason of ["wrong-password", "not-found", "no-address", "lost"] as const) {
      it(`shows the true reason of a failure: ${reason}`, async () => {
        await submitted();
        phone.send({ type: "joinFailed", ssid: "home", reason });
        await phone.advance(1500);
        expect(phone.view()).to.equal("enter");
        expect(phone.element("alert").hidden).to.equal(false);
        expect(phone.text("alert")).to.equal(`Could not join home${SCRIPT_STRINGS.reasons[reason]}`);
      });
    }

    it("lets a wrong password be corrected and then joins", async () => {
      await submitted();
      phone.send({ type: "joinFailed", ssid: "home", reason: "wrong-password" });
      await phone.advance(1500);
      expect(phone.document.activeElement?.id).to.equal("password");
      expect(phone.input("password").value).to.equal("password");
      await phone.submit({ password: "right-password" });
      expect(phone.element("alert").hidden).to.equal(true);
      joinedHome();
      await phone.advance(1500);
      expect(phone.view()).to.equal("done");
      expect(phone.raised.map(({ type }) => type)).to.deep.equal([
        "credentialsSubmitted",
        "credentialsSubmitted",
        "tokenChosen",
      ]);
    });

    it("handles the phone losing the device while it joins", async () => {
      await submitted();
      phone.link = "down";
      await phone.advance(6000);
      expect(phone.text("progress-text")).to.equal(SCRIPT_STRINGS.away);
      joinedHome();
      phone.link = "up";
      await phone.advance(2500);
      expect(phone.view()).to.equal("done");
    });

    it("says where to find the device when the setup network does not come back", async () => {
      await submitted();
      phone.link = "down";
      await phone.advance(30_000);
      expect(phone.text("progress-text"))
        .to.include("joined home")
        .and.to.include("http://led-a1b2c3.local/");
    });

    it("does not submit twice when only the answer was lost", async () => {
      await phone.opened();
      await phone.click(phone.rows()[0]!);
      phone.link = "deaf";
      await phone.submit({ password: "password" });
      phone.link = "up";
      await phone.advance(3000);
      expect(phone.raised.length).to.equal(1);
      joinedHome();
      await phone.advance(1500);
      expect(phone.view()).to.equal("done");
    });

    it("submits again when the request itself was lost", async () => {
      await phone.opened();
      await phone.click(phone.rows()[0]!);
      phone.link = "down";
      await phone.submit({ password: "password" });
      await phone.advance(3500);
      expect(phone.raised.length).to.equal(0);
      phone.link = "up";
      await phone.advance(2500);
      expect(phone.raised.length).to.equal(1);
    });

    it("shows a hint after 20 s", async () => {
      await submitted();
      await phone.advance(25_000);
      expect(phone.text("progress-text")).to.equal(SCRIPT_STRINGS.long);
    });
  });

  describe("when it is opened later", () => {
    it("shows the result to a phone whose captive sheet was closed meanwhile", async () => {
      phone.send({ type: "online", address: "10.0.0.5", rssi: -50 });
      await phone.open();
      expect(phone.view()).to.equal("done");
      expect(phone.text("done-title")).to.equal("Connected");
    });

    it("continues with a join in progress", async () => {
      phone.scanned(HOME);
      const body = JSON.stringify({ ssid: "home", password: "password" });
      phone.send({
        type: "requestReceived",
        connection: 1,
        method: "POST",
        path: "/api/join",
        host: "",
        body,
      });
      await phone.open();
      expect(phone.view()).to.equal("progress");
      phone.send({ type: "joinFailed", ssid: "home", reason: "not-found" });
      await phone.advance(1500);
      expect(phone.view()).to.equal("enter");
      expect(phone.input("ssid").value).to.equal("home");
    });

    it("shows the list and why the saved network could not be joined", async () => {
      phone.send({ type: "joinFailed", ssid: "old", reason: "no-address" });
      await phone.opened();
      expect(phone.view()).to.equal("choose");
      expect(phone.text("alert")).to.include("old").and.to.include("DHCP");
    });

    it("names the device", async () => {
      await phone.opened();
      expect(phone.document.title).to.equal("Lamp");
      expect(phone.text("device")).to.equal("led-a1b2c3 · led 1.2.3");
    });
  });
});
