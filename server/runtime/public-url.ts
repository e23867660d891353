// Where clients reach this server: `--public-url`. Its path is the prefix of a server behind a proxy that serves other things too.
//
//   https://example.com/ota          links, cookies and pages begin with /ota; requests are answered with and without it, because
//          └── origin ──┘└prefix┘    some proxies remove it, and clients in the same network need no proxy

import type { RequestListener } from "node:http";

/** Longer ones leave too little of what a device accepts as an address. */
const MAX_PREFIX_LENGTH = 128;

/** What it means, without a slash at its end. @throws Error with a sentence about `--public-url` */
export function readPublicUrl(text: string): string {
  const wrong = (what: string) => new Error(`--public-url is "${text}", ${what}`);
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text))
    throw wrong("it must be a URL such as https://updates.example.com or https://example.com/ota");
  const { origin, pathname, search, hash, username, password } = new URL(text);
  if (username !== "" || password !== "") throw wrong("it must not contain a user name or password");
  if (search !== "" || hash !== "" || /[?#]/.test(text)) throw wrong("it must end with its path");
  const prefix = pathname.replace(/\/+$/, "");
  if (prefix.length > MAX_PREFIX_LENGTH)
    throw wrong(`its path has ${prefix.length} characters, ${MAX_PREFIX_LENGTH} are allowed`);
  if (!/^(\/[A-Za-z0-9._~-]+)*$/.test(prefix))
    throw wrong("its path may have letters, digits, and - . _ ~ between slashes");
  return `${origin}${prefix}`;
}

/** The path of a public URL, such as `/ota`; empty: it has none, or there is no public URL. */
export const prefixOf = (publicUrl: string | undefined): string =>
  publicUrl === undefined ? "" : new URL(publicUrl).pathname.replace(/\/$/, "");

/** Removes the prefix of requests that have it. */
export function withoutPrefix(prefix: string, listener: RequestListener): RequestListener {
  if (prefix === "") return listener;
  return (request, response) => {
    request.url = pathBehind(prefix, request.url ?? "/");
    listener(request, response);
  };
}

/** How paths of hawkBit clients go on behind the device type: a type may be called like the prefix. */
const BEHIND_TYPE = "/controller/v1/";

function pathBehind(prefix: string, url: string): string {
  if (!url.startsWith(prefix)) return url;
  const rest = url.slice(prefix.length);
  if (rest === "" || rest.startsWith("?")) return `/${rest}`;
  return rest.startsWith("/") && !rest.startsWith(BEHIND_TYPE) ? rest : url;
}

/** @throws Error if requests to a route would lose the beginning of their path */
export function requireFreePrefix(prefix: string, route: string): void {
  const [, first] = prefix.split("/");
  if (first && route.split("/")[1] === first)
    throw new Error(
      `the path of --public-url cannot begin with /${first}, which the server uses itself: ${route}`,
    );
}
