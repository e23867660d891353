// How a receiver knows that a delivery is this server's, and not an old one sent again: HMAC-SHA256 as Standard Webhooks
// (standardwebhooks.com) says, for which there are libraries in most languages.
//
//   webhook-id         names the message, the same in every attempt
//   webhook-timestamp  seconds since 1970, when this attempt was made
//   webhook-signature  v1,BASE64(HMAC-SHA256(key, "ID.TIMESTAMP.BODY")), several of them with a space between
//   key                what stands behind `whsec_` in the secret, read as Base64

import { createHmac, randomBytes } from "node:crypto";

const PREFIX = "whsec_";
const KEY_BYTES = 32;

type SignedHeaders = Readonly<Record<"webhook-id" | "webhook-timestamp" | "webhook-signature", string>>;

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

function digest(secret: string, messageId: string, timestamp: string, body: string): Buffer {
  const key = Buffer.from(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret, "base64");
  return createHmac("sha256", key).update(`${messageId}.${timestamp}.${body}`).digest();
}
