// Makes the two certificates that a server at home needs: that of a private certification authority, and one of a server that it signs (X.509 v3,
// RFC 5280, P-256 and SHA-256). It makes no others, and never reads one.
//
// Why no library: node:crypto reads certificates but makes none. @peculiar/x509 is well kept (2.2.0, 2026), but brings twenty packages and 5 MB, from CMS to
// dependency injection, and still no name constraints; node-forge has no elliptic curves; selfsigned stands on the first. What these two need is
// this file; its output is checked with OpenSSL, GnuTLS and curl.

import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";
import * as der from "./der.js";

/** Names of a server: of DNS, and addresses. */
export interface ServerNames {
  readonly hosts: readonly string[];
  /** IPv4 or IPv6. */
  readonly addresses: readonly string[];
}

export interface Validity {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
}

export interface Issuer {
  readonly name: string;
  readonly privateKey: KeyObject;
}

const OID = Object.freeze({
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  subjectKeyId: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  authorityKeyId: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
});

/** Numbers of GeneralName. */
const DNS_NAME = 2;
const IP_ADDRESS = 7;

/** Addresses that nobody but their own network can reach; a server may get another one of them from its router. */
const PRIVATE_NETWORKS: readonly string[] = Object.freeze([
  "7f000000ff000000",
  "0a000000ff000000",
  "ac100000fff00000",
  "c0a80000ffff0000",
  "a9fe0000ffff0000",
  `00000000000000000000000000000001${"f".repeat(32)}`,
  `fc00${"0".repeat(28)}fe00${"0".repeat(28)}`,
  `fe80${"0".repeat(28)}ffc0${"0".repeat(28)}`,
]);
/** Only shown. With spaces, because OpenSSL checks a subject that could be a host against the constraints. */
const SERVER_NAME = "Skyslot update server";
/** Permits no name at all, where names are constrained and none is given (RFC 2606: it does not exist). */
const NO_HOST = "invalid";

/**
 * The authority's own certificate. What it signs counts for these names, for what is below them, and for addresses of private networks only: who steals
 * its key cannot stand between its owner and anything else.
 *
 * @param ca its `name` is the subject
 * @returns DER
 */
export function makeCaCertificate(ca: Issuer, names: ServerNames, validity: Validity): Buffer {
  const publicKey = spkiOf(ca.privateKey);
  return makeCertificate(ca, ca.name, publicKey, validity, [
    extension(OID.basicConstraints, true, der.sequence(der.truth(), der.integer(Buffer.from([0])))),
    // keyCertSign
    extension(OID.keyUsage, true, der.bitString(Buffer.from([0x04]), 2)),
    // Not critical, against RFC 5280: mbedTLS, as on an ESP32, refuses what it does not know. OpenSSL, GnuTLS and browsers check it all the same.
    extension(OID.nameConstraints, false, nameConstraints(names)),
  ]);
}

/** @returns DER */
export function makeServerCertificate(
  ca: Issuer,
  publicKey: KeyObject,
  names: ServerNames,
  validity: Validity,
): Buffer {
  const spki = publicKey.export({ type: "spki", format: "der" });
  return makeCertificate(ca, SERVER_NAME, spki, validity, [
    extension(OID.basicConstraints, true, der.sequence()),
    // digitalSignature
    extension(OID.keyUsage, true, der.bitString(Buffer.from([0x80]), 7)),
    extension(OID.extendedKeyUsage, false, der.sequence(der.oid(OID.serverAuth))),
    extension(OID.subjectAltName, false, der.sequence(...generalNames(names))),
  ]);
}

function makeCertificate(
  issuer: Issuer,
  subject: string,
  spki: Buffer,
  { from, to }: Validity,
  extensions: readonly Buffer[],
): Buffer {
  const algorithm = der.sequence(der.oid(OID.ecdsaWithSha256));
  const issuerKeyId = der.tagAs(0, keyIdOf(spkiOf(issuer.privateKey)));
  const body = der.sequence(
    // version 3
    der.tagged(0, der.integer(Buffer.from([2]))),
    der.integer(randomBytes(16)),
    algorithm,
    nameOf(issuer.name),
    der.sequence(der.time(from), der.time(to)),
    nameOf(subject),
    spki,
    der.tagged(
      3,
      der.sequence(
        ...extensions,
        extension(OID.subjectKeyId, false, der.octetString(keyIdOf(spki))),
        // Of the authority too: clients that look for the root by this name find it.
        extension(OID.authorityKeyId, false, der.sequence(issuerKeyId)),
      ),
    ),
  );
  return der.sequence(body, algorithm, der.bitString(sign("sha256", body, issuer.privateKey)));
}

const spkiOf = (privateKey: KeyObject): Buffer =>
  createPublicKey(privateKey).export({ type: "spki", format: "der" });

/** The last 65 bytes of the public key's description are its point; named by their SHA-256, shortened (RFC 7093, 2). */
export const keyIdOf = (spki: Buffer): Buffer =>
  createHash("sha256").update(spki.subarray(-65)).digest().subarray(0, 20);

const nameOf = (text: string): Buffer =>
  der.sequence(der.set(der.sequence(der.oid(OID.commonName), der.utf8(text))));

const extension = (id: string, isCritical: boolean, value: Buffer): Buffer =>
  der.sequence(der.oid(id), ...(isCritical ? [der.truth()] : []), der.octetString(value));

function generalNames({ hosts, addresses }: ServerNames): Buffer[] {
  return [
    ...hosts.map((host) => der.tagAs(DNS_NAME, Buffer.from(host))),
    ...addresses.map((address) => der.tagAs(IP_ADDRESS, addressBytes(address))),
  ];
}

function nameConstraints({ hosts, addresses }: ServerNames): Buffer {
  const dns = (hosts.length > 0 ? hosts : [NO_HOST]).map((host) => der.tagAs(DNS_NAME, Buffer.from(host)));
  const networks = [
    ...PRIVATE_NETWORKS.map((hex) => Buffer.from(hex, "hex")),
    ...addresses.map(addressBytes).map((bytes) => Buffer.concat([bytes, Buffer.alloc(bytes.length, 0xff)])),
  ].map((bytes) => der.tagAs(IP_ADDRESS, bytes));
  return der.sequence(der.tagged(0, ...[...dns, ...networks].map((base) => der.sequence(base))));
}

/** @param address of IPv4 or IPv6, without a zone */
export function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  // The URL parser writes what embeds an IPv4 address as hexadecimal groups too.
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = "", tail] = text.split("::");
  const groupsOf = (part: string) => (part === "" ? [] : part.split(":"));
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros: string[] = Array(8 - before.length - after.length).fill("0");
  const groups = [...before, ...zeros, ...after];
  return Buffer.from(groups.map((group) => group.padStart(4, "0")).join(""), "hex");
}
