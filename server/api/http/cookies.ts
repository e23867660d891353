// The dashboard's three cookies. Scripts cannot see them and other sites cannot send them; all go to paths under the server's prefix only,
// the refresh token to the routes under /api/auth. What a browser is known by (auth/known-clients.ts) opens nothing. Over TLS they never
// travel without it.

import type { FastifyReply, FastifyRequest } from "fastify";
import { ACCESS_VALID_MS } from "../../auth/access-tokens.js";
import { KNOWN_MS } from "../../auth/known-clients.js";
import { SESSION_VALID_MS } from "../../auth/sessions.js";
import type { Context } from "../context.js";

export const ACCESS_COOKIE = "skyslot_access";
export const REFRESH_COOKIE = "skyslot_refresh";
export const BROWSER_COOKIE = "skyslot_browser";

const accessPath = ({ prefix }: Context): string => prefix || "/";
const refreshPath = ({ prefix }: Context): string => `${prefix}/api/auth`;
/** Also for /api/setup, which signs in too. */
const browserPath = ({ prefix }: Context): string => `${prefix}/api`;

export function readCookie({ headers }: FastifyRequest, name: string): string | undefined {
  for (const pair of (headers.cookie ?? "").split(";")) {
    const [key, value] = pair.trim().split("=");
    if (key === name) return value;
  }
  return undefined;
}

/** Without a refresh token the browser keeps the one that it has. */
export function setCookies(
  reply: FastifyReply,
  context: Context,
  { access, refresh }: { readonly access: string; readonly refresh?: string | undefined },
): void {
  setCookie(reply, context, ACCESS_COOKIE, access, accessPath(context), ACCESS_VALID_MS);
  if (refresh !== undefined)
    setCookie(reply, context, REFRESH_COOKIE, refresh, refreshPath(context), SESSION_VALID_MS);
}

export const setBrowserCookie = (reply: FastifyReply, context: Context, secret: string): void =>
  setCookie(reply, context, BROWSER_COOKIE, secret, browserPath(context), KNOWN_MS);

/** The browser stays known. */
export function clearCookies(reply: FastifyReply, context: Context): void {
  setCookie(reply, context, ACCESS_COOKIE, "", accessPath(context), 0);
  setCookie(reply, context, REFRESH_COOKIE, "", refreshPath(context), 0);
}

function setCookie(
  reply: FastifyReply,
  { settings }: Context,
  name: string,
  value: string,
  path: string,
  validMs: number,
): void {
  const isSecure = reply.request.protocol === "https" || settings.publicUrl?.startsWith("https:") === true;
  const end = isSecure ? "; Secure" : "";
  reply.header(
    "set-cookie",
    `${name}=${value}; Path=${path}; HttpOnly; SameSite=Strict; Max-Age=${Math.floor(validMs / 1000)}${end}`,
  );
}
