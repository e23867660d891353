// Sends random requests to a server and looks for failures: an answer of 5xx, none at all, an uncaught error, or
// memory that grows.

import type { AddressInfo } from "node:net";
import { Writable } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { RouteOptions } from "fastify";
import { pino } from "pino";
import { createApp } from "../../server/app.js";
import { WebhookDeliverer } from "../../server/events/webhooks/deliverer.js";
import { TestServer } from "../server/test-server.js";
import { Furniture } from "./furniture.js";
import {
  describeRoutes,
  type FuzzAnswer,
  type FuzzRequest,
  type FuzzRoute,
  makeRequest,
} from "./requests.js";
import { exchange, requestBytes } from "./wire.js";

export interface FuzzOptions {
  readonly seed: string;
  readonly requestCount: number;
  /** Number of the first request. */
  readonly first?: number;
  readonly onProgress?: (doneCount: number, failureCount: number) => void;
  readonly onFailure?: (failure: FuzzFailure) => void;
}

export interface FuzzFailure {
  readonly index: number;
  readonly reason: string;
  readonly request: string;
}

export interface FuzzResult {
  readonly failures: readonly FuzzFailure[];
  readonly routeCount: number;
  /** Those whose handler never ran: every request was refused before, or none was sent. */
  readonly unreached: readonly string[];
  /** Those of which every request was refused. */
  readonly refused: readonly string[];
  /** How often each status was answered. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Requests that Node's own client refused to send. */
  readonly unsentCount: number;
  /** Heap and buffers after a collection, bytes: early, and at the end. */
  readonly memory: { readonly early: number; readonly late: number };
}

const WORKER_COUNT = 16;
/** One of this number goes over a real connection, and every one whose answer never ends. */
const WIRE_INTERVAL = 20;
const HANG_MS = 60_000;
/** Work that timers do in production. */
const TICK_INTERVAL = 500;
const MAX_FAILURE_COUNT = 20;
/** Growth allowed for bounded caches. */
const MAX_GROWTH_BYTES = 48 * 1024 * 1024;
const GC_ROUNDS = 4;
/** The part of a run after which caches are full and what is compiled is compiled. */
const WARM_UP = 0.3;

export async function runFuzz(options: FuzzOptions): Promise<FuzzResult> {
  const server = await TestServer.open();
  const routes: FuzzRoute[] = [];
  const run = new Run(options);
  const app = createApp({
    ...server.app.context,
    log: pino({ level: "warn" }, run.errors),
    settings: {
      deviceRate: undefined,
      addressRate: undefined,
      newDeviceRate: undefined,
      maxDeviceCount: 1_000_000,
      maxImageBytes: 256 * 1024,
      openReads: true,
    },
    onRoute: (route) => {
      routes.push(...describeRoutes(route));
      run.watch(route);
    },
  });
  const stray = (error: unknown) => run.fail(run.lastIndex, `uncaught ${describeError(error)}`, undefined);
  process.on("unhandledRejection", stray);
  process.on("uncaughtException", stray);
  try {
    const furniture = new Furniture(server);
    const around = await furniture.open();
    await app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const deliverer = new WebhookDeliverer({
      store: server.store,
      live: app.context.live,
      now: () => server.nowMs,
      random: () => 0.5,
      post: async () => ({ status: 204 }),
    });
    const tick = async () => {
      server.nowMs += 60_000;
      await furniture.refresh();
      await app.tick();
      await deliverer.tick();
    };
    const send = async (request: FuzzRequest, index: number) => {
      if (!request.route.isStream && index % WIRE_INTERVAL !== 0) return [await inject(request)];
      return exchange(port, requestBytes(request, `${options.seed}/${index}`), request.route.isStream);
    };
    const inject = async ({ method, url, headers, body }: FuzzRequest) => {
      const answer = await app.inject({
        method: method as "GET",
        url,
        headers: { ...headers },
        ...(body === undefined ? {} : { payload: body }),
      });
      return { status: answer.statusCode, id: String(answer.headers["x-request-id"]) };
    };
    await run.all((index) => makeRequest(routes, around, options.seed, index), send, tick);
    return run.result(routes);
  } finally {
    process.off("unhandledRejection", stray);
    process.off("uncaughtException", stray);
    app.server.closeAllConnections();
    await app.close();
    await server.close();
  }
}

interface LogLine {
  readonly reqId?: string;
  readonly err?: { readonly stack?: string };
}

/** The newest errors in the server's log, by request. */
class ErrorLog extends Writable {
  readonly #errors = new Map<string, string>();

  find = (id: string): string => this.#errors.get(id) ?? "nothing in the log";

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const { reqId, err, ...rest } = JSON.parse(chunk.toString()) as LogLine;
    const trace = err?.stack?.split("\n").slice(0, 6).join(" | ");
    this.#errors.set(String(reqId), trace ?? JSON.stringify(rest));
    if (this.#errors.size > 1000) this.#errors.clear();
    done();
  }
}

class Run {
  readonly errors = new ErrorLog();
  lastIndex: number;
  readonly #options: FuzzOptions;
  readonly #failures: FuzzFailure[] = [];
  readonly #statuses = new Map<number, number>();
  readonly #reached = new Set<string>();
  readonly #answered = new Set<string>();
  #unsentCount = 0;
  #doneCount = 0;
  #early = 0;
  #late = 0;

  constructor(options: FuzzOptions) {
    this.#options = options;
    this.lastIndex = options.first ?? 0;
  }

  /** Notes when a route's handler runs: the request has passed the guard and the schemas. */
  watch(route: RouteOptions): void {
    const { handler, url } = route;
    const reached = this.#reached;
    route.handler = function (request, reply) {
      reached.add(`${request.method} ${url}`);
      return handler.call(this, request, reply);
    };
  }

  fail(index: number, reason: string, request: FuzzRequest | undefined): void {
    const failure = { index, reason, request: request ? describeRequest(request) : "" };
    this.#failures.push(failure);
    this.#options.onFailure?.(failure);
  }

  async all(
    make: (index: number) => FuzzRequest,
    send: (request: FuzzRequest, index: number) => Promise<readonly FuzzAnswer[]>,
    tick: () => Promise<void>,
  ): Promise<void> {
    const { first = 0, requestCount } = this.#options;
    const warm = Math.floor(requestCount * WARM_UP);
    await this.#stretch(first, first + warm, make, send, tick);
    this.#early = await memoryBytes();
    await this.#stretch(first + warm, first + requestCount, make, send, tick);
    this.#late = await memoryBytes();
    const growth = this.#late - this.#early;
    if (growth > MAX_GROWTH_BYTES)
      this.fail(this.lastIndex, `memory grew by ${growth} bytes after the first ${warm} requests`, undefined);
  }

  async #stretch(
    from: number,
    to: number,
    make: (index: number) => FuzzRequest,
    send: (request: FuzzRequest, index: number) => Promise<readonly FuzzAnswer[]>,
    tick: () => Promise<void>,
  ): Promise<void> {
    let next = from;
    const work = async () => {
      while (next < to && this.#failures.length < MAX_FAILURE_COUNT) {
        const index = next++;
        this.lastIndex = index;
        if (index % TICK_INTERVAL === TICK_INTERVAL - 1) await this.#tick(index, tick);
        await this.#one(index, make(index), send);
        this.#doneCount++;
        this.#options.onProgress?.(this.#doneCount, this.#failures.length);
      }
    };
    await Promise.all(Array.from({ length: WORKER_COUNT }, work));
  }

  async #tick(index: number, tick: () => Promise<void>): Promise<void> {
    try {
      await tick();
    } catch (error) {
      this.fail(index, `a tick failed: ${describeError(error)}`, undefined);
    }
  }

  async #one(
    index: number,
    request: FuzzRequest,
    send: (request: FuzzRequest, index: number) => Promise<readonly FuzzAnswer[]>,
  ): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const hang = new Promise<"hang">((resolve) => {
      timer = setTimeout(resolve, HANG_MS, "hang");
    });
    try {
      const answers = await Promise.race([send(request, index), hang]);
      if (answers === "hang") return this.fail(index, `no answer within ${HANG_MS} ms`, request);
      for (const { status, id = "" } of answers) {
        this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
        if (status < 400) this.#answered.add(`${request.method} ${request.route.url}`);
        if (status >= 500 && !isUnready(request, status))
          this.fail(index, `answered ${status}: ${this.errors.find(id)}`, request);
      }
    } catch (error) {
      if (isUnsendable(error)) this.#unsentCount++;
      else this.fail(index, describeError(error), request);
    } finally {
      clearTimeout(timer);
    }
  }

  result(routes: readonly FuzzRoute[]): FuzzResult {
    const names = routes.map(({ method, url }) => `${method} ${url}`);
    return {
      failures: this.#failures,
      routeCount: routes.length,
      refused: names.filter((name) => !this.#answered.has(name)),
      unreached: names.filter((name) => !this.#reached.has(name)),
      statuses: this.#statuses,
      unsentCount: this.#unsentCount,
      memory: { early: this.#early, late: this.#late },
    };
  }
}

/** It reports what the disk of this computer does, in real time. */
const isUnready = ({ route }: FuzzRequest, status: number): boolean =>
  route.url === "/readyz" && status === 503;

/** The client refuses to send it: the server never receives it. */
const isUnsendable = (error: unknown): boolean =>
  ["ERR_INVALID_CHAR", "ERR_INVALID_URL", "ERR_HTTP_INVALID_HEADER_VALUE"].includes(
    String((error as { code?: unknown }).code),
  );

const describeError = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message).split("\n").slice(0, 4).join(" | ") : String(error);

function describeRequest({ method, url, headers, body }: FuzzRequest): string {
  const shown = body && `${body.length} bytes: ${body.subarray(0, 400).toString("latin1")}`;
  const short = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value.slice(0, 80)]),
  );
  return JSON.stringify({ method, url: url.slice(0, 500), headers: short, body: shown });
}

/** Memory in use after garbage collections: what one finds unreachable may hold buffers that only the next one frees. */
async function memoryBytes(): Promise<number> {
  setFlagsFromString("--expose_gc");
  const collect = runInNewContext("gc") as () => void;
  for (let round = 0; round < GC_ROUNDS; round++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
