// Writes firmware/platform/public-authorities.ts: of the certification authorities that Node.js trusts (Mozilla's list) those that sign for most
// servers a device downloads from: Let's Encrypt, Google, Amazon, DigiCert, Cloudflare. Run it when one of them is replaced.

import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import { fileURLToPath } from "node:url";

/** Common names. */
const NAMES: readonly string[] = [
  "ISRG Root X1",
  "ISRG Root X2",
  "GTS Root R1",
  "GTS Root R2",
  "GTS Root R3",
  "GTS Root R4",
  "DigiCert Global Root G2",
];
const FILE = fileURLToPath(new URL("../firmware/platform/public-authorities.ts", import.meta.url));

const certificates = rootCertificates.map((text) => new X509Certificate(text));
const entries = NAMES.map((name) => {
  const found = certificates.find(({ subject }) => subject.split("\n").includes(`CN=${name}`));
  if (!found) throw new Error(`Node.js ${process.version} does not trust "${name}"`);
  return `  // ${name}, until ${new Date(found.validTo).toISOString().slice(0, 10)}, SHA-256 ${found.fingerprint256.replaceAll(":", "").toLowerCase()}
  "${found.raw.toString("base64")}",`;
});

writeFileSync(
  FILE,
  `// Public certification authorities that a device trusts if its build names no others ("authorities" of its config): DER, base64. Written by
// scripts/public-authorities.ts.

export const PUBLIC_AUTHORITIES: readonly string[] = Object.freeze([
${entries.join("\n")}
]);
`,
);
