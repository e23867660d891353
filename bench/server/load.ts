// A load generator for an HTTP server, in its own process: some keep-alive connections, each with one request at a time, for some
// seconds. Raw sockets, and no parsing except the length of the answer, so that the server is what is measured. Prints JSON.
//
//   node --import=tsx load.ts '{"port": 8080, "seconds": 3, "connectionCount": 32, "requests": ["GET / HTTP/1.1\r\n…", …]}'
//
// The requests are passed in a file: there may be many.

import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";

export interface Load {
  readonly port: number;
  /** Absent: each request in the list once. */
  readonly seconds?: number;
  readonly connectionCount: number;
  /** Complete requests; each connection takes the next one in the list. */
  readonly requests: readonly string[];
}

export interface LoadResult {
  /** Answers. */
  readonly count: number;
  readonly perSecond: number;
  readonly bytesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers that were not 2xx. */
  readonly failedCount: number;
}

const HEAD_END = Buffer.from("\r\n\r\n");

async function run({
  port,
  seconds = Number.POSITIVE_INFINITY,
  connectionCount,
  requests,
}: Load): Promise<LoadResult> {
  const latencies: number[] = [];
  let bytes = 0;
  let failedCount = 0;
  let next = 0;
  const start = performance.now();
  const end = start + seconds * 1000;
  const isOver = () =>
    seconds === Number.POSITIVE_INFINITY ? next >= requests.length : performance.now() >= end;

  const open = () =>
    new Promise<void>((resolve, reject) => {
      const socket: Socket = connect(port, "127.0.0.1");
      socket.setNoDelay(true);
      let sentAt = 0;
      let head = Buffer.alloc(0);
      /** Bytes of the body still expected; -1: the head is not complete. */
      let missing = -1;
      const send = () => {
        if (isOver()) {
          socket.destroy();
          resolve();
          return;
        }
        head = Buffer.alloc(0);
        missing = -1;
        sentAt = performance.now();
        socket.write(requests[next++ % requests.length] as string);
      };
      socket.on("connect", send);
      socket.on("error", reject);
      socket.on("data", (chunk) => {
        bytes += chunk.length;
        if (missing < 0) {
          head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
          const at = head.indexOf(HEAD_END);
          if (at < 0) return;
          const text = head.toString("latin1", 0, at);
          if (!/^HTTP\/1\.1 2/.test(text)) failedCount++;
          missing =
            Number(/content-length: *(\d+)/i.exec(text)?.[1] ?? 0) - (head.length - at - HEAD_END.length);
        } else missing -= chunk.length;
        if (missing > 0) return;
        latencies.push(performance.now() - sentAt);
        send();
      });
    });

  await Promise.all(Array.from({ length: connectionCount }, open));
  const elapsedSeconds = (performance.now() - start) / 1000;
  latencies.sort((a, b) => a - b);
  const quantile = (part: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))] ?? 0;
  return {
    count: latencies.length,
    perSecond: latencies.length / elapsedSeconds,
    bytesPerSecond: bytes / elapsedSeconds,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    failedCount,
  };
}

const [file] = process.argv.slice(2);
if (file !== undefined)
  console.log(JSON.stringify(await run(JSON.parse(await readFile(file, "utf8")) as Load)));
