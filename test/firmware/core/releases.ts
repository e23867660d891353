// A release as the device sees one: its payload, and the text that carries it. The signature is fake: core passes it on to be
// verified, and the tests supply the result.

/** Of `base` 1.1.0: three chunks. */
const FACTS = Object.freeze({
  type: "base",
  hardware: "esp32",
  chip: "esp32",
  version: "1.1.0",
  build: 0,
  size: 40_000,
  sha256: "b".repeat(64),
  imageSha256: "c".repeat(64),
  chunkSize: 16_384,
  securityVersion: 0,
  protocolVersion: 1,
  created: 1_790_000_000,
});
export const PAYLOAD = Object.freeze({
  format: 1,
  ...FACTS,
  chunks: Buffer.alloc(96, 7).toString("base64url"),
});
/** The same with the digest of its one page. */
export const PAGED = Object.freeze({ format: 2, ...FACTS, pages: pagesOf(1) });

/** Digests of this number of pages, as a manifest has them. */
export function pagesOf(count: number): string {
  return Buffer.alloc(32 * count, 8).toString("base64url");
}
export const HEADER = Object.freeze({ alg: "ES256", typ: "skyslot-release", kid: "key-1" });
const SIGNATURE = Buffer.alloc(64, 9).toString("base64url");

export const jws = (payload: unknown = PAYLOAD, header: unknown = HEADER, signature = SIGNATURE): string =>
  `${encode(header)}.${encode(payload)}.${signature}`;

/** Of format 3: signed by each of these keys. @param header what differs in it */
export const generalJws = (
  payload: unknown,
  keyIds: readonly string[],
  header: object = {},
  signature = SIGNATURE,
): string =>
  JSON.stringify({
    payload: encode(payload),
    signatures: keyIds.map((kid) => ({
      protected: encode({ ...HEADER, ...header, kid }),
      signature,
    })),
  });
/** The same release as PAGED. */
export const TWICE = Object.freeze({ ...PAGED, format: 3 });

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
