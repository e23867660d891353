// Default deny: a route that does not say it is public needs a token. Three ways in:
//   1. `Authorization: Bearer TOKEN`: everything;
//   2. the session cookie that the dashboard's sign-in sets: reads only, so no other site can make a browser change anything;
//   3. a read from this very machine, if the server listens on loopback only: that is how the dashboard opens without sign-in.
// The third asks for a loopback peer, a loopback Host (or a web page could reach it by DNS rebinding) and no sign of a proxy.

import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Context } from "./context.js";
import { ApiError } from "./errors.js";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Anyone may ask: the device API, health and the sign-in. */
    readonly isPublic?: boolean;
  }
}

export const SESSION_COOKIE = "skyslot_session";
const PROXY_HEADERS = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"] as const;

export function guard(app: FastifyInstance, context: Context): void {
  app.addHook("onRequest", async (request, reply) => {
    if (request.routeOptions.config.isPublic || request.is404) return;
    if (await isAllowed(request, context)) return;
    reply.header("www-authenticate", 'Bearer realm="skyslot"');
    throw new ApiError(
      401,
      "UNAUTHORIZED",
      "this needs a token: send Authorization: Bearer, see admin.token in the data folder",
    );
  });
}

/** Whether a request may do what it asks. The page `/` asks this too, to show its sign-in instead of an error. */
export async function isAllowed(request: FastifyRequest, { auth, settings }: Context): Promise<boolean> {
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    const [, token] = /^Bearer +([A-Za-z0-9._-]{1,4096})$/i.exec(authorization) ?? [];
    return token !== undefined && (await auth.verify(token)) !== undefined;
  }
  if (request.method !== "GET" && request.method !== "HEAD") return false;
  const session = readCookie(request.headers.cookie ?? "", SESSION_COOKIE);
  if (session && (await auth.verify(session)) !== undefined) return true;
  return settings.openReads && isFromHere(request);
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

function readCookie(header: string, name: string): string | undefined {
  for (const pair of header.split(";")) {
    const [key, value] = pair.trim().split("=");
    if (key === name) return value;
  }
  return undefined;
}
