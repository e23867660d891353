// Error answers: {"error": "CODE", "message": "a sentence with the numbers"}.

import type { FastifyError, FastifyInstance } from "fastify";
import { ReleaseError } from "../../release/error.js";
import { BlobsUnavailable, BlobTooLarge } from "../blobs/blobs.js";
import { Refusal } from "../shared/refusal.js";
import { AlreadyExists, DatabaseBusy, DatabaseLost } from "../store/store.js";
import { prefersHtml } from "./http/accept.js";
import { DASHBOARD_POLICY, setContentSecurityPolicy } from "./http/content-security-policy.js";
import { refusalStatus } from "./http/refusal-status.js";

interface ErrorAnswer {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface ErrorOptions {
  /** What a browser shows for a path that does not exist. */
  readonly notFoundPage: (path: string) => string;
}

/** Turns every failure of an app into an error answer. Unexpected errors are logged, and answered without details. */
export function answerErrors(app: FastifyInstance, { notFoundPage }: ErrorOptions): void {
  app.setErrorHandler((error, request, reply) => {
    const { status, code, message, headers = {} } = describeError(error, request.method);
    if (status >= 500) {
      request.log.error({ err: error, code }, "request failed");
      for (const name of OF_A_FILE) reply.removeHeader(name);
    }
    return reply.code(status).headers(headers).type(JSON_TYPE).send({ error: code, message });
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?")[0] ?? "";
    if (prefersHtml(request.headers.accept)) {
      return setContentSecurityPolicy(reply.code(404), DASHBOARD_POLICY)
        .type("text/html; charset=utf-8")
        .header("cache-control", "no-store")
        .send(notFoundPage(path));
    }
    const message = `there is no ${request.method} ${path}`;
    return reply.code(404).type(JSON_TYPE).send({ error: "NOT_FOUND", message });
  });
}

/** Set for a file that could not be sent then: a cache would keep the error in its place. */
const OF_A_FILE = Object.freeze([
  "accept-ranges",
  "etag",
  "cache-control",
  "content-range",
  "content-length",
]);

const JSON_TYPE = "application/json; charset=utf-8";

function describeError(error: unknown, method: string): ErrorAnswer {
  if (error instanceof Refusal) return describeRefusal(error, method);
  if (error instanceof ReleaseError) {
    return { status: refusalStatus(error.code, method), code: error.code, message: error.message };
  }
  if (error instanceof AlreadyExists) return { status: 409, code: "ALREADY_EXISTS", message: error.message };
  if (error instanceof BlobTooLarge) return { status: 413, code: "FILE_TOO_LARGE", message: error.message };
  if (error instanceof DatabaseLost) return DATABASE_LOST;
  if (error instanceof DatabaseBusy) return DATABASE_BUSY;
  if (error instanceof BlobsUnavailable) return BLOBS_UNAVAILABLE;
  const { statusCode = 500, code = "", message = "", validation } = error as Partial<FastifyError>;
  if (validation) return { status: 400, code: "INVALID_REQUEST", message };
  if (statusCode < 500) return { status: statusCode, code: CODES[code] ?? "INVALID_REQUEST", message };
  return { status: 500, code: "INTERNAL", message: "the server failed; its log says why" };
}

function describeRefusal({ code, message, retryAfterSeconds }: Refusal, method: string): ErrorAnswer {
  const headers = {
    ...(retryAfterSeconds === undefined ? {} : { "retry-after": `${retryAfterSeconds}` }),
    ...(code === "TOKEN_REQUIRED" ? CHALLENGE : {}),
  };
  return { status: refusalStatus(code, method), code, message, headers };
}

/** A restart of the database takes a few seconds. */
const DATABASE_LOST: ErrorAnswer = Object.freeze({
  status: 503,
  code: "DATABASE_UNAVAILABLE",
  message:
    "the connection to the database was lost, and the request may not have been carried out: try again",
  headers: { "retry-after": "5" },
});

const DATABASE_BUSY: ErrorAnswer = Object.freeze({
  status: 503,
  code: "BUSY",
  message: "the database has too much to do: try again",
  headers: { "retry-after": "5" },
});

const BLOBS_UNAVAILABLE: ErrorAnswer = Object.freeze({
  status: 503,
  code: "FILES_UNAVAILABLE",
  message: "the store of files does not answer: try again",
  headers: { "retry-after": "30" },
});

const CHALLENGE = Object.freeze({ "www-authenticate": 'Bearer realm="skyslot"' });

/** Fastify's codes under the names used here. */
const CODES: Readonly<Record<string, string>> = Object.freeze({
  FST_ERR_CTP_BODY_TOO_LARGE: "BODY_TOO_LARGE",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "MEDIA_TYPE_UNKNOWN",
  FST_ERR_CTP_INVALID_JSON_BODY: "BODY_MALFORMED",
  FST_ERR_CTP_EMPTY_JSON_BODY: "BODY_MALFORMED",
  FST_REQ_FILE_TOO_LARGE: "FILE_TOO_LARGE",
  FST_FIELDS_LIMIT: "TOO_MANY_FIELDS",
  FST_FILES_LIMIT: "TOO_MANY_FILES",
  FST_PARTS_LIMIT: "TOO_MANY_FIELDS",
});
