// How bodies come: chunks, their lines and trailers, downloads and their ranges, pages of digests. The offer is right, so that the device asks.

import { below, chance, pick, type Random } from "../../values.js";
import type { Ground } from "../ground.js";
import type { Input, Kind } from "../kind.js";
import { EDGE_NUMBERS, mutateText, piecesOf, shown } from "../mutate.js";
import { type OddFile, oddFile, oddManifest } from "../releases.js";
import { type Answer, type Asked, jsonAnswer, plainAnswer, type Script, START_TIME } from "../server.js";
import { answerCheck, holdChecks } from "./exchange.js";

export const bodies: Kind = {
  name: "bodies",
  what: "chunks, ranges, downloads, pages of digests",
  share: 2,
  start: "home",
  begin: holdChecks,
  make: (random, ground) => (chance(random, 0.5) ? chunkedCheck(random) : oddDownload(random, ground)),
};

/** The answer to a check in chunks. */
function chunkedCheck(random: Random): Input {
  const content = JSON.stringify({
    update_available: false,
    time: START_TIME,
    poll_seconds: 10,
    poll_is_for_all: true,
  });
  let sent = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunked(random, content)}`;
  if (chance(random, 0.3)) sent = mutateText(random, sent);
  const pieces = piecesOf(random);
  const answer: Answer = {
    bytes: Buffer.from(sent, "latin1"),
    ...(pieces ? { pieces } : {}),
    end: pick(random, ["keep", "close", "reset"]),
  };
  return {
    text: `${shown(sent)}, then ${answer.end}`,
    feed: (house) => answerCheck(house, { check: answer }),
  };
}

/** A body in one chunk or more, most of it right. */
function chunked(random: Random, content: string): string {
  let text = "";
  for (let at = 0; at < content.length; ) {
    const size = Math.min(content.length - at, 1 + below(random, pick(random, [3, 40, 9000])));
    const line = chance(random, 0.95) ? size.toString(16) : pick(random, EDGE_NUMBERS);
    const extension = chance(random, 0.9)
      ? ""
      : pick(random, [";a=b", ";", " ", '; x="\r\n"', `;${"x".repeat(5000)}`]);
    const after = chance(random, 0.97) ? "\r\n" : pick(random, ["", "\n", "xx", "\r\n\r\n"]);
    text += `${line}${extension}\r\n${content.slice(at, at + size)}${after}`;
    at += size;
  }
  return text + pick(random, ENDS);
}

const ENDS: readonly string[] = Object.freeze([
  "0\r\n\r\n",
  "0\r\n\r\n",
  "0\r\n\r\n",
  "0\r\nx: y\r\n\r\n",
  `0\r\n${"x: y\r\n".repeat(2000)}\r\n`,
  `0\r\nx: ${"y".repeat(9000)}\r\n\r\n`,
  "0;a=b\r\n\r\n",
  "00000000000\r\n\r\n",
  "0\r\n",
  "0",
  "",
  "0\r\n\r\n0\r\n\r\n",
  "0\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
  "-1\r\n\r\n",
]);

/** An offer whose downloads and digests come oddly. */
function oddDownload(random: Random, ground: Ground): Input {
  const file = oddFile(random, ground, pick(random, [1, 2, 2, 2]));
  const { payload, bytes } = file;
  const check = jsonAnswer({
    update_available: true,
    time: START_TIME,
    firmware_id: 1 + below(random, 100_000),
    version: "9.0.0",
    build_number: 0,
    file_size: bytes.length,
    file_hash: payload.sha256,
    download_url: "/firmware/7",
    ...(payload.format === 2 ? { digests_url: "/firmware/7/digests" } : {}),
    release: oddManifest(random, ground.key, file, 0),
  });
  const oddness = pick(random, [0.2, 0.5, 1]);
  const told: string[] = [];
  const script: Script = {
    check,
    other: (asked) => {
      const answer = chance(random, oddness) ? oddPart(random, file, asked) : honestPart(file, asked);
      if (told.length < 3) told.push(shown(Buffer.from(answer.bytes).toString("latin1"), 120));
      return answer;
    },
  };
  return {
    get text() {
      return `${bytes.length} bytes in format ${payload.format}, downloads: ${told.join("; ") || "of the seed"}`;
    },
    feed: (house) => answerCheck(house, script),
  };
}

interface Part {
  readonly whole: Uint8Array;
  readonly from: number;
  readonly to: number;
  readonly isRange: boolean;
}

function partOf({ bytes, digests }: OddFile, { path, headers }: Asked): Part {
  const whole = path.includes("digests") ? digests : bytes;
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "") ?? [];
  return { whole, from: Number(from ?? 0), to: Number(to ?? whole.length - 1), isRange: from !== undefined };
}

function honestPart(file: OddFile, asked: Asked): Answer {
  const { whole, from, to, isRange } = partOf(file, asked);
  if (!isRange) return plainAnswer("200 OK", whole);
  return plainAnswer("206 Partial Content", whole.subarray(from, to + 1), [
    `content-range: bytes ${from}-${to}/${whole.length}`,
  ]);
}

function oddPart(random: Random, file: OddFile, asked: Asked): Answer {
  const part = partOf(file, asked);
  const { whole, from, to } = part;
  const right = Buffer.from(whole.subarray(from, to + 1));
  const answer = pick(random, [
    () => plainAnswer("200 OK", whole),
    () => plainAnswer("416 Range Not Satisfiable", "", [`content-range: bytes */${whole.length}`]),
    () => plainAnswer(pick(random, STATUSES), right, rangeHeader(random, part)),
    () => plainAnswer("206 Partial Content", right, rangeHeader(random, part)),
    () =>
      plainAnswer(
        "206 Partial Content",
        right.subarray(0, below(random, right.length + 1)),
        rangeHeader(random, part),
      ),
    () => plainAnswer("206 Partial Content", Buffer.concat([right, right]), rangeHeader(random, part)),
    () => damaged(random, right, part),
    () => withoutLength(random, right, part),
    () => chunkedPart(random, right, part),
    () => multipart(right, part),
    () =>
      plainAnswer("302 Found", "", [
        `location: ${pick(random, ["/again", asked.path, "http://a.test/x", "", "https://a/"])}`,
      ]),
    () =>
      plainAnswer(pick(random, ["429 Slow", "503 Busy"]), "", [`retry-after: ${pick(random, EDGE_NUMBERS)}`]),
    () => cut(random, honestPart(file, asked)),
  ])();
  const pieces = piecesOf(random);
  return {
    ...answer,
    ...(pieces ? { pieces } : {}),
    ...(chance(random, 0.3) ? { end: pick(random, ["close", "reset"]) } : {}),
  };
}

const STATUSES = Object.freeze([
  "200 OK",
  "204 No Content",
  "304 Not Modified",
  "412 No",
  "500 Error",
  "100 Continue",
  "600 X",
]);

function rangeHeader(random: Random, { from, to, whole }: Part): readonly string[] {
  const number = (right: number) => (chance(random, 0.7) ? `${right}` : pick(random, EDGE_NUMBERS));
  if (chance(random, 0.15)) return [];
  if (chance(random, 0.2))
    return [
      pick(random, [
        `content-range: bytes ${from}-${to}/*`,
        "content-range: bytes */*",
        `content-range: BYTES ${from}-${to}/${whole.length}`,
        `content-range: bytes  ${from} - ${to} / ${whole.length}`,
        `content-range: bytes=${from}-${to}/${whole.length}`,
        `content-range: ${from}-${to}/${whole.length}`,
        "content-range:",
      ]),
    ];
  return [`content-range: bytes ${number(from)}-${number(to)}/${number(whole.length)}`];
}

function damaged(random: Random, right: Buffer, { from, to, whole, isRange }: Part): Answer {
  const bytes = Buffer.from(right);
  if (bytes.length > 0) bytes[below(random, bytes.length)]! ^= 1 + below(random, 255);
  return isRange
    ? plainAnswer("206 Partial Content", bytes, [`content-range: bytes ${from}-${to}/${whole.length}`])
    : plainAnswer("200 OK", bytes);
}

function withoutLength(random: Random, right: Buffer, { from, to, whole, isRange }: Part): Answer {
  const status = isRange ? "206 Partial Content" : "200 OK";
  const range = isRange ? `content-range: bytes ${from}-${to}/${whole.length}\r\n` : "";
  const head = `HTTP/1.${pick(random, [0, 1])} ${status}\r\n${range}\r\n`;
  const more = chance(random, 0.3) ? Buffer.alloc(pick(random, [1, 9000])) : Buffer.alloc(0);
  return { bytes: Buffer.concat([Buffer.from(head), right, more]), end: "close" };
}

function chunkedPart(random: Random, right: Buffer, { from, to, whole, isRange }: Part): Answer {
  const range = isRange ? `content-range: bytes ${from}-${to}/${whole.length}\r\n` : "";
  const head = `HTTP/1.1 ${isRange ? "206 Partial Content" : "200 OK"}\r\n${range}transfer-encoding: chunked\r\n\r\n`;
  return { bytes: Buffer.from(head + chunked(random, right.toString("latin1")), "latin1"), end: "close" };
}

function multipart(right: Buffer, { from, to, whole }: Part): Answer {
  const part = `--x\r\ncontent-range: bytes ${from}-${to}/${whole.length}\r\n\r\n`;
  const body = Buffer.concat([Buffer.from(part), right, Buffer.from("\r\n--x--\r\n")]);
  return plainAnswer("206 Partial Content", body, ["content-type: multipart/byteranges; boundary=x"]);
}

const cut = (random: Random, { bytes }: Answer): Answer => ({
  bytes: bytes.subarray(0, below(random, bytes.length)),
  end: pick(random, ["close", "reset", "keep"]),
});
