// Status lines and headers of the answer to a check: missing, malformed, repeated, endless, contradictory, interim, redirecting.

import { below, chance, pick, type Random } from "../../values.js";
import type { Input, Kind } from "../kind.js";
import { EDGE_NUMBERS, mutateText, piecesOf, shown } from "../mutate.js";
import { type Script, START_TIME } from "../server.js";
import { answerCheck, holdChecks } from "./exchange.js";

export const headers: Kind = {
  name: "headers",
  what: "status lines and headers of answers",
  share: 8,
  start: "home",
  begin: holdChecks,
  make,
};

const STATUS_LINES: readonly string[] = Object.freeze([
  "HTTP/1.1 200 OK",
  "HTTP/1.1 200 ",
  "HTTP/1.1 200",
  "HTTP/1.0 200 OK",
  "HTTP/2 200",
  "HTTP/1.1 204 No Content",
  "HTTP/1.1 206 Partial Content",
  "HTTP/1.1 301 Moved Permanently",
  "HTTP/1.1 302 Found",
  "HTTP/1.1 303 See Other",
  "HTTP/1.1 304 Not Modified",
  "HTTP/1.1 307 Temporary Redirect",
  "HTTP/1.1 308 Permanent Redirect",
  "HTTP/1.1 400 Bad Request",
  "HTTP/1.1 401 Unauthorized",
  "HTTP/1.1 403 Forbidden",
  "HTTP/1.1 404 Not Found",
  "HTTP/1.1 429 Too Many Requests",
  "HTTP/1.1 500 Internal Server Error",
  "HTTP/1.1 503 Service Unavailable",
  "HTTP/1.1 000 Nothing",
  "HTTP/1.1 999 Much",
  "HTTP/1.1 20 OK",
  "HTTP/1.1 2000 OK",
  "HTTP/1.1 -200 OK",
  "HTTP/1.1 2e2 OK",
  "HTTP/1.1  200 OK",
  "HTTP/1.1\t200\tOK",
  "http/1.1 200 ok",
  "ICY 200 OK",
  "200 OK",
  "",
  "\0",
  "HTTP/1.1 200 \xc3\x28\xff",
]);

const INTERIM: readonly string[] = Object.freeze([
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n",
  "HTTP/1.1 102 Processing\r\ncontent-length: 5\r\n\r\n",
  "HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n",
]);

const LOCATIONS: readonly string[] = Object.freeze([
  "/api/ota/check",
  "/elsewhere",
  "//updates.skyslot.test/x",
  "http://updates.skyslot.test:8080/api/ota/check",
  "http://other.skyslot.test/api/ota/check",
  "https://updates.skyslot.test/api/ota/check",
  "http://updates.skyslot.test:0/",
  "http://updates.skyslot.test:65536/",
  "http://[::1]/",
  "http://",
  "http:///x",
  "http://user:secret@other.skyslot.test/",
  "http://\xe4\xf6\xfc.test/",
  "ftp://a/b",
  "javascript:alert(1)",
  "?x",
  "#x",
  "",
  " ",
  "../../..",
  "a".repeat(3000),
]);

const DATES: readonly string[] = Object.freeze([
  "Sat, 21 Nov 2026 08:00:00 GMT",
  "Sat, 21 Nov 2226 08:00:00 GMT",
  "Thu, 01 Jan 1970 00:00:00 GMT",
  "Sat, 99 Nov 2026 99:99:99 GMT",
  "Saturday, 21-Nov-26 08:00:00 GMT",
  "Sat Nov 21 08:00:00 2026",
  "yesterday",
]);

const body = (random: Random): string =>
  JSON.stringify({
    update_available: false,
    time: START_TIME + below(random, 100_000),
    poll_seconds: 10,
    poll_is_for_all: true,
  });

function make(random: Random): Input {
  const content = body(random);
  const lines = [
    chance(random, 0.6) ? "HTTP/1.1 200 OK" : pick(random, STATUS_LINES),
    ...headersFor(random, content),
  ];
  const interim = chance(random, 0.1) ? pick(random, INTERIM).repeat(pick(random, [1, 2, 8, 100])) : "";
  let head = `${interim}${lines.join("\r\n")}\r\n\r\n`;
  if (chance(random, 0.4)) head = mutateText(random, head, 70_000);
  if (chance(random, 0.05)) head = head.replaceAll("\r\n", pick(random, ["\n", "\r", "\n\r", "\r\r\n"]));
  const sent = head + (chance(random, 0.9) ? content : mutateText(random, content));
  const pieces = piecesOf(random);
  const script: Script = {
    check: {
      bytes: Buffer.from(sent, "latin1"),
      ...(pieces ? { pieces } : {}),
      end: pick(random, ["keep", "keep", "close", "close", "reset"]),
    },
    other: () => ({ bytes: Buffer.from(sent, "latin1"), end: "close" }),
  };
  return {
    text: `${shown(sent)}, then ${script.check.end}${pieces ? `, in pieces of ${pieces}` : ""}`,
    feed: (house) => answerCheck(house, script),
  };
}

function headersFor(random: Random, content: string): string[] {
  const lines = lengthOf(random, content);
  while (chance(random, 0.45)) lines.push(headerLine(random));
  return lines;
}

function lengthOf(random: Random, content: string): string[] {
  const right = `content-length: ${content.length}`;
  if (chance(random, 0.6)) return [right];
  return pick(random, [
    () => [],
    () => [`Content-Length: ${pick(random, EDGE_NUMBERS)}`],
    () => [right, `content-length: ${pick(random, EDGE_NUMBERS)}`],
    () => [right, right],
    () => [`content-length: ${content.length + 1 + below(random, 9000)}`],
    () => [`content-length: ${below(random, content.length)}`],
    () => [`content-length:${content.length}`],
    () => [`content-length :${content.length}`],
    () => [`content-length:\t ${content.length} \t`],
    () => ["transfer-encoding: chunked"],
    () => [right, "transfer-encoding: chunked"],
    () => [right, "transfer-encoding: identity"],
    () => ["transfer-encoding: gzip, chunked"],
    () => ["transfer-encoding: CHUNKED", "transfer-encoding: chunked"],
  ])();
}

function headerLine(random: Random): string {
  return pick(random, [
    () => `retry-after: ${pick(random, chance(random, 0.5) ? EDGE_NUMBERS : DATES)}`,
    () => `date: ${pick(random, DATES)}`,
    () => `location: ${pick(random, LOCATIONS)}`,
    () => `skyslot-offer: ${pick(random, EDGE_NUMBERS)} ${pick(random, EDGE_NUMBERS)}`,
    () => `skyslot-offer: 7 ${START_TIME}`,
    () => `etag: ${pick(random, ['"a"', 'W/"a"', "", '"', "a".repeat(3000)])}`,
    () =>
      `content-range: bytes ${pick(random, EDGE_NUMBERS)}-${pick(random, EDGE_NUMBERS)}/${pick(random, EDGE_NUMBERS)}`,
    () => `connection: ${pick(random, ["close", "keep-alive", "upgrade", ""])}`,
    () => `content-encoding: ${pick(random, ["gzip", "br", "identity"])}`,
    () => `x-filler: ${"y".repeat(pick(random, [10, 500, 4000, 5000, 60_000]))}`,
    () => Array.from({ length: pick(random, [2, 60, 2000]) }, (_, n) => `h${n}: 1`).join("\r\n"),
    () =>
      pick(random, [
        "no colon",
        " folded",
        "\tfolded",
        ": nameless",
        "bad name: 1",
        "é: 1",
        ":",
        "a:",
        "\0: \0",
      ]),
    () => `content-type: ${pick(random, ["application/json", "text/html", ""])}`,
    () => `__proto__: ${pick(random, EDGE_NUMBERS)}`,
  ])();
}
