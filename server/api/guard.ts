// Default deny. Every route declares what it needs (`config.access`); a route that declares nothing is closed. Credentials:
//   1. `Authorization: Bearer TOKEN`: an access token, an API token, or the local token of the data folder;
//   2. the access cookie of the dashboard. Scripts cannot see it, other sites cannot send it (SameSite), and a change is taken
//      only if its `Origin` is this server;
//   3. a read from this very machine, if the server listens on loopback only: that is how the dashboard opens without sign-in.
// The third asks for a loopback peer, a loopback Host (or a web page could reach it by DNS rebinding) and no sign of a proxy.

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { HERE } from "../auth/auth.js";
import { describeLack, requireChangeOfAll } from "../auth/require-change.js";
import { type Actor, mayDo } from "../shared/actor.js";
import type { Need } from "../shared/permissions.js";
import { Refusal } from "../shared/refusal.js";
import type { Context } from "./context.js";
import { ACCESS_COOKIE, readCookie } from "./http/cookies.js";
import { isOfLocalNetwork } from "./http/local-network.js";

declare module "fastify" {
  interface FastifyContextConfig {
    /** What a request to this route needs, see shared/permissions.ts. */
    readonly access?: Need;
    /** It shows or changes what belongs to no device type, or to every: not for tokens that are bound to some. */
    readonly isOfAllTypes?: boolean;
  }
  interface FastifyRequest {
    /** Who makes the request; undefined on public routes. */
    actor: Actor | undefined;
  }
  interface FastifyInstance {
    /** Every route and what it needs; `undefined`: closed. */
    readonly routeAccess: RouteAccess[];
  }
}

export interface RouteAccess {
  readonly method: string;
  readonly url: string;
  readonly access: Need | undefined;
  readonly isOfAllTypes: boolean;
}

const PROXY_HEADERS = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"] as const;
const SAFE_METHODS: readonly string[] = Object.freeze(["GET", "HEAD", "OPTIONS"]);

export function guard(app: FastifyInstance, context: Context): void {
  app.decorate("routeAccess", []);
  app.decorateRequest("actor", undefined);
  app.addHook("onRoute", (route) => {
    for (const method of [route.method].flat()) {
      // Evaluated lazily: a later hook may set it for a whole group.
      app.routeAccess.push({
        method,
        url: route.url,
        get access() {
          return route.config?.access;
        },
        get isOfAllTypes() {
          return route.config?.isOfAllTypes === true;
        },
      });
    }
  });
  // Without a promise for device routes: most requests are devices' checks.
  app.addHook("onRequest", (request, reply, done) => {
    const { access } = request.routeOptions.config;
    if (request.is404 || access === "public" || access === "device") return done();
    admit(request, reply, context).then(() => done(), done);
  });
}

/** @throws Refusal UNAUTHORIZED, FORBIDDEN, CROSS_ORIGIN */
async function admit(request: FastifyRequest, reply: FastifyReply, context: Context): Promise<void> {
  const { access } = request.routeOptions.config;
  const actor = isOpenGateway(request, context)
    ? { ...OPEN_GATEWAY, address: request.ip }
    : await identify(request, context);
  if (!actor || (isReader(actor) && !SAFE_METHODS.includes(request.method))) {
    reply.header("www-authenticate", 'Bearer realm="skyslot"');
    throw new Refusal(
      "UNAUTHORIZED",
      "this needs a sign-in: run `skyslot login`, or send Authorization: Bearer with an API token",
    );
  }
  if (access === undefined || access === "public" || access === "device")
    throw new Refusal("FORBIDDEN", `${request.method} ${request.routeOptions.url} is not accessible`);
  if (access !== "known" && !mayDo(actor, access))
    throw new Refusal("FORBIDDEN", describeLack(actor, access));
  if (request.routeOptions.config.isOfAllTypes) requireChangeOfAll(actor);
  request.actor = actor;
}

const isReader = ({ kind, scopes }: Actor): boolean => kind === "here" && !scopes.includes("mesh:report");

/** A gateway of the local network without a token, where that is allowed. A page that a browser shows is none. */
function isOpenGateway({ headers, ip, routeOptions }: FastifyRequest, { settings }: Context): boolean {
  if (!settings.openGateways || routeOptions.config.access !== "mesh:report") return false;
  if (headers.authorization !== undefined || headers.cookie !== undefined || headers.origin !== undefined)
    return false;
  // behind a proxy that is not trusted every client has its address
  const isSeen =
    settings.trustedProxies.length > 0 || PROXY_HEADERS.every((name) => headers[name] === undefined);
  return isSeen && isOfLocalNetwork(ip);
}

const OPEN_GATEWAY: Omit<Actor, "address"> = Object.freeze({
  ...HERE,
  name: "a gateway without a token",
  person: "a gateway without a token",
  scopes: ["mesh:report"] as const,
});

/** The actor of a request that has passed the guard. */
export function actorOf({ actor }: FastifyRequest): Actor {
  if (!actor) throw new Error("a public route has no actor");
  return actor;
}

/** The actor of a request, if known. A wrong `Authorization` is not overridden by a cookie. */
export async function identify(request: FastifyRequest, context: Context): Promise<Actor | undefined> {
  const { auth, settings } = context;
  const bearer = bearerOf(request);
  if (bearer !== undefined) return bearer === "" ? undefined : auth.identify(bearer, request.ip);
  const cookie = readCookie(request, ACCESS_COOKIE);
  const actor = cookie === undefined ? undefined : await auth.identify(cookie, request.ip);
  if (actor) {
    requireSameOrigin(request, context);
    return actor;
  }
  return settings.openReads && isFromHere(request) ? { ...HERE, address: request.ip } : undefined;
}

/** The token of `Authorization: Bearer`; empty: another scheme or an invalid value. */
export function bearerOf({ headers }: FastifyRequest): string | undefined {
  if (headers.authorization === undefined) return undefined;
  return /^Bearer +([A-Za-z0-9._-]{1,4096})$/i.exec(headers.authorization)?.[1] ?? "";
}

/**
 * A browser sends cookies with the requests of any page, but only pages of this server may make changes with them: browsers send the
 * Origin of every change. @throws Refusal CROSS_ORIGIN
 */
export function requireSameOrigin(request: FastifyRequest, { settings }: Pick<Context, "settings">): void {
  if (SAFE_METHODS.includes(request.method)) return;
  const { origin, host } = request.headers;
  const own = settings.publicUrl === undefined ? undefined : new URL(settings.publicUrl).host;
  const from = origin !== undefined && URL.canParse(origin) ? new URL(origin).host : undefined;
  if (from !== undefined && (from === host || from === own)) return;
  throw new Refusal(
    "CROSS_ORIGIN",
    `a change with the dashboard's cookie must come from its own pages, not from ${origin ?? "nowhere"}`,
  );
}

function isFromHere(request: FastifyRequest): boolean {
  return (
    isLoopback(request.socket.remoteAddress ?? "") &&
    isLoopback(hostName(request.headers.host ?? "")) &&
    PROXY_HEADERS.every((name) => request.headers[name] === undefined)
  );
}

/** Whether an address or a host name can only mean this machine. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\]|::ffff:127(\.\d{1,3}){3})$/i.test(host);
}

const hostName = (host: string): string => host.replace(/:\d+$/, "");
