// The head of an HTTP/1.1 request and the head of its response, for both of the device's ports. Pure: bytes in, a value out. Never sees a
// body, and never holds a head as one string.
//
// Any client in the network may send a head, so it is read line by line, as bytes, with the same limits for every client:
//
//   2 048 bytes        request line and headers, without the value of X-Skyslot-Release. Of them only the headers that are
//                      used here are kept, with at most 300 bytes each; of the others not even the name.
//   1 536 bytes more   the value of X-Skyslot-Release, once, in a request that brings an image.
//
// The client chooses the order of the headers: the release may come before the token that authorizes it. So these 3 584 bytes are all
// that is read before the token is checked, and nothing larger fits into a head. Beyond them the head is refused (431), what was kept is
// dropped, and what still arrives is discarded: 64 KiB, or a body of up to 4 MiB if it was announced. A body is not read before its head
// was checked. The most that heads can hold: four on port 80, one of them with a release, and one of three on 3232 (heads with room for a release
// are read one at a time on each port), each about to be complete, with their connections 22 KB of XS's heap (test/xs/heads.test.ts measures it).
//
// Texts from outside are bounded before a regular expression sees them: for each round of a `*` or `+` XS allocates some 40 bytes of the
// system's heap, for backtracking.

import { byteText } from "../bytes.js";
import type { HttpResponse } from "../effect.js";
import { fail, type Result, succeed } from "../errors.js";
import type { RequestHead } from "../event.js";
import { headProblem } from "./framing.js";
import { isPush } from "./push-paths.js";
import { type RequestLine, readRequestLine } from "./request-line.js";

/** Request line, headers and the empty line behind them, without the value of X-Skyslot-Release. */
export const MAX_HEAD_BYTES = 2048;
/** Longest release manifest of format 2, whose digests come in pages beside it. */
export const MAX_RELEASE_BYTES = 1536;
/** Of each other header that is kept: a token has 256 characters, a host name 255. */
const MAX_VALUE_BYTES = 300;
/** Header with the signed release manifest of a pushed image. */
export const RELEASE_HEADER = "x-skyslot-release";

/** The headers that are used; every other one is dropped as it arrives. Of `Accept`, only that JSON is in it: browsers send long ones. */
const KEPT_HEADERS: readonly string[] = Object.freeze([
  "accept",
  "authorization",
  "content-length",
  "content-type",
  "expect",
  "host",
  "origin",
  "transfer-encoding",
  RELEASE_HEADER,
]);
const MAX_KEPT_NAME_BYTES = 17;

const LF = 0x0a;
const CR = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const COLON = 0x3a;

export interface HeadReader {
  /** The beginning of a line whose end has not arrived yet. */
  readonly line: Uint8Array;
  /** Bytes of the lines so far, without the value of X-Skyslot-Release. */
  readonly sizeBytes: number;
  readonly request: RequestLine | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** The head or what is wrong with it, as soon as either is known. */
  readonly head: Result<RequestHead, HeadError> | undefined;
  /** Where the body begins in the piece that completed the head. */
  readonly bodyOffset: number;
}

export type HeadError = "HEAD_TOO_LONG" | "RELEASE_TOO_LONG" | "HEAD_MALFORMED" | "HEADER_REPEATED";

const NO_BYTES = new Uint8Array(0);
const JSON_TYPE = "application/json";

/** A head of which nothing has arrived. */
export const newHeadReader = (): HeadReader => ({
  line: NO_BYTES,
  sizeBytes: 0,
  request: undefined,
  headers: NO_HEADERS,
  head: undefined,
  bodyOffset: 0,
});

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** Reads the next bytes of a request, split anywhere. Keeps none of them: the buffer may be reused. */
export function readHead(reader: HeadReader, bytes: Uint8Array): HeadReader {
  let next = reader;
  let start = 0;
  while (!next.head) {
    const end = bytes.indexOf(LF, start) + 1;
    if (end === 0) return keep(next, bytes.subarray(start));
    const line = bytes.subarray(start, end);
    next = takeLine(next, next.line.length === 0 ? line : join(next.line, line));
    start = end;
  }
  return start === 0 ? next : { ...next, bodyOffset: start };
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function keep(reader: HeadReader, bytes: Uint8Array): HeadReader {
  if (bytes.length === 0) return reader;
  const line = join(reader.line, bytes);
  return isTooLong(reader, line) ? tooLong(reader, line) : { ...reader, line };
}

/** Whether a line, complete or not, exceeds the limits. */
function isTooLong(reader: HeadReader, line: Uint8Array): boolean {
  const beyond = reader.sizeBytes + line.length - MAX_HEAD_BYTES;
  return beyond > 0 && (beyond > MAX_RELEASE_BYTES || !isRelease(reader, line));
}

/** Whether it has room for a release. */
export const takesRelease = ({ request }: HeadReader): boolean => request !== undefined && isPush(request);

/** Whether a line is the release header, which is accepted once. */
const isRelease = (reader: HeadReader, line: Uint8Array): boolean =>
  takesRelease(reader) &&
  reader.headers[RELEASE_HEADER] === undefined &&
  line[RELEASE_HEADER.length] === COLON &&
  nameOf(line, RELEASE_HEADER.length) === RELEASE_HEADER;

const nameOf = (line: Uint8Array, colon: number): string => byteText(line.subarray(0, colon)).toLowerCase();

function takeLine(reader: HeadReader, line: Uint8Array): HeadReader {
  if (isTooLong(reader, line)) return tooLong(reader, line);
  if (line[line.length - 2] !== CR) return malformed(reader, "a line does not end in CR LF");
  if (!reader.request)
    return reader.sizeBytes === 0 && line.length === 2 ? skipLine(reader) : takeRequestLine(reader, line);
  return line.length === 2 ? complete(reader, reader.request, line) : takeHeader(reader, line);
}

/** An empty line before the first one: the end of an earlier body, to some clients (RFC 9112, 2.2). */
const skipLine = (reader: HeadReader): HeadReader => ({ ...reader, line: NO_BYTES, sizeBytes: 2 });

function takeRequestLine(reader: HeadReader, line: Uint8Array): HeadReader {
  const request = readRequestLine(byteText(line.subarray(0, line.length - 2)));
  if (typeof request === "string") return malformed(reader, request);
  return { ...reader, line: NO_BYTES, sizeBytes: reader.sizeBytes + line.length, request };
}

function takeHeader(reader: HeadReader, line: Uint8Array): HeadReader {
  const colon = line.indexOf(COLON);
  if (colon < 1 || isBlank(line[0]) || isBlank(line[colon - 1])) {
    return malformed(reader, "a header line is not Name: value");
  }
  const name = colon <= MAX_KEPT_NAME_BYTES ? nameOf(line, colon) : "";
  const sizeBytes = reader.sizeBytes + line.length;
  const isUsed = KEPT_HEADERS.includes(name) && (name !== RELEASE_HEADER || takesRelease(reader));
  if (!isUsed) return { ...reader, line: NO_BYTES, sizeBytes };
  if (name === "accept") {
    const headers = asksForJson(line) ? { ...reader.headers, accept: JSON_TYPE } : reader.headers;
    return { ...reader, line: NO_BYTES, sizeBytes, headers };
  }
  if (reader.headers[name] !== undefined) return failed(reader, "HEADER_REPEATED", `${name} occurs twice`);
  const value = fieldOf(line, colon + 1);
  if (/[^\t -~\x80-\xff]/.test(value)) return malformed(reader, `${name} has a control character in it`);
  const isLarge = isRelease(reader, line);
  const countedBytes = isLarge ? sizeBytes - value.length : sizeBytes;
  if (isLarge && value.length > MAX_RELEASE_BYTES) return releaseTooLong(reader);
  if ((!isLarge && value.length > MAX_VALUE_BYTES) || countedBytes > MAX_HEAD_BYTES)
    return headTooLong(reader);
  const headers = { ...reader.headers, [name]: value };
  return { ...reader, line: NO_BYTES, sizeBytes: countedBytes, headers };
}

const asksForJson = (line: Uint8Array): boolean => byteText(line).toLowerCase().includes(JSON_TYPE);

const isBlank = (byte: number | undefined): boolean => byte === SPACE || byte === TAB;

/** Without the blanks around it. String's trim takes away more than those: a length of "5\u00a0" is none. */
function fieldOf(line: Uint8Array, from: number): string {
  let start = from;
  let end = line.length - 2;
  while (start < end && isBlank(line[start])) start++;
  while (start < end && isBlank(line[end - 1])) end--;
  return byteText(line.subarray(start, end));
}

function complete(reader: HeadReader, request: RequestLine, line: Uint8Array): HeadReader {
  const { method, path, query, host, isOld } = request;
  const problem = headProblem(request, reader.headers);
  if (problem !== undefined) return malformed(reader, problem);
  const { expect, ...others } = reader.headers;
  const headers = {
    ...others,
    ...(host === undefined ? {} : { host }),
    ...(expect === undefined || isOld ? {} : { expect }), // an older client could not read the interim answer
  };
  const head = succeed({ method, path, ...(query === "" ? {} : { query }), headers });
  return { ...reader, line: NO_BYTES, sizeBytes: reader.sizeBytes + line.length, headers: NO_HEADERS, head };
}

// ── errors

const tooLong = (reader: HeadReader, line: Uint8Array): HeadReader =>
  isRelease(reader, line) ? releaseTooLong(reader) : headTooLong(reader);

const headTooLong = (reader: HeadReader): HeadReader =>
  failed(
    reader,
    "HEAD_TOO_LONG",
    `at most ${MAX_HEAD_BYTES} bytes of head are read, and ${MAX_VALUE_BYTES} of a header`,
  );

const releaseTooLong = (reader: HeadReader): HeadReader =>
  failed(
    reader,
    "RELEASE_TOO_LONG",
    `X-Skyslot-Release has more than ${MAX_RELEASE_BYTES} bytes: sign the release again, in the current format it is shorter`,
  );

const malformed = (reader: HeadReader, message: string): HeadReader =>
  failed(reader, "HEAD_MALFORMED", message);

/** Nothing of a refused head is kept. */
const failed = (reader: HeadReader, code: HeadError, message: string): HeadReader => ({
  ...reader,
  line: NO_BYTES,
  headers: NO_HEADERS,
  head: fail(code, message),
});

/** The status of the answer to a head that is refused. */
export const headStatus = (code: HeadError): number =>
  code === "HEAD_TOO_LONG" || code === "RELEASE_TOO_LONG" ? 431 : 400;

// ── what a head contains

/** Whether a client asks for JSON: the device's page and programs do. curl and scripts do not, and print what they get. */
export const wantsJson = ({ headers }: RequestHead): boolean => headers.accept === JSON_TYPE;

export const expectsContinue = ({ headers }: RequestHead): boolean =>
  headers.expect?.toLowerCase() === "100-continue";

/** Lower case, without the port; empty if none was sent, which only HTTP/1.0 allows. */
export const hostNameOf = ({ headers }: RequestHead): string =>
  (headers.host ?? "").split(":", 1)[0]?.toLowerCase() ?? "";

/**
 * The origin of a page that may read the answer: one of this very host, whatever its port, so that the device's page on port 80
 * can push to 3232. Nothing if there is no such page.
 */
export function allowedOrigin(head: RequestHead): string | undefined {
  const { origin } = head.headers;
  const originName = /^http:\/\/([^/:]+)(:\d{1,5})?$/.exec(origin?.toLowerCase() ?? "")?.[1];
  return originName !== undefined && originName === hostNameOf(head) ? origin : undefined;
}

// ── the response

/** The head of an answer as it goes over the wire; the connection ends after it. `origin`: of the page that may read it. */
export function formatHead({ status, headers }: HttpResponse, sizeBytes: number, origin?: string): string {
  const all: Record<string, string> = {
    ...headers,
    ...(origin === undefined ? {} : { "access-control-allow-origin": origin, vary: "origin" }),
    ...(status === 204 ? {} : { "content-length": `${sizeBytes}` }),
    connection: "close",
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${REASONS[status] ?? "Error"}\r\n${lines.join("")}\r\n`;
}

export const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

const REASONS: Readonly<Record<number, string>> = Object.freeze({
  200: "OK",
  202: "Accepted",
  204: "No Content",
  302: "Found",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  411: "Length Required",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  507: "Insufficient Storage",
});
