// What an owner pastes or sends as the authority of a server at home: one certificate, in PEM or DER; anything else is refused with a sentence.

import { expect } from "chai";
import {
  buildAuthorities,
  MAX_AUTHORITY_LENGTH,
  readAuthority,
} from "../../../../firmware/core/settings/authority.js";
import { readSettings } from "../../../../firmware/core/settings/preferences.js";
import { CERTIFICATE as certificate } from "./certificate.js";

const pem = (base64: string, line = "\n") =>
  `-----BEGIN CERTIFICATE-----${line}${base64.replace(/.{64}/g, `$&${line}`)}${line}-----END CERTIFICATE-----${line}`;

/** A private key of RSA, DER: as long as its head says, but no certificate. */
const KEY = Buffer.concat([Buffer.from("30820200020100300d", "hex"), Buffer.alloc(507)]).toString("base64");

describe("the owner's authority", () => {
  it("is taken as PEM, with any line ends and words around it, or as base64", () => {
    for (const text of [
      certificate,
      `${certificate}\n`,
      pem(certificate),
      pem(certificate, "\r\n"),
      `CA of home\n${pem(certificate)}`,
    ])
      expect(readAuthority(text)).deep.equal({ ok: true, value: certificate });
    expect(readAuthority(""), "none").deep.equal({ ok: true, value: "" });
  });

  it("is refused if it is anything else, or not whole", () => {
    const key = pem(certificate).replaceAll("CERTIFICATE", "PRIVATE KEY");
    const texts = [
      " ",
      "x",
      "AAAA",
      key,
      pem(certificate) + pem(certificate),
      `${certificate}AAAA`,
      certificate.slice(0, -4),
      certificate.slice(4),
      KEY,
      `${certificate.slice(0, -1)}ü`,
      "A".repeat(MAX_AUTHORITY_LENGTH + 4),
      pem(certificate).slice(10),
      "-----END CERTIFICATE-----",
      "constructor",
    ];
    for (const text of texts) {
      const read = readAuthority(text);
      if (read.ok) expect.fail(`${text.slice(0, 40)} was taken`);
      expect(read.failure.message).match(/^The authority [ -~]{5,80}\.$/);
    }
  });

  it("of a build is what its config names, as a list or as a text of mcconfig's command line", () => {
    const all = ["PUBLIC1", "PUBLIC2"];
    for (const named of [undefined, "", [], ["public"], "public"])
      expect(buildAuthorities(named, all), `${named}`).deep.equal(all);
    expect(buildAuthorities(["MIIB"], all)).deep.equal(["MIIB"]);
    expect(buildAuthorities("MIIB==,MIIC", all)).deep.equal(["MIIB==", "MIIC"]);
    expect(buildAuthorities("MIIB,public", all)).deep.equal(["MIIB", ...all]);
  });

  it("comes with a change of settings, alone or with the server", () => {
    const change = readSettings(JSON.stringify({ server: "https://home.lan", authority: pem(certificate) }));
    expect(change.ok && change.value).include({ server: "https://home.lan", authority: certificate });
    expect(readSettings('{"authority":5}').ok).equal(false);
    expect(readSettings('{"authority":"x"}').ok).equal(false);
  });
});
