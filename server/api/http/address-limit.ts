// Bounds how often one address (of IPv6: one /64) is served on the routes of people and programs. Routes of devices are bounded by device
// instead: a whole fleet may come from one address.

import type { FastifyInstance } from "fastify";
import { networkOf } from "../../shared/address.js";
import { RateLimit } from "../../shared/rate.js";
import { Refusal } from "../../shared/refusal.js";
import type { Context } from "../context.js";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Asked by monitors and load balancers, which may share their address with everybody else; or in many parts by one device. */
    readonly isUnbounded?: boolean;
  }
}

export function limitAddresses(app: FastifyInstance, { settings, metrics, now }: Context): void {
  if (!settings.addressRate) return;
  const rate = new RateLimit(settings.addressRate);
  app.addHook("onRequest", (request, reply, done) => {
    const { access, isUnbounded } = request.routeOptions.config;
    const waitMs = access === "device" || isUnbounded ? 0 : rate.take(networkOf(request.ip), now());
    if (waitMs === 0) return done();
    metrics.rateLimited.inc({ limit: "address" });
    reply.header("retry-after", Math.ceil(waitMs / 1000));
    done(
      new Refusal(
        "TOO_MANY_REQUESTS",
        `${request.ip} sends too many requests, the next one is accepted in ${waitMs} ms`,
      ),
    );
  });
}
