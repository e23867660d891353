// The first line of an HTTP request, `METHOD target HTTP/1.1`, and the host that a request names. Pure. RFC 9112, 3 and RFC 9110, 9.1.

export interface RequestLine {
  readonly method: string;
  readonly path: string;
  /** Behind the `?`; empty: none, or a longer one than anything here reads. */
  readonly query: string;
  /** Of a target that names it: then it counts, not the header (RFC 9112, 3.2.2). */
  readonly host: string | undefined;
  /** HTTP/1.0: without a Host, without chunks, without interim answers. */
  readonly isOld: boolean;
}

const MAX_METHOD_CHARACTERS = 16;
const MAX_HOST_CHARACTERS = 300;
const MAX_PORT_DIGITS = 5;
const MAX_QUERY_CHARACTERS = 100;
const SCHEME = "http://";

/** Others are answered with 501: not implemented, on any page. */
const METHODS: readonly string[] = Object.freeze([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "OPTIONS",
  "PATCH",
  "TRACE",
  "CONNECT",
]);

export const isKnownMethod = (method: string): boolean => METHODS.includes(method);

/** The line, or a sentence that says what is wrong with it. */
export function readRequestLine(text: string): RequestLine | string {
  const first = text.indexOf(" ");
  const last = text.lastIndexOf(" ");
  const method = text.slice(0, Math.max(0, first));
  const target = readTarget(method, text.slice(first + 1, last));
  if (!isMethod(method) || !target) return "the request line is not METHOD /path HTTP/1.1";
  const protocol = text.slice(last + 1);
  // a later minor version is understood by those of an earlier one (RFC 9110, 2.5)
  if (!/^HTTP\/1\.\d$/.test(protocol)) return "only HTTP/1.1 is spoken here";
  return { method, ...target, isOld: protocol === "HTTP/1.0" };
}

/** A token (RFC 9110, 5.6.2). */
const isMethod = (method: string): boolean =>
  method !== "" && method.length <= MAX_METHOD_CHARACTERS && !/[^A-Za-z0-9!#$%&'*+.^_`|~-]/.test(method);

/** `/path?query`, or `http://host/path?query`, as a proxy is asked, or `OPTIONS *`. */
function readTarget(
  method: string,
  target: string,
): Pick<RequestLine, "path" | "query" | "host"> | undefined {
  if (/[^!-~]/.test(target)) return undefined;
  if (target === "*" && method === "OPTIONS") return { path: "*", query: "", host: undefined };
  const mark = target.indexOf("?");
  const asked = mark < 0 ? "" : target.slice(mark + 1);
  const query = asked.length > MAX_QUERY_CHARACTERS ? "" : asked;
  const beforeMark = mark < 0 ? target : target.slice(0, mark);
  if (target.startsWith("/")) return { path: beforeMark, query, host: undefined };
  if (beforeMark.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return undefined;
  const beforeQuery = beforeMark.slice(SCHEME.length);
  const slash = beforeQuery.indexOf("/");
  const host = slash < 0 ? beforeQuery : beforeQuery.slice(0, slash);
  if (!isHost(host)) return undefined;
  return { path: slash < 0 ? "/" : beforeQuery.slice(slash), query, host };
}

/** `name`, `name:80`, `192.168.1.20:80` or `[fe80::1]:80`; a name that is empty is none. */
export function isHost(text: string): boolean {
  if (text.length > MAX_HOST_CHARACTERS || /[^!-~]|[/?#@\\]/.test(text)) return false;
  const bracket = text.indexOf("]");
  const colon = text.indexOf(":", bracket + 1);
  const name = colon < 0 ? text : text.slice(0, colon);
  const port = colon < 0 ? "" : text.slice(colon + 1);
  if (port.length > MAX_PORT_DIGITS || /\D/.test(port) || Number(port) > 65_535) return false;
  return name !== "" && name.startsWith("[") === bracket > 0 && (bracket < 0 || bracket === name.length - 1);
}
