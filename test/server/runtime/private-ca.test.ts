// The private authority and its certificates, as OpenSSL and Node see them.

import { execFileSync, spawnSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { addressBytes, makeServerCertificate } from "../../../server/runtime/certificates/certificate.js";
import { integer, oid, time } from "../../../server/runtime/certificates/der.js";
import { makeCertificates, readServerNames } from "../../../server/runtime/certificates/private-ca.js";

const NOW = Date.UTC(2026, 11, 1, 12);
const DAY_MS = 24 * 60 * 60_000;

describe("a private certification authority", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-ca-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const make = (hosts: readonly string[], addresses: readonly string[] = [], now = NOW) =>
    makeCertificates({ folder, names: readServerNames(hosts, addresses), now });
  const read = async (name: string) => new X509Certificate(await readFile(join(folder, name)));
  /** What OpenSSL says of a certificate for a name at a time. */
  const verify = (certificate: string, ...options: readonly string[]) => {
    const args = ["verify", "-x509_strict", "-attime", `${NOW / 1000}`, "-purpose", "sslserver"];
    const run = spawnSync("openssl", [...args, "-CAfile", join(folder, "ca.crt"), ...options, certificate]);
    return run.status === 0 ? "OK" : `${run.stderr}${run.stdout}`;
  };

  it("signs a certificate for names and addresses, which OpenSSL accepts for these alone", async () => {
    const made = await make(["Updates.Example.com", "skyslot"], ["192.168.1.10", "fd00::10"]);
    const { cert } = made.server;
    for (const host of ["updates.example.com", "skyslot"])
      expect(verify(cert, "-verify_hostname", host)).to.equal("OK");
    for (const ip of ["192.168.1.10", "fd00::10"]) expect(verify(cert, "-verify_ip", ip)).to.equal("OK");
    expect(verify(cert, "-verify_hostname", "example.com")).to.match(/hostname mismatch/i);
    expect(verify(cert, "-verify_ip", "192.168.1.11")).to.match(/IP address mismatch/i);
    expect((await read("server.crt")).subjectAltName).to.equal(
      "DNS:updates.example.com, DNS:skyslot, IP Address:192.168.1.10, IP Address:FD00:0:0:0:0:0:0:10",
    );
  });

  it("is valid for ten years, its certificates for 825 days, both also for clocks that are a day behind", async () => {
    const made = await make(["a.test"]);
    const [ca, server] = [await read("ca.crt"), await read("server.crt")];
    expect([Date.parse(ca.validFrom), Date.parse(server.validFrom)]).to.deep.equal([
      NOW - DAY_MS,
      NOW - DAY_MS,
    ]);
    expect(Date.parse(ca.validTo))
      .to.equal(NOW + 3652 * DAY_MS)
      .and.to.equal(made.caValidTo);
    expect(Date.parse(server.validTo))
      .to.equal(NOW + 824 * DAY_MS)
      .and.to.equal(made.serverValidTo);
    expect([ca.ca, server.ca]).to.deep.equal([true, false]);
    expect(made.caSha256).to.equal(ca.fingerprint256.replaceAll(":", "").toLowerCase());
    expect(await readFile(made.ca.der)).to.deep.equal(Buffer.from(ca.raw));
    expect(verify(made.server.cert, "-attime", `${NOW / 1000 + 825 * 86_400}`)).to.match(/expired/);
    expect(verify(made.server.cert, "-attime", `${NOW / 1000 - 2 * 86_400}`)).to.match(/not yet valid/);
  });

  it("keeps its private keys from other users, and writes over no authority", async () => {
    const made = await make(["a.test"]);
    for (const file of [made.ca.key, made.server.key])
      expect((await stat(file)).mode & 0o777).to.equal(0o600);
    await rm(made.ca.key);
    const failure = await make(["a.test"]).catch((error: NodeJS.ErrnoException) => error.code);
    expect(failure).to.equal("EEXIST");
    expect((await read("ca.crt")).fingerprint256.replaceAll(":", "").toLowerCase()).to.equal(made.caSha256);
  });

  it("signs another certificate with a new key, and stays the same", async () => {
    const first = await make(["a.test"]);
    const before = await read("server.crt");
    const second = await make(["a.test"], ["10.0.0.7"], NOW + 800 * DAY_MS);
    const after = await read("server.crt");
    expect([first.isCaNew, second.isCaNew, second.caSha256]).to.deep.equal([true, false, first.caSha256]);
    expect(after.checkPrivateKey(createPrivateKey(await readFile(second.server.key)))).to.equal(true);
    expect(after.publicKey.equals(before.publicKey)).to.equal(false);
    expect(
      verify(second.server.cert, "-attime", `${NOW / 1000 + 900 * 86_400}`, "-verify_ip", "10.0.0.7"),
    ).to.equal("OK");
  });

  it("counts for its names and what is below them, and for private addresses", async () => {
    const { ca } = await make(["home.test"], ["203.0.113.5"]);
    const issuer = {
      name: (await read("ca.crt")).subject.slice(3),
      privateKey: createPrivateKey(await readFile(ca.key)),
    };
    const verdict = async (hosts: readonly string[], addresses: readonly string[]) => {
      const validity = { from: NOW - DAY_MS, to: NOW + DAY_MS };
      const names = { hosts, addresses };
      const der = makeServerCertificate(issuer, (await read("server.crt")).publicKey, names, validity);
      const file = join(folder, "other.crt");
      await writeFile(file, new X509Certificate(der).toString());
      return verify(file);
    };
    expect(await verdict(["ota.home.test"], [])).to.equal("OK");
    expect(await verdict([], ["192.168.7.7", "fe80::7"])).to.equal("OK");
    expect(await verdict([], ["203.0.113.5"])).to.equal("OK");
    expect(await verdict(["bank.example"], [])).to.match(/permitted subtree violation/);
    expect(await verdict([], ["203.0.113.6"])).to.match(/permitted subtree violation/);
    expect(await verdict([], ["2001:db8::1"])).to.match(/permitted subtree violation/);
  });

  it("permits no name where only addresses were given", async () => {
    const { ca } = await make([], ["192.168.1.10"]);
    const text = execFileSync("openssl", [
      "x509",
      "-in",
      ca.pem,
      "-noout",
      "-ext",
      "nameConstraints",
    ]).toString();
    expect(text).to.contain("DNS:invalid").and.to.contain("IP:192.168.1.10/255.255.255.255");
  });

  it("locks its key with a passphrase, and opens it with no other", async () => {
    const names = readServerNames(["a.test"], []);
    const open = (secret?: string) =>
      makeCertificates({
        folder,
        names,
        now: NOW,
        locks: true,
        ...(secret === undefined ? {} : { passphrase: async () => secret }),
      });
    await open("correct horse");
    expect(await readFile(join(folder, "ca.key"), "utf8")).to.contain("BEGIN ENCRYPTED PRIVATE KEY");
    expect((await open("correct horse")).isCaNew).to.equal(false);
    const cert = await readFile(join(folder, "server.crt"));
    for (const wrong of ["battery staple", undefined]) {
      const message = await open(wrong).then(
        () => "opened",
        (error: Error) => error.message,
      );
      expect(message).to.match(/does not open with this passphrase|is locked with a passphrase/);
    }
    expect(await readFile(join(folder, "server.crt"))).to.deep.equal(cert);
  });

  it("refuses a key that is not its own, and signs nothing once it has expired", async () => {
    const made = await make(["a.test"]);
    const late = await make(["a.test"], [], NOW + 3653 * DAY_MS).catch((error: Error) => error.message);
    expect(late).to.match(/ca\.crt expired on 2036-11-30/);
    await writeFile(made.ca.key, await readFile(made.server.key));
    const strange = await make(["a.test"]).catch((error: Error) => error.message);
    expect(strange).to.match(/does not belong to ca\.crt/);
  });

  it("ends a certificate with itself", async () => {
    await make(["a.test"]);
    const late = await make(["a.test"], [], NOW + 3600 * DAY_MS);
    expect(late.serverValidTo).to.equal(late.caValidTo);
  });

  it("takes names and addresses, and says what is neither", () => {
    expect(readServerNames(["A.test", "a.TEST"], ["::1"])).to.deep.equal({
      hosts: ["a.test"],
      addresses: ["::1"],
    });
    const refused = (hosts: readonly string[], addresses: readonly string[]) => {
      try {
        return `taken: ${JSON.stringify(readServerNames(hosts, addresses))}`;
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(refused([], [])).to.contain("needs a name");
    expect(refused(["10.0.0.1"], [])).to.contain("--ip 10.0.0.1");
    for (const host of [
      "",
      "a b",
      "*.test",
      "a..b",
      "-a.test",
      "a.test/x",
      `${"a".repeat(64)}.test`,
      "ü.test",
    ])
      expect(refused([host], []), host).to.contain("is not a host name");
    for (const ip of ["", "1.2.3", "1.2.3.256", "fe80::1%eth0", "a.test"])
      expect(refused([], [ip]), ip).to.contain("is not an IP address");
  });
});

describe("DER", () => {
  it("writes integers without a sign and without zeros in front", () => {
    const hex = (...bytes: readonly number[]) => integer(Buffer.from(bytes)).toString("hex");
    expect([hex(), hex(0), hex(0, 0, 1), hex(0x7f), hex(0x80), hex(0, 0xff)]).to.deep.equal([
      "020100",
      "020100",
      "020101",
      "02017f",
      "02020080",
      "020200ff",
    ]);
  });

  it("writes object identifiers in base 128, and years after 2049 with four digits", () => {
    expect(oid("1.2.840.10045.4.3.2").toString("hex")).to.equal("06082a8648ce3d040302");
    expect(time(Date.UTC(2049, 11, 31, 23, 59, 59)).toString("latin1", 2)).to.equal("491231235959Z");
    expect(time(Date.UTC(2050, 0, 1)).toString("latin1", 2)).to.equal("20500101000000Z");
  });

  it("writes addresses of both kinds", () => {
    expect(addressBytes("192.168.0.1").toString("hex")).to.equal("c0a80001");
    expect(addressBytes("::1").toString("hex")).to.equal(`${"0".repeat(31)}1`);
    expect(addressBytes("2001:db8::5:0:1").toString("hex")).to.equal("20010db8000000000000000500000001");
    expect(addressBytes("::ffff:10.0.0.1").toString("hex")).to.equal("00000000000000000000ffff0a000001");
  });
});
