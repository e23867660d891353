// A certification authority for tests, and servers' certificates by it.

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  X509Certificate,
} from "node:crypto";
import type { TlsIdentity } from "../../host-sim/network/tls-stream.js";
import {
  type Issuer,
  makeCaCertificate,
  makeServerCertificate,
  type ServerNames,
} from "../../server/runtime/certificates/certificate.js";

const DAY_MS = 86_400_000;

export interface Authority {
  /** DER, base64: as a build's `authorities`. */
  readonly certificate: string;
  /** @param days from and to: valid, counted from now */
  serverFor(host: string, days?: readonly [number, number]): TlsIdentity;
  /** What somebody makes who has this server's key, and would like to be an authority. */
  signedBy(server: TlsIdentity, host: string): TlsIdentity;
}

/** @param now seconds since 1970 */
export function makeAuthority(now: number, name = "Test authority"): Authority {
  const issuer = { name, privateKey: newKey() };
  const validity = ([from, to]: readonly [number, number]) => ({
    from: now * 1000 + from * DAY_MS,
    to: now * 1000 + to * DAY_MS,
  });
  const names: ServerNames = { hosts: ["test"], addresses: [] };
  const certified = (by: Issuer, host: string, days: readonly [number, number]): TlsIdentity => {
    const privateKey = newKey();
    const isAddress = /^[\d.]+$/.test(host);
    const own = isAddress ? { hosts: [], addresses: [host] } : { hosts: [host], addresses: [] };
    const certificate = makeServerCertificate(by, createPublicKey(privateKey), own, validity(days));
    return { cert: pem(certificate), key: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
  };
  return {
    certificate: makeCaCertificate(issuer, names, validity([-1_000, 1_000])).toString("base64"),
    serverFor: (host, days = [-1, 90]) => certified(issuer, host, days),
    signedBy({ cert, key }, host) {
      const name = /^CN=(.*)$/m.exec(new X509Certificate(cert).subject)?.[1] ?? "";
      return certified({ name, privateKey: createPrivateKey(key) }, host, [-1, 90]);
    },
  };
}

const newKey = (): KeyObject => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;

const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString("base64").replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`;
