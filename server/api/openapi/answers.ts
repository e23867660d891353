// How every route answers, for the description of the API. Never applied to an answer; tests hold real answers against it.

import { ACCOUNT_ANSWERS } from "./answers/accounts.js";
import { CONTENT_ANSWERS } from "./answers/content.js";
import { DEVICE_ANSWERS } from "./answers/devices.js";
import { OTHER_ANSWERS } from "./answers/other-clients.js";
import { type Answers, ErrorAnswer, type Outcome } from "./answers/parts.js";
import { REGISTRATION_ANSWERS } from "./answers/registration.js";
import { RELEASE_ANSWERS } from "./answers/releases.js";
import { SERVICE_ANSWERS } from "./answers/service.js";
import { WEBHOOK_ANSWERS } from "./answers/webhooks.js";
import { WIRE_ANSWERS } from "./answers/wire.js";

/** By method and path, such as `GET /api/devices/:id`. */
export const ANSWERS: Answers = Object.freeze({
  ...WIRE_ANSWERS,
  ...RELEASE_ANSWERS,
  ...DEVICE_ANSWERS,
  ...REGISTRATION_ANSWERS,
  ...SERVICE_ANSWERS,
  ...CONTENT_ANSWERS,
  ...WEBHOOK_ANSWERS,
  ...ACCOUNT_ANSWERS,
  ...OTHER_ANSWERS,
});

const REFUSED = Object.freeze({ description: "Refused, and why", schema: ErrorAnswer });
const FAILED = Object.freeze({ description: "The server cannot do it now, and why", schema: ErrorAnswer });

/** The `responses` of an operation. HEAD is answered as GET, without a body. */
export function describeAnswers(method: string, path: string): object {
  const isHead = method === "HEAD";
  const answer = ANSWERS[`${isHead ? "GET" : method} ${path}`] ?? {};
  const outcomes = Object.entries({ ...answer, "4XX": REFUSED, "5XX": FAILED });
  return Object.fromEntries(outcomes.map(([status, outcome]) => [status, describe(outcome, isHead)]));
}

function describe({ description, schema, mediaTypes }: Outcome, isHead: boolean): object {
  if (isHead || (schema === undefined && mediaTypes === undefined)) return { description };
  const content = mediaTypes
    ? Object.fromEntries(mediaTypes.map((type) => [type, { schema: fileOf(type) }]))
    : { "application/json": { schema } };
  return { description, content };
}

/** A file has no shape: its media type says what it is. */
const fileOf = (mediaType: string): object => (mediaType.startsWith("text/") ? { type: "string" } : {});
