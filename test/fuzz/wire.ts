// The fuzzer's requests as bytes on a real connection, some of them damaged: what a broken or malicious client may send.

import { connect } from "node:net";
import { randomStream } from "../../host-sim/world/random.js";
import type { FuzzAnswer, FuzzRequest } from "./requests.js";
import { below, chance, pick, type Random } from "./values.js";

export function requestBytes(request: FuzzRequest, seed: string): Buffer {
  const random = randomStream(`${seed}/wire`);
  const body = request.body ?? Buffer.alloc(0);
  const isChunked = chance(random, 0.2);
  const lines = [
    `${request.method} ${request.url} HTTP/${pick(random, ["1.1", "1.1", "1.1", "1.1", "1.0", "2.0", "9"])}`,
    ...("host" in request.headers ? [] : ["host: fuzz"]),
    ...Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`),
    ...lengthOf(body, isChunked, random),
  ];
  if (chance(random, 0.05)) lines.push(`x-long: ${"y".repeat(pick(random, [8_000, 20_000]))}`);
  if (chance(random, 0.03)) lines.push(...Array.from({ length: 3000 }, (_, n) => `h${n}: 1`));
  if (chance(random, 0.03)) lines.push("no colon", " folded", ": nameless", "bad name: 1");
  const content = isChunked ? chunked(body, random) : body;
  const bytes = Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), content]);
  if (chance(random, 0.1)) bytes[below(random, bytes.length)] = below(random, 256);
  if (chance(random, 0.1)) return bytes.subarray(0, below(random, bytes.length));
  return chance(random, 0.05) ? Buffer.concat([bytes, bytes]) : bytes;
}

function lengthOf(body: Buffer, isChunked: boolean, random: Random): string[] {
  const right = isChunked ? "transfer-encoding: chunked" : `content-length: ${body.length}`;
  if (chance(random, 0.9)) return [right];
  return pick(random, [
    [],
    [`content-length: ${body.length + 5}`],
    [`content-length: ${Math.max(0, body.length - 5)}`],
    ["content-length: -1"],
    ["content-length: 99999999999999999999"],
    ["content-length: 1", "content-length: 2"],
    ["content-length: 5", "transfer-encoding: chunked"],
    ["transfer-encoding: gzip"],
  ]);
}

function chunked(body: Buffer, random: Random): Buffer {
  const size = chance(random, 0.9)
    ? body.length.toString(16)
    : pick(random, ["-1", "zz", "ffffffffffffffff", ""]);
  const end = chance(random, 0.9) ? "0\r\n\r\n" : pick(random, ["", "0\r\n", "0\r\nx: y\r\n\r\n"]);
  return Buffer.concat([Buffer.from(`${size}\r\n`), body, Buffer.from(`\r\n${end}`)]);
}

/**
 * Sends bytes, ends its side, and reads until the server has closed the connection too. Resolves with the answers; a
 * connection that ends without any is fine.
 */
export function exchange(port: number, bytes: Buffer, isStream: boolean): Promise<readonly FuzzAnswer[]> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.end(bytes));
    socket.on("data", (chunk) => {
      if (text.length < 4096) text += chunk.toString("latin1");
      // The reader of a live stream leaves as soon as it has received something.
      if (isStream && text.includes("event: ready")) socket.destroy();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      // The server may close before it has read everything.
      if (error.code !== "ECONNRESET" && error.code !== "EPIPE") reject(error);
    });
    socket.on("close", () =>
      resolve(
        [...text.matchAll(/(?:^|\n)HTTP\/1\.1 (\d{3}) [^\n]*\n(?:x-request-id: (\S+))?/g)].map(
          ([, status, id]) => ({ status: Number(status), id }),
        ),
      ),
    );
  });
}
