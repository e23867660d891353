// What the device has computed by its platform, with node:crypto: the event that answers an effect.

import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import type { Effect } from "../../../firmware/core/effect.js";
import type { Event, Raise } from "../../../firmware/core/event.js";

export const sha256 = (text: string | Uint8Array): string => createHash("sha256").update(text).digest("hex");

export function computedOf(effect: Effect | Raise): Event | undefined {
  if (effect.type === "deriveKey" && effect.for === "owner") {
    const key = pbkdf2Sync(effect.password, effect.salt, effect.rounds, 32, "sha256").toString("hex");
    return { type: "keyDerived", key };
  }
  if (effect.type !== "makeMac") return undefined;
  const { connection, key, text, hashed } = effect;
  const all = text + (hashed === undefined ? "" : sha256(hashed));
  return { type: "macMade", connection, mac: createHmac("sha256", key).update(all).digest("hex") };
}

export interface AnswerParts {
  readonly nonce: string;
  readonly token: string;
  /** Default: `base-0000a1`. */
  readonly realm?: string;
  readonly rounds?: number;
  /** Default: POST. */
  readonly method?: string;
  /** Default: `/update`. */
  readonly path?: string;
  readonly sha256: string;
  /** What is said of the body, if that is another one than the MAC is about. */
  readonly said?: string;
}

/** The Authorization header of a client that answers a challenge, made after docs/device-protocol.md. */
export function answerTo({ nonce, token, sha256, said = sha256, ...parts }: AnswerParts): string {
  const { realm = "base-0000a1", rounds = 10_000, method = "POST", path = "/update" } = parts;
  const key = pbkdf2Sync(token, `skyslot:${realm}`, rounds, 32, "sha256").toString("hex");
  const text = `skyslot-1\n${nonce}\n${method} ${path}\n${sha256}`;
  const mac = createHmac("sha256", key).update(text).digest("hex");
  return `Skyslot nonce="${nonce}", sha256="${said}", mac="${mac}"`;
}
