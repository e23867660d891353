// The kind: a chain of certificates that somebody between a device and its server could show. It is taken only if a trusted authority has
// signed it for this name and this time: the device's time, whatever this computer's clock says.

import { X509Certificate } from "node:crypto";
import { expect } from "chai";
import { chainProblem, type Judgement } from "../../../host-sim/network/tls-chain.js";
import { type Authority, makeAuthority } from "../../journey/authority.js";

const NOW = 1_795_000_000;
const DAY = 86_400;
const HOST = "updates.skyslot.test";

describe("a chain of certificates", () => {
  const authority = makeAuthority(NOW);
  const der = (pem: string) => new Uint8Array(new X509Certificate(pem).raw);
  const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"));
  const judged = (
    chain: readonly Uint8Array[],
    changes: Partial<Judgement> = {},
    by: Authority = authority,
  ) =>
    chainProblem(chain, {
      host: HOST,
      authorities: [bytes(by.certificate)],
      earliest: NOW,
      told: NOW,
      ...changes,
    });
  const own = der(authority.serverFor(HOST).cert);

  it("by the authority, for this host and now, is good, with or without the authority's own certificate", () => {
    expect(judged([own])).equal(undefined);
    expect(judged([own, bytes(authority.certificate)])).equal(undefined);
    expect(judged([own], { told: 0 })).equal(undefined);
    const address = der(authority.serverFor("192.168.1.10").cert);
    expect(judged([address], { host: "192.168.1.10" })).equal(undefined);
  });

  it("for another host is not", () => {
    for (const host of ["skyslot.test", "other.skyslot.test", `x.${HOST}`, "192.168.1.10", ""])
      expect(judged([own], { host }), host).equal("wrong host");
    expect(judged([der(authority.serverFor("192.168.1.11").cert)], { host: "192.168.1.10" })).equal(
      "wrong host",
    );
  });

  it("by nobody whom the device trusts is not: another authority of the same name, none at all, one's own", () => {
    const stranger = makeAuthority(NOW);
    const theirs = der(stranger.serverFor(HOST).cert);
    expect(judged([theirs])).equal("untrusted");
    expect(judged([theirs, bytes(stranger.certificate)])).equal("untrusted");
    expect(judged([own], { authorities: [] })).equal("untrusted");
    expect(judged([bytes(stranger.certificate)])).equal("untrusted");
    expect(judged([])).equal("untrusted");
  });

  it("by another server of the same authority is not: a server's certificate signs nothing", () => {
    const server = authority.serverFor("other.skyslot.test");
    const forged = authority.signedBy(server, HOST);
    expect(judged([der(forged.cert), der(server.cert)])).equal("untrusted");
  });

  it("that was over before the device's floor has expired, and only then", () => {
    const old = der(authority.serverFor(HOST, [-100, -3]).cert);
    expect(judged([old])).equal("expired");
    expect(judged([old], { earliest: NOW - 4 * DAY }), "the floor is behind, and only that counts").equal(
      undefined,
    );
    expect(judged([own], { earliest: NOW + 91 * DAY })).equal("expired");
    expect(judged([own], { earliest: NOW + 2_000 * DAY, told: 0 })).equal("expired");
  });

  it("that begins after what a server has said is not valid yet; without such a time nobody knows", () => {
    const next = der(authority.serverFor(HOST, [1, 90]).cert);
    expect(judged([next])).equal("not yet valid");
    expect(judged([next], { told: NOW + 2 * DAY })).equal(undefined);
    expect(judged([next], { told: 0 })).equal(undefined);
  });
});
