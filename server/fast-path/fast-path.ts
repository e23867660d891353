// Nearly every request of a fleet is a check that changes nothing. Such a one is answered here, in front of the routes, with what they
// would answer to the byte: of what a request costs there, most would be spent on finding that out. Whatever is not certain goes on
// to the routes, with its body and with what was found.
//
//   request ─▶ is it a check? ─▶ read, validated ─▶ quiet? ─▶ answered
//                  └──────────────────┴─────────────────┴────▶ routes

import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import { credentialIn, takeNoOp } from "../api/check.js";
import type { Context } from "../api/context.js";
import { CHECK_PATH, describeAnswer, MAX_DEVICE_BODY_BYTES } from "../api/device-routes.js";
import { CheckBody, type CheckInput } from "../api/schemas.js";
import { REQUEST_ID_HEADER, requestId } from "../runtime/request-log.js";
import { RateLimit } from "../shared/rate.js";
import type { Arrival } from "./arrival.js";
import { noOpKeyOf } from "./no-op-checks.js";

const compiled = TypeCompiler.Compile(CheckBody);

/** Puts the short way in front of the routes of an app. @returns what makes their listener one that goes it first */
export function openFastPath(
  context: Context,
  log: FastifyBaseLogger | undefined,
): {
  readonly before: (routes: RequestListener) => RequestListener;
  readonly join: (app: FastifyInstance) => void;
} {
  const rate = context.settings.deviceRate && new RateLimit(context.settings.deviceRate);

  const before = (routes: RequestListener): RequestListener => {
    const goOn = (request: IncomingMessage, response: ServerResponse, arrival: Arrival): void => {
      if (response.destroyed) return;
      context.arrivals.set(request, arrival);
      routes(request, response);
    };
    return (request, response) => {
      if (!isCheck(request)) return routes(request, response);
      const start = performance.now();
      readBody(request, (body) => {
        const check = parseCheck(body);
        if (check === undefined) return goOn(request, response, { body });
        const noOpKey = noOpKeyOf(check, credentialIn(request.headers));
        // Whoever knows only a device's name has another key: they cannot use up what the device may ask.
        const waitMs = rate?.take(noOpKey, context.now()) ?? 0;
        if (waitMs > 0) return goOn(request, response, { body, waitMs });
        takeNoOp(context, check, noOpKey).then((isQuiet) =>
          isQuiet ? answer(request, response, start) : goOn(request, response, { body, isWhole: true }),
        );
      });
    };
  };

  const answer = (request: IncomingMessage, response: ServerResponse, start: number): void => {
    const id = requestId(request);
    const text = JSON.stringify(describeAnswer(context));
    // In the order in which the routes send them.
    response.writeHead(200, [
      REQUEST_ID_HEADER,
      id,
      "x-content-type-options",
      "nosniff",
      "content-type",
      "application/json; charset=utf-8",
      "content-length",
      `${Buffer.byteLength(text)}`,
    ]);
    response.end(text);
    const ms = performance.now() - start;
    context.metrics.httpDuration.observe(ANSWERED, ms / 1000);
    log?.debug({ reqId: id, method: "POST", url: CHECK_PATH, status: 200, ms: Math.round(ms) }, "answered");
  };

  /** Gives the routes the bodies that were read here. */
  const join = (app: FastifyInstance): void => {
    app.addHook("preParsing", (request, _reply, payload, done) => {
      const arrival = context.arrivals.get(request.raw);
      done(null, arrival ? Readable.from([arrival.body]) : payload);
    });
  };
  return { before, join };
}

const ANSWERED = Object.freeze({ method: "POST", route: CHECK_PATH, status: 200 });

/** Whether a request is a check whose body has a length that it tells, and is short. */
function isCheck({ method, url, headers }: IncomingMessage): boolean {
  return (
    method === "POST" &&
    url === CHECK_PATH &&
    headers["content-type"] === "application/json" &&
    headers["transfer-encoding"] === undefined &&
    headers["content-encoding"] === undefined &&
    Number(headers["content-length"]) <= MAX_DEVICE_BODY_BYTES
  );
}

/** A client that goes before it has sent everything is never heard of again. */
function readBody(request: IncomingMessage, take: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => take(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
}

/** `undefined`: the routes say what is wrong with it. */
function parseCheck(body: Buffer): CheckInput | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    return compiled.Check(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
