// Signed releases that are odd: everything about them may be wrong but the signature. Their images are small files that no boot loader
// starts; or one that would start, with a release that is forged or does not fit. So nothing of them may ever be armed.

import { createHash, type KeyObject, sign } from "node:crypto";
import { below, chance, pick, type Random } from "../values.js";
import type { Ground } from "./ground.js";
import { type FuzzKey, STRANGER_VERSION, TYPE } from "./image.js";
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
  /** It would start: its release must not be good. */
  readonly wouldStart: boolean;
}

const sha256 = (bytes: Uint8Array | string): Buffer => createHash("sha256").update(bytes).digest();

/** A file of up to five chunks; its head is that of an image, which a device takes it for until it has read more. */
export function oddFile(
  random: Random,
  { image, stranger }: Ground,
  format = pick(random, [1, 2, 2]),
): OddFile {
  const wouldStart = chance(random, 0.15);
  const chunkSize = pick(random, [SECTOR_BYTES, SECTOR_BYTES, 2 * SECTOR_BYTES, 16 * SECTOR_BYTES]);
  return fileOf(random, wouldStart ? stranger : noImage(random, image), format, chunkSize, wouldStart);
}

function noImage(random: Random, image: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(pick(random, [1, 4095, 4096, 4097, 9000, 20_000]), below(random, 256));
  if (chance(random, 0.8)) bytes.set(image.subarray(0, Math.min(bytes.length, 1024)));
  return bytes;
}

function fileOf(
  random: Random,
  bytes: Uint8Array,
  format: number,
  chunkSize: number,
  wouldStart: boolean,
): OddFile {
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
    version: STRANGER_VERSION,
    build: 0,
    size: bytes.length,
    sha256: sha256(bytes).toString("hex"),
    imageSha256: wouldStart
      ? Buffer.from(bytes.subarray(-32)).toString("hex")
      : sha256(`image ${below(random, 1000)}`).toString("hex"),
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
  return { bytes, digests, payload: { ...facts, ...listed }, wouldStart };
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

const HEAD = Object.freeze({ alg: "ES256", typ: "skyslot-release" });

/** The manifest of a file, correctly signed; forged if the file would start. `oddness`: how often something in it is not as it should be. */
export function oddManifest(random: Random, key: FuzzKey, file: OddFile, oddness: number): string {
  if (file.wouldStart) return forgedManifest(random, key, file.payload);
  let payload: unknown = file.payload;
  while (chance(random, oddness)) payload = damageJson(random, payload, FIELDS);
  let text = printJson(random, payload);
  if (chance(random, oddness / 4)) text = mutateText(random, text);
  if (chance(random, oddness / 6)) text = withEdge(random, text);
  const head: unknown = { ...HEAD, kid: key.kid };
  const header = chance(random, oddness / 4) ? damageJson(random, head, ["kid", "alg", "crit"]) : head;
  const jws = signedJws(key.privateKey, printJson(random, header), text);
  return chance(random, oddness / 3) ? mutateText(random, jws, 9000) : jws;
}

const withEdge = (random: Random, text: string): string =>
  text.replace(
    /:(\d+)/,
    () =>
      `:${pick(
        random,
        EDGE_NUMBERS.filter((number) => /^-?\d/.test(number)),
      )}`,
  );

/** Nearly a good release of an image that would start. */
function forgedManifest(random: Random, { kid, privateKey, strangersKey }: FuzzKey, payload: object): string {
  const head = { ...HEAD, kid };
  const json = JSON.stringify;
  const right = () => signedJws(privateKey, json(head), json(payload));
  const [header, body] = right().split(".") as [string, string];
  return pick(random, [
    () => signedJws(strangersKey, json(head), json(payload)),
    () => signedJws(privateKey, json({ ...head, typ: "skyslot-session" }), json(payload)),
    () => signedJws(privateKey, json({ ...head, typ: "skyslot-RELEASE" }), json(payload)),
    () => signedJws(privateKey, json({ alg: "ES256", kid }), json(payload)),
    () => signedJws(privateKey, json({ ...head, kid: `${kid}x` }), json(payload)),
    () => signedJws(privateKey, json({ ...head, alg: "none" }), json(payload)),
    () => `${header}.${body}.${Buffer.alloc(64).toString("base64url")}`,
    () => `${header}.${body}.`,
    () => `${header}.${body}.${flipped(random, right().split(".")[2]!)}`,
    () => `${header}.${body}.${signedJws(privateKey, json(head), "{}").split(".")[2]}`,
    () => signedJws(privateKey, json(head), json({ ...payload, version: "1.0.9" })),
    () => signedJws(privateKey, json(head), json({ ...payload, type: "led" })),
    () => signedJws(privateKey, json(head), json({ ...payload, hardware: "other" })),
    () => signedJws(privateKey, json(head), json({ ...payload, chip: "esp32c3" })),
    () => signedJws(privateKey, json(head), json({ ...payload, minCurrentVersion: "8.0.0" })),
    () => signedJws(privateKey, json(head), json({ ...payload, expires: 1 })),
    () => signedJws(privateKey, json(head), json({ ...payload, sha256: "ab".repeat(32) })),
    () => signedJws(privateKey, json(head), json({ ...payload, imageSha256: "ab".repeat(32) })),
    () => signedJws(privateKey, json(head), json({ ...payload, size: 4096 })),
    () => signedJws(privateKey, json(head), json({ ...payload, nvs: "hmac5" })),
  ])();
}

function flipped(random: Random, signature: string): string {
  const bytes = Buffer.from(signature, "base64url");
  bytes[below(random, bytes.length)]! ^= 1 << below(random, 8);
  return bytes.toString("base64url");
}

/** Signatures by key and text: ECDSA makes another one each time, and then the same seed would not make the same inputs in this process. */
const MAX_MADE_COUNT = 10_000;
const made = new Map<string, string>();

function signedJws(privateKey: KeyObject, header: string, payload: string): string {
  const encode = (text: string): string => Buffer.from(text, "latin1").toString("base64url");
  const signed = `${encode(header)}.${encode(payload)}`;
  const name = `${privateKey.export({ format: "jwk" }).d}.${signed}`;
  const before = made.get(name);
  if (before !== undefined) return before;
  if (made.size === MAX_MADE_COUNT) made.clear();
  const signature = sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" });
  const jws = `${signed}.${signature.toString("base64url")}`;
  made.set(name, jws);
  return jws;
}
