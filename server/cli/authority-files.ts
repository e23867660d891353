// Certification authorities that are built into an image, read from files and checked: an image whose authority is no use reaches no server, and then no
// update mends it.

import type { X509Certificate } from "node:crypto";
import { createdNow } from "./manifest-files.js";
import { UsageError } from "./output.js";

/** A device has one in memory during a handshake, in DER: an RSA key of 4096 bits with long names fits. */
const MAX_BYTES = 2_048;
/** As many as the public ones, which a handshake has room for besides. */
const MAX_COUNT = 8;
const LEAST_RSA_BITS = 2048;

/** What stands for the public authorities in a build's list (firmware/core/settings/authority.ts). */
const PUBLIC = "public";

/**
 * The `authorities` of a build.
 * @param files PEM, with one certificate or several, or DER
 * @param withPublic whether the public authorities are trusted as well
 * @throws UsageError with a sentence that names the file
 */
export async function readAuthorities(
  files: readonly string[],
  withPublic = false,
): Promise<readonly string[]> {
  const found = (await Promise.all(files.map(readFileOf))).flat();
  const texts = [...new Set(found.map(({ raw }) => raw.toString("base64")))];
  if (texts.length > MAX_COUNT)
    throw new UsageError(`${texts.length} authorities are given; a device has room for ${MAX_COUNT}`);
  return withPublic ? [...texts, PUBLIC] : texts;
}

async function readFileOf(file: string): Promise<X509Certificate[]> {
  const { readFile } = await import("node:fs/promises");
  const bytes = await readFile(file);
  const certificates = await certificatesIn(bytes, file);
  const now = createdNow() * 1000;
  for (const one of certificates) {
    const problem = problemOf(one, now);
    if (problem) throw new UsageError(`${file} ${problem}`);
  }
  return certificates;
}

async function certificatesIn(bytes: Buffer, file: string): Promise<X509Certificate[]> {
  const { X509Certificate } = await import("node:crypto");
  const text = bytes.toString("latin1");
  if (text.includes("PRIVATE KEY-----"))
    throw new UsageError(`${file} holds a private key: give the authority's certificate, such as tls/ca.crt`);
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  try {
    return (blocks ?? [bytes]).map((each) => new X509Certificate(each));
  } catch {
    throw new UsageError(
      `${file} is not a certificate in PEM or DER, such as tls/ca.crt of \`skyslot keys tls\``,
    );
  }
}

/** What goes behind the file's name. */
function problemOf(one: X509Certificate, now: number): string | undefined {
  const end = Date.parse(one.validTo);
  const { asymmetricKeyType: kind, asymmetricKeyDetails: details } = one.publicKey;
  const bits = details?.modulusLength ?? 0;
  if (!one.ca)
    return `is the certificate of ${nameOf(one)}, which is no certification authority: give the one that has signed it`;
  if (end <= now) return `expired on ${new Date(end).toISOString().slice(0, 10)}`;
  if (one.raw.length > MAX_BYTES)
    return `has a certificate of ${one.raw.length} bytes; ${MAX_BYTES} are allowed, for the sake of a device's memory`;
  if (kind === "rsa" && bits < LEAST_RSA_BITS)
    return `has an RSA key of ${bits} bits; devices accept ${LEAST_RSA_BITS} and more`;
  if (kind !== "rsa" && kind !== "ec") return `has a key of the kind ${kind}; devices verify RSA and ECDSA`;
  return undefined;
}

const nameOf = ({ subject }: X509Certificate): string =>
  /^CN=(.*)$/m.exec(subject ?? "")?.[1] ?? "somebody without a name";
