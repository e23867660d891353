// A statement of freshness: what a server with one of the root's freshness keys says of now, for one question of one device. Read here, and
// compared with the question; who verifies the signature is update/freshness.ts, by an effect. Nothing of it may be trusted before that.
//
//   base64url({"alg":"ES256","typ":"skyslot-freshness","kid":…}) "." base64url(StatementPayload) "." base64url(r ‖ s)
//
// The nonce makes it new: without the question nobody can have the answer ready, and an answer to another device or from before has
// another nonce.

import { fail, type Result, succeed } from "../errors.js";
import type { JsonValue } from "../json.js";
import {
  type KeyPoint,
  MAX_STATEMENT_LENGTH,
  MAX_WITHDRAWN_COUNT,
  STATEMENT_TYPE,
  type StatementPayload,
} from "../wire.js";
import { readJws, type SignedText } from "./jws.js";
import type { Root } from "./root.js";
import { thumbprint } from "./thumbprint.js";
import type { Trust } from "./trust.js";

export type Statement = StatementPayload;

/** A statement that nobody has verified yet. */
export interface SignedStatement {
  readonly statement: Statement;
  readonly signed: SignedText;
}

/** What a device has asked. */
export interface Question {
  readonly nonce: string;
  /** Of the device. */
  readonly type: string;
}

/** Whether nothing that a server offers is installed without a statement: the root names keys for them. */
export const asksForStatements = ({ root }: Trust): boolean =>
  root !== undefined && root.freshness.length > 0;

/** Reads a statement. Errors: FRESHNESS_REFUSED, with a sentence. */
export function parseStatement(text: string): Result<SignedStatement, "FRESHNESS_REFUSED"> {
  if (text.length > MAX_STATEMENT_LENGTH)
    return refusedStatement(`it is ${text.length} characters long, at most ${MAX_STATEMENT_LENGTH} are read`);
  const read = readJws(text, STATEMENT_TYPE);
  if (typeof read === "string") return refusedStatement(read);
  const { fields, signed } = read;
  const nonce = fields.get("nonce");
  const type = fields.get("type");
  const time = fields.get("time");
  const expires = fields.get("expires");
  const newest = fields.get("newest");
  const withdrawn = fields.get("withdrawn");
  if (typeof nonce !== "string" || !/^[0-9a-f]{32}$/.test(nonce))
    return refusedStatement("nonce is not 32 hex digits");
  if (typeof type !== "string" || !/^[\w.-]{1,64}$/.test(type)) return refusedStatement("type is not a name");
  if (!isCount(time) || !isCount(expires) || expires <= time)
    return refusedStatement("time or expires is not a time in seconds, or expires is not later");
  if (!isCount(newest)) return refusedStatement("newest is not a number");
  if (!isWithdrawn(withdrawn))
    return refusedStatement(`withdrawn is not a list of at most ${MAX_WITHDRAWN_COUNT} times 16 hex digits`);
  return succeed({ statement: { nonce, type, time, expires, newest, withdrawn }, signed });
}

/**
 * Whether it answers this question, and by which key it is said to be signed, among those that may. Errors: FRESHNESS_REFUSED.
 */
export function checkStatement(
  root: Root,
  { statement, signed }: SignedStatement,
  { nonce, type }: Question,
): Result<KeyPoint, "FRESHNESS_REFUSED"> {
  if (statement.nonce !== nonce)
    return refusedStatement("it answers another question: it was made before, or for another device");
  if (statement.type !== type)
    return refusedStatement(`it is about type "${statement.type}", this device is a "${type}"`);
  for (const index of root.freshness) {
    const key = root.keys[index];
    if (key && thumbprint(key) === signed.keyId) return succeed(key);
  }
  return refusedStatement(
    `it is signed by key ${signed.keyId}, which trust root ${root.version} does not name for it`,
  );
}

export const refusedStatement = (message: string) =>
  fail("FRESHNESS_REFUSED", `statement of freshness: ${message}`);

/** Year 2106: seconds since 1970 that fit 32 bits. */
const MAX_NUMBER = 0xffffffff;

const isCount = (value: JsonValue | undefined): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_NUMBER;

const isWithdrawn = (value: JsonValue | undefined): value is readonly string[] =>
  Array.isArray(value) &&
  value.length <= MAX_WITHDRAWN_COUNT &&
  value.every((one) => typeof one === "string" && /^[0-9a-f]{16}$/.test(one));
