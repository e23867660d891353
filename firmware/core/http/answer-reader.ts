// Reads the answer to a request: its head, and which of the bytes behind it belong to its body. Pure: bytes in, a value out. Never sees a
// byte of the body, and never holds a head as one text: servers, proxies and captive networks send what they like.
//
//   head ─ 100, 103 … ─► head                                                     5 times at most
//     ├─ 204, 304, no bytes ─────────────────────────────────────────► over
//     ├─ a length, or until the connection ends ─► body ─────────────► over
//     └─ chunked ─► chunkLine ─► body ─► chunkEnd ─► chunkLine … ─ 0 ─► trailer ─► over
//
// Tolerant where a meaning is clear: no reason in the status line, lines that end in a bare LF, folded and empty headers, HTTP/1.0, lengths
// that are repeated. Strict about where a body ends: a length is digits, a coding is `chunked` alone, a chunk line ends in CR LF.
//
//   16 384 bytes   all heads of an answer, and once more its trailer
//    2 304 bytes   a line with a header that is used; the others are dropped as they arrive, whatever their length
//      512 bytes   a chunk line with its extensions

import { byteText } from "../bytes.js";
import { readDigits, readHexDigits } from "../digits.js";
import { KEPT_ANSWER_HEADERS } from "./answer-head.js";

export const MAX_ANSWER_HEAD_BYTES = 16_384;
/** A link that a file store has signed is longer than 1 000 bytes. */
const MAX_LINE_BYTES = 2_304;
const MAX_CHUNK_LINE_BYTES = 512;
const MAX_INTERIM_COUNT = 5;
const MAX_KEPT_NAME_BYTES = 17;
/** Read at once of a head: what belongs to the body is given back. */
const HEAD_PIECE_BYTES = 512;
/** CR LF, behind the bytes of a chunk. */
const CHUNK_END_BYTES = 2;
/** The shortest chunk line: a digit, CR LF. */
const LEAST_CHUNK_LINE_BYTES = 3;

const LF = 0x0a;
const CR = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const COLON = 0x3a;

export interface AnswerReader {
  readonly phase: "head" | "body" | "chunkLine" | "chunkEnd" | "trailer" | "over" | "failed";
  /** 0 until the status line was read. */
  readonly status: number;
  /** By lower-case names: KEPT_ANSWER_HEADERS only. Complete when the phase is another than `head`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of the body that come now: of all of it, or of this chunk. Infinity: until the connection ends. */
  readonly bodyBytes: number;
  /** How many of the bytes read last belong to lines; the others belong to the body. */
  readonly usedBytes: number;
  /** What is wrong, if the phase is `failed`: the rest of a sentence about the answer. */
  readonly problem: string;
  readonly isOld: boolean;
  readonly isChunked: boolean;
  readonly interimCount: number;
  /** Bytes of the heads or of the trailer so far. */
  readonly sizeBytes: number;
  /** The beginning of a line whose end has not arrived yet. */
  readonly line: Uint8Array;
  /** The rest of this line is dropped. */
  readonly isSkipping: boolean;
  /** Of the header line before this one: empty if it is not kept, `undefined` if there was none. */
  readonly lastName: string | undefined;
}

const NO_BYTES = new Uint8Array(0);
const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** An answer of which nothing has arrived. */
export const newAnswerReader: AnswerReader = Object.freeze({
  phase: "head",
  status: 0,
  headers: NO_HEADERS,
  bodyBytes: 0,
  usedBytes: 0,
  problem: "",
  isOld: false,
  isChunked: false,
  interimCount: 0,
  sizeBytes: 0,
  line: NO_BYTES,
  isSkipping: false,
  lastName: undefined,
});

/** How many bytes `readAnswer` takes next; 0: the body's are due, or nothing. In between chunks it never asks for a byte of the body. */
export function wantedBytes({ phase, line }: AnswerReader): number {
  switch (phase) {
    case "head":
    case "trailer":
      return HEAD_PIECE_BYTES;
    case "chunkEnd":
      return CHUNK_END_BYTES - line.length + LEAST_CHUNK_LINE_BYTES;
    case "chunkLine":
      if (line.length === 0) return LEAST_CHUNK_LINE_BYTES;
      return line[line.length - 1] === CR ? 1 : 2;
    default:
      return 0;
  }
}

/** Reads lines, split anywhere; see `usedBytes`. Keeps none of these bytes: the buffer may be reused. */
export function readAnswer(reader: AnswerReader, bytes: Uint8Array): AnswerReader {
  let next = reader;
  let start = 0;
  while (start < bytes.length && isReadingLines(next)) {
    const lineEnd =
      next.phase === "chunkEnd" ? start + CHUNK_END_BYTES - next.line.length : bytes.indexOf(LF, start) + 1;
    const isWhole = lineEnd > 0 && lineEnd <= bytes.length;
    const end = isWhole ? lineEnd : bytes.length;
    next = takePart(next, bytes.subarray(start, end), isWhole);
    start = end;
  }
  return { ...next, usedBytes: start };
}

const isReadingLines = ({ phase }: AnswerReader): boolean =>
  phase === "head" || phase === "chunkLine" || phase === "chunkEnd" || phase === "trailer";

/** All `bodyBytes` were read. */
export const bodyTaken = (reader: AnswerReader): AnswerReader => ({
  ...reader,
  phase: reader.isChunked ? "chunkEnd" : "over",
});

/**
 * The connection has ended, and all that arrived was read: the end of a body without a length, too early for any other.
 * @param isCut by TLS, and not by the server itself: anybody may have ended it
 */
export function endAnswer(reader: AnswerReader, isCut = false): AnswerReader {
  if (reader.phase === "body" && reader.bodyBytes === Number.POSITIVE_INFINITY)
    return isCut
      ? failed(reader, "ended without TLS's own end: it may be cut off")
      : { ...reader, phase: "over" };
  return reader.phase === "over" || reader.phase === "failed" ? reader : failed(reader, "ended too early");
}

// ── lines

/** Takes a part of a line, its last one if `isWhole`. */
function takePart(reader: AnswerReader, bytes: Uint8Array, isWhole: boolean): AnswerReader {
  const counted = { ...reader, sizeBytes: reader.sizeBytes + bytes.length };
  if (counted.sizeBytes > MAX_ANSWER_HEAD_BYTES && !isChunkPart(reader))
    return failed(reader, `has more than ${MAX_ANSWER_HEAD_BYTES} bytes of headers`);
  if (reader.isSkipping) return isWhole ? { ...counted, isSkipping: false } : counted;
  const line = reader.line.length === 0 ? bytes : join(reader.line, bytes);
  if (isWhole && (isChunkPart(reader) || line.length <= MAX_LINE_BYTES))
    return takeLine({ ...counted, line: NO_BYTES }, line);
  return keep(counted, line, isWhole);
}

const isChunkPart = ({ phase }: AnswerReader): boolean => phase === "chunkLine" || phase === "chunkEnd";

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** A line that is not complete yet, or too long to be used. */
function keep(reader: AnswerReader, line: Uint8Array, isWhole: boolean): AnswerReader {
  const limit = isChunkPart(reader) ? MAX_CHUNK_LINE_BYTES : MAX_LINE_BYTES;
  if (line.length <= limit) return { ...reader, line: line.slice() };
  if (isChunkPart(reader)) return failed(reader, `has a chunk line of more than ${limit} bytes`);
  const name = droppedName(reader, line);
  if (name === undefined) return failed(reader, `has a line of more than ${limit} bytes`);
  return { ...reader, line: NO_BYTES, isSkipping: !isWhole, lastName: "" };
}

/** Empty if the line is of a header that is not used. */
function droppedName({ phase, status, lastName }: AnswerReader, line: Uint8Array): "" | undefined {
  if (phase === "head" && status === 0) return undefined;
  if (isBlank(line[0])) return phase === "trailer" || lastName === "" ? "" : undefined;
  const colon = line.indexOf(COLON);
  if (colon < 1) return undefined;
  return phase === "trailer" || keptName(line, colon) === "" ? "" : undefined;
}

function takeLine(reader: AnswerReader, line: Uint8Array): AnswerReader {
  switch (reader.phase) {
    case "chunkEnd":
      if (line[0] !== CR || line[1] !== LF)
        return failed(reader, "has a chunk that does not end where it should");
      return { ...reader, phase: "chunkLine" };
    case "chunkLine":
      return takeChunkLine(reader, line);
    case "trailer":
      if (contentEnd(line) === 0) return { ...reader, phase: "over" };
      return isBlank(line[0]) || line.indexOf(COLON) > 0 ? reader : failed(reader, "has a malformed trailer");
    default:
      if (reader.status === 0) return takeStatusLine(reader, line);
      return contentEnd(line) === 0 ? complete(reader) : takeHeader(reader, line);
  }
}

/** Where a line ends without its CR LF, or its bare LF. */
const contentEnd = (line: Uint8Array): number =>
  line[line.length - 2] === CR ? line.length - 2 : line.length - 1;

const isBlank = (byte: number | undefined): boolean => byte === SPACE || byte === TAB;

const textOf = (line: Uint8Array, start: number): string => byteText(line.subarray(start, contentEnd(line)));

/** `HTTP/1.1 200 OK`; the reason is optional. */
function takeStatusLine(reader: AnswerReader, line: Uint8Array): AnswerReader {
  const text = textOf(line, 0);
  const status = readDigits(text.slice(9, 12));
  const rest = text.slice(12);
  const isOne = text.startsWith("HTTP/1.") && readDigits(text.slice(7, 8)) !== undefined && text[8] === " ";
  if (!isOne || status === undefined || status < 100 || (rest !== "" && !rest.startsWith(" ")))
    return failed(reader, `is no HTTP/1.1: it begins with "${printable(text.slice(0, 20))}"`);
  return { ...reader, status, isOld: text[7] === "0" };
}

/** What a message can show of a text that is not known to be one. */
function printable(text: string): string {
  let shown = "";
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    shown += code < 0x20 || code > 0x7e ? "." : text.charAt(at);
  }
  return shown;
}

function takeHeader(reader: AnswerReader, line: Uint8Array): AnswerReader {
  if (isBlank(line[0])) return takeFolded(reader, line);
  const colon = line.indexOf(COLON);
  if (colon < 1) return failed(reader, "has a header line without a name");
  const name = keptName(line, colon);
  if (name === "") return { ...reader, lastName: "" };
  const value = textOf(line, colon + 1).trim();
  const before = reader.headers[name];
  // repeated: a list, as if it were one line
  return withHeader(reader, name, before === undefined || before === value ? value : `${before}, ${value}`);
}

/** A line that continues the one before it (RFC 9112, 5.2). */
function takeFolded(reader: AnswerReader, line: Uint8Array): AnswerReader {
  const { lastName } = reader;
  if (lastName === undefined) return failed(reader, "begins its headers with a blank");
  if (lastName === "") return reader;
  return withHeader(reader, lastName, `${reader.headers[lastName] ?? ""} ${textOf(line, 0).trim()}`.trim());
}

function withHeader(reader: AnswerReader, name: string, value: string): AnswerReader {
  if (value.length > MAX_LINE_BYTES)
    return failed(reader, `has more than ${MAX_LINE_BYTES} bytes of ${name}`);
  if (/[^\t -~\x80-\xff]/.test(value)) return failed(reader, `has a control character in its ${name}`);
  return { ...reader, lastName: name, headers: { ...reader.headers, [name]: value } };
}

/** Empty: the header is not used. Blanks in front of the colon do not count. */
function keptName(line: Uint8Array, colon: number): string {
  let end = colon;
  while (end > 0 && isBlank(line[end - 1])) end--;
  if (end > MAX_KEPT_NAME_BYTES) return "";
  const name = byteText(line.subarray(0, end)).toLowerCase();
  return KEPT_ANSWER_HEADERS.includes(name) ? name : "";
}

// ── where the body ends

/** All headers are there (RFC 9112, 6.3). */
function complete(reader: AnswerReader): AnswerReader {
  const { status, headers, isOld } = reader;
  if (status < 200) return interim(reader);
  if (status === 204 || status === 304) return { ...reader, phase: "over" };
  const coding = headers["transfer-encoding"];
  if (coding !== undefined) {
    if (isOld || coding.toLowerCase() !== "chunked")
      return failed(reader, `has a transfer coding that is not supported: "${coding.slice(0, 40)}"`);
    const { "content-length": _, ...others } = headers; // the chunks say where it ends, whatever the length says
    return { ...reader, headers: others, isChunked: true, phase: "chunkLine" };
  }
  const length = headers["content-length"];
  if (length === undefined) return { ...reader, phase: "body", bodyBytes: Number.POSITIVE_INFINITY };
  const bodyBytes = readDigits(length);
  if (bodyBytes === undefined) return failed(reader, `has "${length.slice(0, 40)}" as its Content-Length`);
  return { ...reader, bodyBytes, phase: bodyBytes === 0 ? "over" : "body" };
}

/** Not yet the answer: another one follows. */
function interim(reader: AnswerReader): AnswerReader {
  const interimCount = reader.interimCount + 1;
  if (reader.status === 101) return failed(reader, "changes to another protocol");
  if (interimCount > MAX_INTERIM_COUNT)
    return failed(reader, `follows more than ${MAX_INTERIM_COUNT} interim answers`);
  return { ...newAnswerReader, sizeBytes: reader.sizeBytes, interimCount };
}

/** `a5;name=value`: only the length counts. */
function takeChunkLine(reader: AnswerReader, line: Uint8Array): AnswerReader {
  const text = textOf(line, 0);
  const semicolon = text.indexOf(";");
  const length = readHexDigits((semicolon < 0 ? text : text.slice(0, semicolon)).trimEnd());
  if (length === undefined || line[line.length - 2] !== CR)
    return failed(reader, `has a malformed chunk line: "${printable(text.slice(0, 20))}"`);
  if (length === 0) return { ...reader, phase: "trailer", sizeBytes: 0 };
  return { ...reader, phase: "body", bodyBytes: length };
}

/** Nothing of a refused answer is kept. */
const failed = (reader: AnswerReader, problem: string): AnswerReader => ({
  ...reader,
  phase: "failed",
  problem,
  headers: NO_HEADERS,
  line: NO_BYTES,
  bodyBytes: 0,
});
