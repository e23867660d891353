// The device's name on the setup page: offered to whoever sets up a new device, and stored with the first step.

import { expect } from "chai";
import { PhoneBrowser } from "./phone-browser.js";

describe("the device's name on the setup page", () => {
  let phone: PhoneBrowser;

  afterEach(() => {
    phone.close();
    expect(phone.errors).to.deep.equal([]);
  });

  async function choosing(stored: Readonly<Record<string, string>> = {}): Promise<void> {
    phone = new PhoneBrowser(stored);
    phone.send({ type: "portalOpened" });
    await phone.opened();
    await phone.click(phone.rows()[0]!);
  }
  const sent = () =>
    phone.requests.filter(({ method, path }) => method === "POST" && path === "/api/settings");

  it("is offered in the first step, and stored before the network is joined", async () => {
    await choosing();
    expect(phone.element("device-part").hidden).to.equal(false);
    expect(phone.input("device-name").value).to.equal("Lamp");
    await phone.submit({ password: "password", "device-name": " Küchenlicht <1> " });
    expect(phone.local.preferences?.deviceName).to.equal("Küchenlicht <1>");
    expect(phone.text("title")).to.equal("Küchenlicht <1>");
    expect(phone.requests.filter(({ method }) => method === "POST").map(({ path }) => path)).to.deep.equal([
      "/api/settings",
      "/api/token",
      "/api/join",
    ]);
    expect(phone.view()).to.equal("progress");
  });

  it("is not sent unchanged, and once only", async () => {
    await choosing();
    await phone.submit({ password: "password" });
    expect(sent()).to.deep.equal([]);
    phone.send({ type: "joinFailed", ssid: "home", reason: "wrong-password" });
    await phone.advance(1500);
    await phone.submit({ password: "password2", "device-name": "Lamp 2" });
    phone.send({ type: "joinFailed", ssid: "home", reason: "wrong-password" });
    await phone.advance(1500);
    await phone.submit({ password: "password3" });
    expect(sent().map(({ body }) => body)).to.deep.equal(['{"deviceName":"Lamp 2"}']);
    expect(phone.input("device-name").value).to.equal("Lamp 2");
  });

  it("may be left out: the device keeps the one that it has", async () => {
    await choosing();
    await phone.submit({ password: "password", "device-name": "" });
    expect(phone.local.preferences?.deviceName).to.equal("");
    expect(phone.text("title")).to.equal("Lamp");
    expect(phone.view()).to.equal("progress");
  });

  it("is not asked for where it may not be changed", async () => {
    for (const stored of [{ "push.token": "owner-token-1" }, { networks: '[["old","password"]]' }]) {
      await choosing(stored);
      expect(phone.element("device-part").hidden).to.equal(true);
      await phone.submit({ password: "password" });
      expect(sent()).to.deep.equal([]);
      phone.close();
    }
  });
});
