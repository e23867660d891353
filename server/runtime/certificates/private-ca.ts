// A private certification authority and the certificate of a server, in one folder. The authority is made once and kept: devices are built with its
// certificate. The server's certificate is made anew whenever it is asked for, with a new key.
//
//   ca.crt   the authority, PEM     ca.der   the same, for images     ca.key   its private key, 0600, may have a passphrase
//   server.crt  the server's certificate and the authority's, PEM     server.key  the server's private key, 0600

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  X509Certificate,
} from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import {
  type Issuer,
  keyIdOf,
  makeCaCertificate,
  makeServerCertificate,
  type ServerNames,
  type Validity,
} from "./certificate.js";

export interface MadeCertificates {
  readonly names: ServerNames;
  readonly ca: { readonly pem: string; readonly der: string; readonly key: string };
  readonly server: { readonly cert: string; readonly key: string };
  /** SHA-256 of the authority's DER, hexadecimal. */
  readonly caSha256: string;
  /** Milliseconds since 1970. */
  readonly caValidTo: number;
  readonly serverValidTo: number;
  readonly isCaNew: boolean;
}

export interface CertificateOptions {
  readonly folder: string;
  readonly names: ServerNames;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Asked for the passphrase of the authority's key, when it has one. */
  readonly passphrase?: (() => Promise<string>) | undefined;
  /** Whether a new authority's key gets one. */
  readonly locks?: boolean | undefined;
}

const DAY_MS = 24 * 60 * 60_000;
const CA_DAYS = 3_652;
/** What browsers and Apple's devices accept at most from a private authority. */
const SERVER_DAYS = 825;
/** Clocks that are behind. */
const EARLIER_MS = DAY_MS;
const PRIVATE = 0o600;

/** @throws Error with a sentence for the operator; nothing that was there is lost */
export async function makeCertificates(options: CertificateOptions): Promise<MadeCertificates> {
  const { folder, names, now } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = (name: string) => join(folder, name);
  const found = await openCa(options);
  const ca = found ?? (await makeCa(options));
  const certificate = new X509Certificate(ca.der);
  const caValidTo = Date.parse(certificate.validTo);
  if (caValidTo <= now)
    throw new Error(
      `${file("ca.crt")} expired on ${dateOf(caValidTo)}: make a new authority in another folder`,
    );
  const { publicKey, privateKey } = makeKeyPair();
  // Not longer than the authority, which would end it anyway.
  const validity = {
    from: now - EARLIER_MS,
    to: Math.min(now - EARLIER_MS + SERVER_DAYS * DAY_MS, caValidTo),
  };
  const der = makeServerCertificate(ca.issuer, publicKey, names, validity);
  await replace(file("server.key"), pemOf(privateKey), PRIVATE);
  await replace(file("server.crt"), `${pem(der)}${pem(ca.der)}`, 0o644);
  return {
    names,
    ca: { pem: file("ca.crt"), der: file("ca.der"), key: file("ca.key") },
    server: { cert: file("server.crt"), key: file("server.key") },
    caSha256: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    caValidTo,
    serverValidTo: Math.floor(validity.to / 1000) * 1000,
    isCaNew: found === undefined,
  };
}

/** @returns lower case, as they go into a certificate. @throws Error */
export function readServerNames(hosts: readonly string[], addresses: readonly string[]): ServerNames {
  if (hosts.length + addresses.length === 0)
    throw new Error(
      "a certificate needs a name: --host NAME or --ip ADDRESS, as devices will call the server",
    );
  for (const address of addresses)
    if (isIP(address) === 0 || address.includes("%")) throw new Error(`"${address}" is not an IP address`);
  for (const host of hosts) {
    if (isIP(host) !== 0) throw new Error(`${host} is an address: give it as --ip ${host}`);
    if (host.length > 253 || !HOST.test(host))
      throw new Error(`"${host}" is not a host name such as updates.example.com`);
  }
  const unique = (texts: readonly string[]) => [...new Set(texts.map((text) => text.toLowerCase()))];
  return { hosts: unique(hosts), addresses: unique(addresses) };
}

const HOST = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

interface Ca {
  readonly issuer: Issuer;
  readonly der: Buffer;
}

/** `undefined`: there is none. */
async function openCa({ folder, passphrase }: CertificateOptions): Promise<Ca | undefined> {
  const file = join(folder, "ca.key");
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  const certificate = new X509Certificate(await readFile(join(folder, "ca.crt")));
  const privateKey = await openKey(text, file, passphrase);
  if (!certificate.checkPrivateKey(privateKey))
    throw new Error(`${file} does not belong to ca.crt beside it`);
  return { issuer: { name: certificate.subject.replace(/^CN=/, ""), privateKey }, der: certificate.raw };
}

async function openKey(
  text: string,
  file: string,
  passphrase: CertificateOptions["passphrase"],
): Promise<KeyObject> {
  if (!text.includes("ENCRYPTED")) return createPrivateKey(text);
  if (!passphrase) throw new Error(`${file} is locked with a passphrase`);
  const given = await passphrase();
  try {
    return createPrivateKey({ key: text, passphrase: given });
  } catch (error) {
    throw new Error(`${file} does not open with this passphrase`, { cause: error });
  }
}

async function makeCa({ folder, names, now, passphrase, locks }: CertificateOptions): Promise<Ca> {
  const { publicKey, privateKey } = makeKeyPair();
  const id = keyIdOf(publicKey.export({ type: "spki", format: "der" })).toString("hex", 0, 4);
  // One authority's name in a list of them, as in a browser.
  const issuer = { name: `Skyslot private CA ${id}`, privateKey };
  const validity: Validity = { from: now - EARLIER_MS, to: now + CA_DAYS * DAY_MS };
  const der = makeCaCertificate(issuer, names, validity);
  const secret = locks && passphrase ? await passphrase() : undefined;
  // An authority is never overwritten: devices that trust it could no longer be reached.
  const write = (name: string, content: string | Buffer, mode: number) =>
    writeFile(join(folder, name), content, { mode, flag: "wx" });
  await write("ca.crt", pem(der), 0o644);
  await write("ca.der", der, 0o644);
  // The last one: without it the next attempt says what is in its way.
  await write("ca.key", pemOf(privateKey, secret), PRIVATE);
  return { issuer, der };
}

function makeKeyPair(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

const pemOf = (key: KeyObject, passphrase?: string): string =>
  key
    .export({
      type: "pkcs8",
      format: "pem",
      ...(passphrase === undefined ? {} : { cipher: "aes-256-cbc", passphrase }),
    })
    .toString();

const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString("base64").replace(/(.{64})(?!$)/g, "$1\n")}\n-----END CERTIFICATE-----\n`;

/** A server that reads it meanwhile sees the old one or the new one. */
async function replace(file: string, text: string, mode: number): Promise<void> {
  const draft = `${file}.new`;
  await writeFile(draft, text, { mode });
  await rename(draft, file);
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
