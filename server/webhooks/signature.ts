// How a receiver knows that a delivery is this server's, and not an old one sent again: HMAC-SHA256 as Standard Webhooks
// (standardwebhooks.com) says, for which there are libraries in most languages.
//
//   webhook-id         names the message, the same in every attempt
//   webhook-timestamp  seconds since 1970, when this attempt was made
//   webhook-signature  v1,BASE64(HMAC-SHA256(key, "ID.TIMESTAMP.BODY")), several of them with a space between
//   key                what stands behind `whsec_` in the secret, read as Base64

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

const PREFIX = "whsec_";
const KEY_BYTES = 32;
/** How far a receiver's clock may be from the server's. */
const TOLERANCE_SECONDS = 5 * 60;

export type SignedHeaders = Readonly<
  Record<"webhook-id" | "webhook-timestamp" | "webhook-signature", string>
>;

export const makeSecret = (): string => PREFIX + randomBytes(KEY_BYTES).toString("base64");

/** `nowMs`: milliseconds since 1970. */
export function signMessage(secret: string, messageId: string, nowMs: number, body: string): SignedHeaders {
  const timestamp = String(Math.floor(nowMs / 1000));
  return {
    "webhook-id": messageId,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${digest(secret, messageId, timestamp, body).toString("base64")}`,
  };
}

/** What a receiver does. `body` is what came, byte for byte. Takes the same time wherever a wrong signature differs. */
export function verifyMessage(
  secret: string,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  body: string,
  nowMs: number,
): boolean {
  const [id, timestamp, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) =>
    String(headers[name] ?? ""),
  ) as [string, string, string];
  if (!/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(nowMs / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) return false;
  const expected = digest(secret, id, timestamp, body);
  return signatures.split(" ").some((signature) => {
    const [version, text = ""] = signature.split(",");
    const given = Buffer.from(text, "base64");
    return version === "v1" && given.length === expected.length && timingSafeEqual(given, expected);
  });
}

function digest(secret: string, messageId: string, timestamp: string, body: string): Buffer {
  const key = Buffer.from(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret, "base64");
  return createHmac("sha256", key).update(`${messageId}.${timestamp}.${body}`).digest();
}
