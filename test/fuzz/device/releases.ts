// Signed releases that are odd: everything about them may be wrong but the signature. Their images are small files that no boot loader
// starts, so that nothing of them is ever armed.

import { createHash, sign } from "node:crypto";
import { below, chance, pick, type Random } from "../values.js";
import { type FuzzKey, TYPE } from "./image.js";
import { damageJson, EDGE_NUMBERS, mutateText, printJson } from "./mutate.js";
import { START_TIME } from "./server.js";

const SECTOR_BYTES = 4096;
const DIGESTS_A_PAGE = 64;

/** A file, with what a release says of it. */
export interface OddFile {
  readonly bytes: Uint8Array;
  /** Of every chunk, one behind the other. */
  readonly digests: Uint8Array;
  readonly payload: Record<string, unknown>;
}

const sha256 = (bytes: Uint8Array | string): Buffer => createHash("sha256").update(bytes).digest();

/** A file of up to five chunks; its head is that of `image`, which a device takes it for until it has read more. */
export function oddFile(random: Random, image: Uint8Array, format = pick(random, [1, 2, 2])): OddFile {
  const bytes = Buffer.alloc(pick(random, [1, 4095, 4096, 4097, 9000, 20_000]), below(random, 256));
  if (chance(random, 0.8)) bytes.set(image.subarray(0, Math.min(bytes.length, 1024)));
  const chunkSize = pick(random, [SECTOR_BYTES, SECTOR_BYTES, 2 * SECTOR_BYTES, 16 * SECTOR_BYTES]);
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunkSize)
    chunks.push(sha256(bytes.subarray(at, at + chunkSize)));
  const digests = Buffer.concat(chunks);
  const pages: Buffer[] = [];
  for (let at = 0; at < chunks.length; at += DIGESTS_A_PAGE)
    pages.push(sha256(Buffer.concat(chunks.slice(at, at + DIGESTS_A_PAGE))));
  const facts = {
    format,
    type: TYPE,
    hardware: "esp32",
    chip: "esp32",
    version: "9.0.0",
    build: 0,
    size: bytes.length,
    sha256: sha256(bytes).toString("hex"),
    imageSha256: sha256(`image ${below(random, 1000)}`).toString("hex"),
    chunkSize,
    securityVersion: 0,
    protocolVersion: 1,
    nvs: "plain",
    created: START_TIME - 1000,
  };
  const listed =
    format === 1
      ? { chunks: digests.toString("base64url") }
      : { pages: Buffer.concat(pages).toString("base64url") };
  return { bytes, digests, payload: { ...facts, ...listed } };
}

const FIELDS = Object.freeze([
  "format",
  "type",
  "version",
  "size",
  "chunkSize",
  "pages",
  "chunks",
  "minCurrentVersion",
  "expires",
  "created",
  "securityVersion",
  "nvs",
  "__proto__",
  "constructor",
]);

/** The manifest of a file, correctly signed. `oddness`: how often something in it is not what it should be. */
export function oddManifest(random: Random, key: FuzzKey, file: OddFile, oddness: number): string {
  let payload: unknown = file.payload;
  while (chance(random, oddness)) payload = damageJson(random, payload, FIELDS);
  let text = chance(random, oddness / 4)
    ? mutateText(random, printJson(random, payload))
    : printJson(random, payload);
  if (chance(random, oddness / 6)) text = edge(random, text);
  const head: unknown = { alg: "ES256", typ: "skyslot-release", kid: key.kid };
  const header = chance(random, oddness / 4) ? damageJson(random, head, ["kid", "alg", "crit"]) : head;
  return signedJws(random, key, printJson(random, header), text, oddness);
}

const edge = (random: Random, text: string): string =>
  text.replace(
    /:(\d+)/,
    () =>
      `:${pick(
        random,
        EDGE_NUMBERS.filter((number) => /^-?\d/.test(number)),
      )}`,
  );

function signedJws(random: Random, key: FuzzKey, header: string, payload: string, oddness: number): string {
  const encode = (text: string): string => Buffer.from(text, "latin1").toString("base64url");
  const signed = `${encode(header)}.${encode(payload)}`;
  const signature = sign("sha256", Buffer.from(signed), { key: key.privateKey, dsaEncoding: "ieee-p1363" });
  if (chance(random, oddness / 5)) signature[below(random, 64)]! ^= 1 << below(random, 8);
  const jws = `${signed}.${signature.toString("base64url")}`;
  return chance(random, oddness / 5) ? mutateText(random, jws, 9000) : jws;
}
