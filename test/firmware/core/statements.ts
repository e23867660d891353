// Statements of freshness as a device reads them. The signature is fake: its bytes are the number of the key that made it (roots.ts).

import { thumbprint } from "../../../firmware/core/trust/thumbprint.js";
import { STATEMENT_TYPE, type StatementPayload } from "../../../firmware/core/wire.js";
import { point } from "./roots.js";

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** The key of ASKING_ROOT that may make them. */
export const FRESHNESS_KEY = 6;

export const STATEMENT: StatementPayload = Object.freeze({
  nonce: "0".repeat(32),
  type: "base",
  time: 1_795_000_000,
  expires: 1_795_000_600,
  newest: 0,
  withdrawn: [],
});

/** @param number of the key that signs it; @param header changes of the protected header */
export const statementText = (
  payload: object = STATEMENT,
  number = FRESHNESS_KEY,
  header: object = {},
): string =>
  `${encode({ alg: "ES256", typ: STATEMENT_TYPE, kid: thumbprint(point(number)), ...header })}.${encode(payload)}.${Buffer.alloc(64, number).toString("base64url")}`;
