// The fast path: answers no-op checks, those that change nothing but when the device was last seen, which are nearly all checks of a
// fleet. This file is what the rest of the server calls. A check is answered in one of three places:
//
//   request ─▶ listener.ts: is its key known? ─▶ answered before the routes
//                  └─▶ api/device-check.ts: take() ─▶ answered by its route           checks that the listener does not read (dialects)
//                          └─▶ full path, a transaction ─▶ keyOf(): left if it proved to be a no-op

import type { IncomingMessage, RequestListener } from "node:http";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import type { CheckRequest } from "../../firmware/core/wire.js";
import type { Live } from "../events/live.js";
import type { Metrics } from "../runtime/metrics.js";
import { RateLimit, type RateTerms } from "../shared/rate.js";
import type { Store } from "../store/store.js";
import { noOpKeyOf } from "./check-key.js";
import { type CheckRoute, Listener } from "./listener.js";
import { NoOpChecks } from "./no-op-checks.js";

export type { CheckRoute } from "./listener.js";

export interface FastPath {
  /**
   * Everything about a check that its answer may depend on, as a digest; the transaction that proves that such a check is a no-op leaves it
   * at the device. `undefined`: it is to leave none.
   */
  keyOf(check: CheckRequest, credential: string | undefined): string | undefined;
  /** `true`: nothing is new for the device, and that it was seen is stored. `false`: nothing was done. */
  take(request: IncomingMessage, check: CheckRequest, key: string | undefined): Promise<boolean>;
  /** Milliseconds until the same check is answered again if it came too often; 0: it did not. */
  waitMsOf(request: IncomingMessage): number;
  /** Answers no-op checks in front of `routes`. */
  before(routes: RequestListener): RequestListener;
  /** Passes the bodies that `before` has read on to the routes. */
  join(app: FastifyInstance): void;
}

export interface FastPathOptions {
  readonly store: Store;
  readonly live: Live;
  readonly metrics: Pick<Metrics, "checks" | "httpDuration">;
  readonly log: FastifyBaseLogger | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Of checks with the same key; absent: no bound. */
  readonly deviceRate: RateTerms | undefined;
  readonly route: CheckRoute;
}

export function openFastPath({
  store,
  live,
  metrics,
  log,
  now,
  deviceRate,
  route,
}: FastPathOptions): FastPath {
  const noOpChecks = new NoOpChecks({ store, live, now });
  const take = async (check: CheckRequest, key: string): Promise<boolean> => {
    const isNoOp = await noOpChecks.take(check, key);
    if (isNoOp) metrics.checks.inc(CURRENT);
    return isNoOp;
  };
  const rate = deviceRate && new RateLimit(deviceRate);
  const listener = new Listener({
    route,
    take,
    // A client that knows only a device's name has another key, so it cannot use up the device's requests.
    waitMsFor: (key) => rate?.take(key, now()) ?? 0,
    duration: metrics.httpDuration,
    log,
  });
  return {
    keyOf: noOpKeyOf,
    take: async (request, check, key) =>
      key !== undefined && !listener.findArrival(request)?.isTaken && take(check, key),
    waitMsOf: (request) => listener.findArrival(request)?.waitMs ?? 0,
    before: (routes) => listener.before(routes),
    join: (app) => listener.join(app),
  };
}

/** Every check takes the full path. */
export const NO_FAST_PATH: FastPath = Object.freeze({
  keyOf: () => undefined,
  take: async () => false,
  waitMsOf: () => 0,
  before: (routes: RequestListener) => routes,
  join: () => {},
});

const CURRENT = Object.freeze({ result: "current" });
