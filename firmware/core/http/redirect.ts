// Follows a redirect: the same request at another address, for whichever machine made it. The address is judged like any other.
//
// A POST stays a POST: RFC 9110 (15.4) lets a client make a GET of it after 301 and 302, but a check without its body says nothing.
// After 303, where it would have to be a GET, it is not followed. Neither is a redirect that asks to wait first, or one from https to http.
// The token goes to the origin that it is for, and to no other.

import type { HttpRequest } from "../effect.js";
import { fail, type Result, succeed } from "../errors.js";
import { addressText, originOf, readAddress, resolveAddress } from "./address.js";
import type { Headers } from "./answer-head.js";

const MAX_REDIRECT_COUNT = 3;

const FOLLOWED: readonly number[] = Object.freeze([301, 302, 303, 307, 308]);

/** The next request; `undefined`: the answer is no redirect that can be followed. A failure's message is about the server. */
export function followRedirect(
  request: HttpRequest,
  { status, headers }: { readonly status: number; readonly headers: Headers },
  redirectCount: number,
): Result<HttpRequest, "REDIRECT_FAILED"> | undefined {
  const { location } = headers;
  if (!FOLLOWED.includes(status) || !location || isDelayed(headers)) return undefined;
  if (status === 303 && request.method === "POST") return undefined;
  if (redirectCount >= MAX_REDIRECT_COUNT)
    return fail("REDIRECT_FAILED", `redirects more than ${MAX_REDIRECT_COUNT} times`);
  const base = readAddress(request.url);
  const target = base.ok ? resolveAddress(location, base.value) : base;
  if (!target.ok)
    return fail("REDIRECT_FAILED", `redirects to an unusable address. ${target.failure.message}`);
  if (base.ok && base.value.isSecure && !target.value.isSecure)
    return fail(
      "REDIRECT_FAILED",
      "redirects from https:// to http://, where others can read and change the answer",
    );
  const url = addressText(target.value);
  const { authorization, ...others } = request.headers;
  const isSame = originOf(url) === originOf(request.url);
  const sent = authorization !== undefined && isSame ? { ...others, authorization } : others;
  return succeed({ ...request, url, headers: sent });
}

const isDelayed = (headers: Headers): boolean => (headers["retry-after"] ?? "0") !== "0";
