// Name and password of a network as a phone submits them, by form or as JSON; refuses what no access point can have.

import { utf8Length } from "../bytes.js";
import { fail, type Result, succeed } from "../errors.js";
import { parseFlat } from "../http/flat-json.js";
import { parseForm } from "../http/form.js";

/** IEEE 802.11-2020, 9.4.2.2. */
const MAX_SSID_BYTES = 32;
/** A WPA passphrase (IEEE 802.11-2020, J.4); 64 hex digits are the key itself. */
const MIN_PASSWORD_BYTES = 8;
const MAX_PASSWORD_BYTES = 63;
const KEY_DIGIT_COUNT = 64;

/** Password: empty for an open network. */
export interface Credentials {
  readonly ssid: string;
  readonly password: string;
}

export type CredentialsErrorCode = "BODY_INVALID" | "SSID_INVALID" | "PASSWORD_INVALID";

/** What a body submits. The messages are for the page's visitor. */
export function readCredentials(body: string): Result<Credentials, CredentialsErrorCode> {
  const fields = body.trimStart().startsWith("{") ? readJson(body) : readForm(body);
  if (!fields.ok) return fields;
  const { ssid, password } = fields.value;
  const ssidBytes = utf8Length(ssid);
  if (ssidBytes < 1 || ssidBytes > MAX_SSID_BYTES || ssid.includes("\0")) {
    return fail(
      "SSID_INVALID",
      `The network name is ${ssidBytes} bytes long; 1 to ${MAX_SSID_BYTES} are allowed.`,
    );
  }
  const passwordBytes = utf8Length(password);
  if (!isPassword(password, passwordBytes)) {
    return fail(
      "PASSWORD_INVALID",
      `The password is ${passwordBytes} bytes long; ${MIN_PASSWORD_BYTES} to ${MAX_PASSWORD_BYTES} are allowed, or none for an open network.`,
    );
  }
  return fields;
}

function readForm(body: string): Result<Credentials, CredentialsErrorCode> {
  const form = parseForm(body);
  if (!form.ok) return fail("BODY_INVALID", form.failure.message);
  return succeed({ ssid: form.value.get("ssid") ?? "", password: form.value.get("password") ?? "" });
}

function readJson(body: string): Result<Credentials, CredentialsErrorCode> {
  const value = parseFlat(body);
  const ssid = value?.get("ssid");
  const password = value?.has("password") ? value.get("password") : "";
  if (typeof ssid !== "string" || typeof password !== "string") {
    return fail("BODY_INVALID", 'The body has to be JSON: {"ssid": text, "password": text}.');
  }
  return succeed({ ssid, password });
}

function isPassword(password: string, byteCount: number): boolean {
  if (byteCount === 0) return true;
  if (password.includes("\0")) return false; // the Wi-Fi driver takes C strings
  if (byteCount === KEY_DIGIT_COUNT) return /^[0-9a-fA-F]+$/.test(password);
  return byteCount >= MIN_PASSWORD_BYTES && byteCount <= MAX_PASSWORD_BYTES;
}
