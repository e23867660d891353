// What a client is told when a request cannot be carried out: {"error": "CODE", "message": "a sentence with the numbers"}.

import type { FastifyError, FastifyInstance, FastifyReply } from "fastify";
import { BlobTooLarge } from "../blobs/blobs.js";
import { ReleaseError } from "../releases/release.js";
import { AlreadyExists } from "../store/store.js";

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** Makes every failure of an app one of these answers. What is not foreseen is logged and told without its details. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const { status, code, message } = describeError(error);
    if (status >= 500) request.log.error({ err: error, code }, "request failed");
    if (error instanceof ApiError) reply.headers(error.headers);
    return answer(reply, status, code, message);
  });
  app.setNotFoundHandler((request, reply) =>
    answer(reply, 404, "NOT_FOUND", `there is no ${request.method} ${request.url.split("?")[0]}`),
  );
}

const answer = (reply: FastifyReply, status: number, code: string, message: string) =>
  reply.code(status).type("application/json; charset=utf-8").send({ error: code, message });

function describeError(error: unknown): {
  readonly status: number;
  readonly code: string;
  readonly message: string;
} {
  if (error instanceof ApiError) return error;
  if (error instanceof ReleaseError) return { status: 422, code: error.code, message: error.message };
  if (error instanceof AlreadyExists) return { status: 409, code: "ALREADY_EXISTS", message: error.message };
  if (error instanceof BlobTooLarge) return { status: 413, code: "FILE_TOO_LARGE", message: error.message };
  const { statusCode = 500, code = "", message } = error as Partial<FastifyError>;
  if ((error as FastifyError).validation)
    return { status: 400, code: "INVALID_REQUEST", message: message ?? "" };
  if (statusCode < 500)
    return { status: statusCode, code: CODES[code] ?? "INVALID_REQUEST", message: message ?? "" };
  return { status: 500, code: "INTERNAL", message: "the server failed; its log says why" };
}

/** Fastify's own codes that deserve a plainer word. */
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
