// Whether a text is a statement of freshness that answers a question, decided a second time from its description in firmware/core/wire.ts, with
// JSON.parse and jose. Shares no code with the device's.

import { calculateJwkThumbprint, compactVerify, importJWK, type JWK } from "jose";
import { decode, isCount, isObject, parse } from "./reading.js";

export interface ReferenceQuestion {
  readonly nonce: string;
  readonly type: string;
  /** That may sign statements. */
  readonly keys: readonly JWK[];
}

export async function answers(text: string, { nonce, type, keys }: ReferenceQuestion): Promise<boolean> {
  if (text.length > 1024) return false;
  const parts = text.split(".");
  if (parts.length !== 3 || parts.some((part) => decode(part) === undefined && part !== parts[2]))
    return false;
  const header = parse(decode(parts[0] ?? ""));
  if (!isObject(header) || header.alg !== "ES256" || header.typ !== "skyslot-freshness" || "crit" in header)
    return false;
  const payload = parse(decode(parts[1] ?? ""));
  if (!isObject(payload) || payload.nonce !== nonce || payload.type !== type) return false;
  if (!/^[0-9a-f]{32}$/.test(nonce) || !/^[\w.-]{1,64}$/.test(type)) return false;
  const { time, expires, newest, withdrawn } = payload;
  if (!isCount(time, 0) || !isCount(expires, 0) || !isCount(newest, 0) || expires <= time) return false;
  if (!Array.isArray(withdrawn) || withdrawn.length > 16) return false;
  if (!withdrawn.every((one) => typeof one === "string" && /^[0-9a-f]{16}$/.test(one))) return false;
  for (const key of keys) if ((await calculateJwkThumbprint(key)) === header.kid) return isGood(text, key);
  return false;
}

async function isGood(text: string, key: JWK): Promise<boolean> {
  // jose takes Base64url in more than one spelling
  const signature = text.split(".")[2] ?? "";
  if (Buffer.from(signature, "base64url").toString("base64url") !== signature) return false;
  try {
    await compactVerify(text, await importJWK(key, "ES256"), { algorithms: ["ES256"] });
    return true;
  } catch {
    return false;
  }
}
