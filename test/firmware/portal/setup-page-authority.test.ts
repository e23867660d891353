// The authority of the owner's own update server on the setup page: pasted or from a file, checked by the device, stored before the network is joined.

import { expect } from "chai";
import { AUTHORITY_KEY } from "../../../firmware/core/settings/authority.js";
import { CERTIFICATE } from "../core/settings/certificate.js";
import { PhoneBrowser } from "./phone-browser.js";

const PEM = `-----BEGIN CERTIFICATE-----\n${CERTIFICATE.replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`;

describe("the owner's authority on the setup page", () => {
  let phone: PhoneBrowser;
  let stored: (string | undefined)[];

  async function choosing(values: Readonly<Record<string, string>> = {}): Promise<void> {
    phone = new PhoneBrowser(values);
    stored = [];
    const send = phone.send.bind(phone);
    phone.send = (event) => {
      const effects = send(event);
      for (const effect of effects)
        if (effect.type === "store" && effect.key === AUTHORITY_KEY) stored.push(effect.value);
      return effects;
    };
    phone.send({ type: "portalOpened" });
    await phone.opened();
    await phone.click(phone.rows()[0]!);
  }
  afterEach(() => {
    phone.close();
    expect(phone.errors).to.deep.equal([]);
  });
  const posts = () => phone.requests.filter(({ method }) => method === "POST");

  it("is not sent where nothing is entered", async () => {
    await choosing();
    await phone.submit({ password: "password" });
    expect(posts().map(({ path }) => path)).to.deep.equal(["/api/token", "/api/join"]);
  });

  it("is stored as pasted, before the name, the token and the network, and once only", async () => {
    await choosing();
    await phone.submit({ password: "password", "device-name": "Hall", "authority-text": PEM });
    expect(posts().map(({ path }) => path)).to.deep.equal([
      ...["/api/settings", "/api/settings", "/api/token", "/api/join"],
    ]);
    expect(stored).to.deep.equal([CERTIFICATE]);
    phone.send({ type: "joinFailed", ssid: "home", reason: "wrong-password" });
    await phone.advance(1500);
    await phone.submit({ password: "password2" });
    expect(stored).to.deep.equal([CERTIFICATE]);
  });

  it("is stored from a file, PEM or DER, and taken back when the next try is without it", async () => {
    for (const bytes of [Buffer.from(PEM), Buffer.from(CERTIFICATE, "base64")]) {
      phone?.close();
      await choosing();
      phone.choose("authority", bytes);
      await phone.submit({ password: "password" });
      expect(stored).to.deep.equal([CERTIFICATE]);
      expect(phone.local.preferences?.hasAuthority).to.equal(true);
    }
    phone.send({ type: "joinFailed", ssid: "home", reason: "wrong-password" });
    await phone.advance(1500);
    phone.choose("authority");
    await phone.submit({ password: "password2" });
    expect(phone.view()).to.equal("progress");
    expect(phone.local.preferences?.hasAuthority).to.equal(false);
  });

  it("that is none is refused with the device's sentence, and nothing is stored or joined", async () => {
    await choosing();
    for (const [text, sentence] of [
      [PEM.replaceAll("CERTIFICATE", "PRIVATE KEY"), "The authority is not base64."],
      [PEM + PEM, "The authority is not one certificate in PEM."],
      ["A".repeat(4_000), "The authority has 4000 characters; 1900 are allowed."],
      [PEM.slice(0, 500), "The authority is not one certificate in PEM."],
    ] as const) {
      await phone.submit({ password: "password", "authority-text": text });
      expect(phone.view()).to.equal("enter");
      expect(phone.text("alert")).to.include(sentence);
    }
    expect(stored).to.deep.equal([]);
    expect(posts().every(({ path }) => path === "/api/settings")).to.equal(true);
  });

  it("is not asked for where it may not be changed", async () => {
    await choosing({ "push.token": "owner-token-1" });
    expect(phone.element("device-part").hidden).to.equal(true);
  });
});
