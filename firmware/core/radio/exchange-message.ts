// An exchange over the radio, as bytes: a request and its answer, in HTTP's terms, short enough to be held at once. Only headers that somebody
// uses travel. Pure: a value in, bytes out, and back; knows nothing of frames (exchange-frames.ts).
//
//   request   GET /api/ota/download/7\nrange: bytes=0-99\n\n
//   answer    206\ncontent-length: 100\n\n<the body>

import { byteText, utf8Decode, utf8Encode } from "../bytes.js";
import { readDigits } from "../digits.js";
import { KEPT_ANSWER_HEADERS } from "../http/answer-head.js";

/** Of a request, and of an answer: a node or a gateway holds a few of them. The longest answer to a check is 7 KiB. */
export const MAX_EXCHANGE_BYTES = 8 * 1024;
/** In front of a body: an address (of a store's signed link, 1 000), a token (300), a few short headers. */
const MAX_HEAD_BYTES = 2_048;
const MAX_TARGET_LENGTH = 1_024;
const MAX_VALUE_LENGTH = 512;

/** Says which image comes in blocks, instead of a body: `<id, 16 hex digits> <bytes of the image> <bytes a chunk>`. */
export const BLOCKS_HEADER = "x-skyslot-blocks";
/** The id of the gateway that a request came through. */
export const GATEWAY_HEADER = "x-skyslot-gateway";

export interface ExchangeRequest {
  readonly method: "GET" | "POST";
  /** Path and query at the update server. */
  readonly target: string;
  /** By lower-case names: REQUEST_HEADERS only. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ExchangeAnswer {
  readonly status: number;
  /** By lower-case names: ANSWER_HEADERS only. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const REQUEST_HEADERS: readonly string[] = Object.freeze(["authorization", "content-type", "range"]);
const ANSWER_HEADERS: readonly string[] = Object.freeze([...KEPT_ANSWER_HEADERS, BLOCKS_HEADER]);

const LF = 0x0a;
const NO_BYTES = new Uint8Array(0);

/** `undefined`: it is longer than an exchange may be. */
export function writeRequest({ method, target, headers, body }: ExchangeRequest): Uint8Array | undefined {
  return message(`${method} ${target}\n${headerLines(headers, REQUEST_HEADERS)}\n`, utf8Encode(body));
}

/** `undefined`: it is longer than an exchange may be. */
export function writeAnswer({ status, headers, body }: ExchangeAnswer): Uint8Array | undefined {
  return message(`${status}\n${headerLines(headers, ANSWER_HEADERS)}\n`, body);
}

/** `undefined`: it is none. */
export function readRequest(bytes: Uint8Array): ExchangeRequest | undefined {
  const read = readMessage(bytes, REQUEST_HEADERS);
  if (!read) return undefined;
  const blank = read.first.indexOf(" ");
  const method = read.first.slice(0, Math.max(0, blank));
  const target = read.first.slice(blank + 1);
  if ((method !== "GET" && method !== "POST") || !isTarget(target)) return undefined;
  const body = utf8Decode(read.body);
  return body === undefined ? undefined : { method, target, headers: read.headers, body };
}

/** `undefined`: it is none. */
export function readAnswer(bytes: Uint8Array): ExchangeAnswer | undefined {
  const read = readMessage(bytes, ANSWER_HEADERS);
  const status = read && readDigits(read.first, 3);
  if (!read || status === undefined || status < 200 || status > 599) return undefined;
  return { status, headers: read.headers, body: read.body };
}

function message(head: string, body: Uint8Array): Uint8Array | undefined {
  const bytes = utf8Encode(head);
  if (bytes.length > MAX_HEAD_BYTES || bytes.length + body.length > MAX_EXCHANGE_BYTES) return undefined;
  const whole = new Uint8Array(bytes.length + body.length);
  whole.set(bytes);
  whole.set(body, bytes.length);
  return whole;
}

function headerLines(headers: Readonly<Record<string, string>>, names: readonly string[]): string {
  let lines = "";
  for (const name of names) {
    const value = headers[name];
    if (value !== undefined && isValue(value)) lines += `${name}: ${value}\n`;
  }
  return lines;
}

interface ReadMessage {
  readonly first: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

function readMessage(bytes: Uint8Array, names: readonly string[]): ReadMessage | undefined {
  if (bytes.length > MAX_EXCHANGE_BYTES) return undefined;
  let first: string | undefined;
  const headers: Record<string, string> = {};
  for (let start = 0; ; ) {
    const end = bytes.indexOf(LF, start);
    if (end < 0 || end >= MAX_HEAD_BYTES) return undefined;
    const line = byteText(bytes.subarray(start, end));
    start = end + 1;
    if (first === undefined) first = line;
    else if (line === "")
      return { first, headers, body: start < bytes.length ? bytes.subarray(start) : NO_BYTES };
    else if (!takeHeader(headers, line, names)) return undefined;
  }
}

/** Names are those of the list, never the text's own: XS keeps every name that it has seen. */
function takeHeader(headers: Record<string, string>, line: string, names: readonly string[]): boolean {
  const colon = line.indexOf(": ");
  const name = names[names.indexOf(line.slice(0, Math.max(0, colon)))];
  const value = line.slice(colon + 2);
  if (name === undefined || headers[name] !== undefined || !isValue(value)) return false;
  headers[name] = value;
  return true;
}

/** Visible ASCII: it becomes part of an HTTP request. */
function isTarget(text: string): boolean {
  if (text.length > MAX_TARGET_LENGTH || text.charCodeAt(0) !== 0x2f) return false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code <= 0x20 || code > 0x7e || code === 0x23) return false;
  }
  return true;
}

function isValue(text: string): boolean {
  if (text.length > MAX_VALUE_LENGTH) return false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}

/** An answer of the gateway itself. A node takes none of these statuses for the last word on a part of an image. */
export function problem(status: number, message: string, retrySeconds = 0): ExchangeAnswer {
  const body = JSON.stringify({ error: message });
  return {
    status,
    headers: {
      "content-type": "application/json",
      ...(retrySeconds > 0 ? { "retry-after": `${retrySeconds}` } : {}),
    },
    body: utf8Encode(body),
  };
}
