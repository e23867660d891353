// Requests to the device's ports as bytes: a valid one, then damage to its target, its headers, its body and its framing.

import { below, chance, pick, type Random } from "../../values.js";
import { OWNER_TOKEN } from "../house.js";
import { EDGE_NUMBERS, mutateText, piecesOf } from "../mutate.js";
import type { Visit } from "../visit.js";

export interface Wanted {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers: readonly string[];
  readonly body: string;
}

/** How the bytes of a request arrive. */
export type Manner = Pick<Visit, "pieces" | "end" | "pauseMs">;

const METHODS = Object.freeze([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "OPTIONS",
  "PATCH",
  "TRACE",
  "CONNECT",
  "PRI",
  "get",
  "",
]);
const HOSTS = Object.freeze([
  "evil.example.com",
  "localhost",
  "",
  "a b",
  "[::1]",
  "192.168.4.1",
  "base.local",
  "base-000000.local",
  "connectivitycheck.gstatic.com",
  ":80",
  ".",
  "a".repeat(300),
]);

/** Bytes, a character each. */
export function requestText(random: Random, wanted: Wanted): string {
  const method = chance(random, 0.92) ? wanted.method : pick(random, METHODS);
  const version = chance(random, 0.95)
    ? "HTTP/1.1"
    : pick(random, ["HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "HTTP/1.10", "HTTP", ""]);
  const host = chance(random, 0.9) ? wanted.host : pick(random, HOSTS);
  const lines = [
    `${method} ${wanted.path} ${version}`,
    ...(chance(random, 0.97) ? [`Host: ${host}`] : []),
    ...wanted.headers,
    ...lengthLines(random, method, wanted.body),
  ];
  while (chance(random, 0.15)) lines.push(headerLine(random));
  let head = `${lines.join("\r\n")}\r\n\r\n`;
  if (chance(random, 0.15)) head = mutateText(random, head, 40_000);
  if (chance(random, 0.01)) head = head.replaceAll("\r\n", "\n");
  const body = chance(random, 0.9) ? wanted.body : mutateText(random, wanted.body);
  return head + body + (chance(random, 0.03) ? head + body : "");
}

export function mannerOf(random: Random): Manner {
  const pieces = chance(random, 0.8) ? undefined : piecesOf(random);
  return { pieces, end: chance(random, 0.9) ? "wait" : pick(random, ["close", "reset"]) };
}

function lengthLines(random: Random, method: string, body: string): string[] {
  const right = `Content-Length: ${body.length}`;
  if (chance(random, 0.85)) return method === "GET" && body === "" ? [] : [right];
  return pick(random, [
    () => [],
    () => [`Content-Length: ${pick(random, EDGE_NUMBERS)}`],
    () => [right, right],
    () => [right, `Content-Length: ${pick(random, EDGE_NUMBERS)}`],
    () => [`Content-Length: ${body.length + 1 + below(random, 3000)}`],
    () => [`Content-Length: ${below(random, body.length + 1)}`],
    () => ["Transfer-Encoding: chunked"],
    () => [right, "Transfer-Encoding: chunked"],
    () => [`Content-Length : ${body.length}`],
    () => [right, "Expect: 100-continue"],
  ])();
}

function headerLine(random: Random): string {
  return pick(random, [
    () =>
      `Origin: ${pick(random, ["null", "http://evil.example.com", "", "http://192.168.1.100", "file://"])}`,
    () =>
      `Content-Type: ${pick(random, ["text/plain", "application/json; charset=utf-16", "multipart/form-data", ""])}`,
    () =>
      `Authorization: ${pick(random, ["Bearer", "Bearer ", `Bearer ${"a".repeat(300)}`, "Basic YTpi", `bearer  ${OWNER_TOKEN}x`, ""])}`,
    () => `Expect: ${pick(random, ["100-continue", "nonsense", ""])}`,
    () => `Connection: ${pick(random, ["keep-alive", "close", "upgrade"])}`,
    () => `X-Filler: ${"y".repeat(pick(random, [10, 500, 2048, 60_000]))}`,
    () => `X-Skyslot-Release: ${"a".repeat(pick(random, [0, 10, 1536, 1537, 30_000]))}`,
    () => Array.from({ length: pick(random, [2, 60, 2000]) }, (_, n) => `h${n}: 1`).join("\r\n"),
    () => pick(random, ["no colon", " folded", ": nameless", "bad name: 1", "é: 1", ":", "\0"]),
    () => `Range: bytes=${pick(random, EDGE_NUMBERS)}-${pick(random, EDGE_NUMBERS)}`,
    () => `Host: ${pick(random, HOSTS)}`,
    () => `Cookie: ${"a=b; ".repeat(pick(random, [1, 100, 1000]))}`,
    () => `__proto__: ${pick(random, EDGE_NUMBERS)}`,
  ])();
}
