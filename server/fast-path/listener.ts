// Reads checks in front of the routes and answers the no-op ones with the same bytes that their route would send: most of what such a
// request costs in the routes is spent on finding out what to do. Everything else goes on to the routes, with the body that was read.
//
//   request ─▶ POST of a short JSON body to the check's path? ─▶ read ─▶ valid? ─▶ not too often? ─▶ no-op? ─▶ answered
//                         └──────────────────────────────────────────────┴────────────────┴─────────────┴────▶ routes

import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { TSchema } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import type { CheckRequest, NoUpdateResponse } from "../../firmware/core/wire.js";
import type { Metrics } from "../runtime/metrics.js";
import { REQUEST_ID_HEADER, requestId } from "../runtime/request-log.js";
import { noOpKeyOf } from "./check-key.js";

/** The route that takes checks, as far as it has to be known here. */
export interface CheckRoute {
  readonly path: string;
  readonly maxBodyBytes: number;
  /** Of a body; what passes is a CheckRequest. */
  readonly schema: TSchema;
  readonly credentialIn: (headers: IncomingHttpHeaders) => string | undefined;
  /** To a check that brings nothing new. */
  readonly describeAnswer: () => NoUpdateResponse;
}

/** What is known of a request that goes on to the routes. */
export interface Arrival {
  readonly body: Buffer;
  /** The fast path has looked at it, and it is not a no-op. */
  readonly isTaken?: true;
  /** It came too often: milliseconds until it is answered again. */
  readonly waitMs?: number;
}

export interface ListenerOptions {
  readonly route: CheckRoute;
  readonly take: (check: CheckRequest, key: string) => Promise<boolean>;
  /** 0: go on. */
  readonly waitMsFor: (key: string) => number;
  readonly duration: Metrics["httpDuration"];
  readonly log: FastifyBaseLogger | undefined;
}

export class Listener {
  readonly #options: ListenerOptions;
  readonly #schema: TypeCheck<TSchema>;
  readonly #labels: { readonly method: string; readonly route: string; readonly status: number };
  readonly #arrivals = new WeakMap<IncomingMessage, Arrival>();

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#schema = TypeCompiler.Compile(options.route.schema);
    this.#labels = Object.freeze({ method: "POST", route: options.route.path, status: 200 });
  }

  findArrival(request: IncomingMessage): Arrival | undefined {
    return this.#arrivals.get(request);
  }

  before(routes: RequestListener): RequestListener {
    return (request, response) => {
      if (!isCheck(request, this.#options.route)) return routes(request, response);
      const start = performance.now();
      const goOn = (arrival: Arrival): void => {
        if (response.destroyed) return;
        this.#arrivals.set(request, arrival);
        routes(request, response);
      };
      readBody(request, (body) =>
        this.#take(request, body, () => this.#answer(request, response, start), goOn),
      );
    };
  }

  join(app: FastifyInstance): void {
    app.addHook("preParsing", (request, _reply, payload, done) => {
      const arrival = this.#arrivals.get(request.raw);
      done(null, arrival ? Readable.from([arrival.body]) : payload);
    });
  }

  #take(request: IncomingMessage, body: Buffer, answer: () => void, goOn: (arrival: Arrival) => void): void {
    const { route, take, waitMsFor } = this.#options;
    const check = this.#parse(body);
    if (check === undefined) return goOn({ body });
    const key = noOpKeyOf(check, route.credentialIn(request.headers));
    const waitMs = waitMsFor(key);
    if (waitMs > 0) return goOn({ body, waitMs });
    take(check, key).then((isNoOp) => (isNoOp ? answer() : goOn({ body, isTaken: true })));
  }

  /** `undefined`: the routes say what is wrong with it. */
  #parse(body: Buffer): CheckRequest | undefined {
    try {
      const value: unknown = JSON.parse(body.toString());
      return this.#schema.Check(value) ? (value as CheckRequest) : undefined;
    } catch {
      return undefined;
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse, start: number): void {
    const { route, duration, log } = this.#options;
    const id = requestId(request);
    const text = JSON.stringify(route.describeAnswer());
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
    duration.observe(this.#labels, ms / 1000);
    log?.debug({ reqId: id, method: "POST", url: route.path, status: 200, ms: Math.round(ms) }, "answered");
  }
}

/** Whether a request is a check with a short body whose length is announced. */
function isCheck({ method, url, headers }: IncomingMessage, { path, maxBodyBytes }: CheckRoute): boolean {
  return (
    method === "POST" &&
    url === path &&
    headers["content-type"] === "application/json" &&
    headers["transfer-encoding"] === undefined &&
    headers["content-encoding"] === undefined &&
    Number(headers["content-length"]) <= maxBodyBytes
  );
}

/** Does not call `take` if the client goes away before it has sent everything. */
function readBody(request: IncomingMessage, take: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => take(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
}
