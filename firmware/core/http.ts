// The head of an HTTP/1.1 request and the text of an answer, for the push port, where the SDK's server will not do: it has no
// limits and does not answer `Expect: 100-continue`. Pure: bytes in, a value out. It never sees a body.

import type { HttpResponse } from "./effect.js";
import { fail, type Result, succeed } from "./errors.js";

/** Request line and headers without the release manifest, as most servers allow. */
const MAX_HEAD_BYTES = 4096;
/** A manifest has 58 characters for each 16 KiB of image: enough for 3 MiB. */
const MAX_RELEASE_BYTES = 12 * 1024;
/** Each step makes a new text: one of each character would fill the device's heap with the old ones. */
const CHARACTERS_A_STEP = 64;
/** Header with the signed release manifest of a pushed image. */
export const RELEASE_HEADER = "x-skyslot-release";

export interface RequestHead {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Lower-case names; of a repeated header the last. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface HeadReader {
  readonly text: string;
  /** The head or what is wrong with it, as soon as either is known. */
  readonly head: Result<RequestHead, HeadError> | undefined;
  /** Where the body begins in the piece that completed the head. */
  readonly bodyOffset: number;
}

export type HeadError = "HEAD_TOO_LONG" | "HEAD_MALFORMED" | "LENGTH_AMBIGUOUS";

export const newHeadReader: HeadReader = Object.freeze({ text: "", head: undefined, bodyOffset: 0 });

/** Takes the next bytes of a request, cut anywhere. */
export function readHead(reader: HeadReader, bytes: Uint8Array): HeadReader {
  if (reader.head) return reader;
  const before = reader.text.length;
  let text = reader.text;
  for (let i = 0; i < bytes.length; i += CHARACTERS_A_STEP) {
    text += String.fromCharCode(...bytes.subarray(i, i + CHARACTERS_A_STEP));
  }
  const end = text.indexOf("\r\n\r\n", Math.max(0, before - 3));
  if (end < 0) {
    const tooLong = text.length > MAX_HEAD_BYTES + MAX_RELEASE_BYTES;
    return tooLong ? { ...reader, text: "", head: headTooLong(text.length) } : { ...reader, text };
  }
  return { text: "", head: parseHead(text.slice(0, end)), bodyOffset: end + 4 - before };
}

const headTooLong = (sizeBytes: number) =>
  fail(
    "HEAD_TOO_LONG",
    `request head is ${sizeBytes} bytes, at most ${MAX_HEAD_BYTES} and a manifest of ${MAX_RELEASE_BYTES} are read`,
  );

function parseHead(text: string): Result<RequestHead, HeadError> {
  const [requestLine = "", ...lines] = text.split("\r\n");
  const [method, target, protocol, ...rest] = requestLine.split(" ");
  if (!method || !/^[A-Z]{1,16}$/.test(method) || !target?.startsWith("/") || rest.length > 0) {
    return fail("HEAD_MALFORMED", "the request line is not METHOD /path HTTP/1.1");
  }
  if (protocol !== "HTTP/1.1" && protocol !== "HTTP/1.0") {
    return fail("HEAD_MALFORMED", "only HTTP/1.1 is spoken here");
  }
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const match = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    const name = match?.[1]?.toLowerCase();
    if (name === undefined) return fail("HEAD_MALFORMED", "a header line is not Name: value");
    const value = match?.[2] ?? "";
    if (name === "content-length" && headers[name] !== undefined && headers[name] !== value) {
      return fail("LENGTH_AMBIGUOUS", `two lengths, ${headers[name]} and ${value}`);
    }
    headers[name] = value;
  }
  const releaseBytes = headers[RELEASE_HEADER]?.length ?? 0;
  if (releaseBytes > MAX_RELEASE_BYTES || text.length - releaseBytes > MAX_HEAD_BYTES) {
    return headTooLong(text.length);
  }
  return succeed({ method, path: target.split("?")[0] ?? "/", headers });
}

/** Bytes of the body as its header says; nothing if there is no such header, if it is no number, or if the body is chunked. */
export function contentLength({ headers }: RequestHead): number | undefined {
  const text = headers["content-length"];
  if (headers["transfer-encoding"] !== undefined || text === undefined) return undefined;
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

export const expectsContinue = ({ headers }: RequestHead): boolean =>
  headers.expect?.toLowerCase() === "100-continue";

/**
 * The origin of a page that may read the answer: one of this very host, whatever its port, so that the device's page on port 80
 * can push to 3232. Nothing if there is no such page.
 */
export function allowedOrigin({ headers }: RequestHead): string | undefined {
  const { origin, host } = headers;
  const hostName = host?.toLowerCase().split(":")[0];
  const originName = /^http:\/\/([^/:]+)(:\d{1,5})?$/.exec(origin?.toLowerCase() ?? "")?.[1];
  return originName !== undefined && originName === hostName ? origin : undefined;
}

/** An answer as it goes over the wire; the connection ends after it. */
export function formatResponse(response: HttpResponse, bodyBytes: number, origin?: string): string {
  const headers: Record<string, string> = {
    ...response.headers,
    ...(origin === undefined ? {} : { "access-control-allow-origin": origin, vary: "origin" }),
    ...(response.status === 204 ? {} : { "content-length": `${bodyBytes}` }),
    connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${response.status} ${REASONS[response.status] ?? "Error"}\r\n${lines.join("")}\r\n${response.body}`;
}

export const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

const REASONS: Readonly<Record<number, string>> = Object.freeze({
  200: "OK",
  204: "No Content",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  411: "Length Required",
  413: "Content Too Large",
  422: "Unprocessable Content",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
});
