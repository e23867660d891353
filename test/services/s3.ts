// An S3 server for the tests: moto (PyPI `moto[server]`), from the clone's `.venv`. One for the whole run, a new bucket for
// each caller. It exits with the process that started it, like PostgreSQL.

import { type ChildProcess, spawn } from "node:child_process";
import { access } from "node:fs/promises";
import { createInterface } from "node:readline";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";

const PROGRAM = ".venv/bin/moto_server";

export interface Buckets {
  readonly endpoint: string;
  /** `s3://…` of an empty bucket, as for BLOB_STORE. */
  newBucket(): Promise<string>;
}

let buckets: Promise<Buckets | string> | undefined;
let running: ChildProcess | undefined;
// A worker of Mocha runs many files: there the pipe ends with the process.
if (process.env.MOCHA_WORKER_ID === undefined) after(() => running?.stdin?.end());

/** The buckets of this run; skips the calling suite, and says why, where there are none. Call it in a `before`. */
export async function bucketsOrSkip(context: Mocha.Context): Promise<Buckets> {
  buckets ??= start();
  const found = await buckets;
  if (typeof found !== "string") return found;
  console.warn(`      skipped: ${found}`);
  return context.skip();
}

async function start(): Promise<Buckets | string> {
  const isThere = await access(PROGRAM).then(
    () => true,
    () => false,
  );
  if (!isThere) return `no ${PROGRAM} (python3 -m venv .venv && .venv/bin/pip install 'moto[server]')`;
  const script = '"$0" -H 127.0.0.1 -p 0 2>&1 & pid=$!; cat >/dev/null; kill -KILL $pid; wait $pid';
  running = spawn("sh", ["-c", script, PROGRAM], { stdio: ["pipe", "pipe", "ignore"], detached: true });
  running.unref();
  const endpoint = await readEndpoint(running);
  // As a user sets them; the library reads them when a client is created.
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: "eu-central-1",
  });
  let bucketCount = 0;
  return {
    endpoint,
    async newBucket() {
      const Bucket = `skyslot-${++bucketCount}`;
      const client = new S3Client({ forcePathStyle: true });
      const CreateBucketConfiguration = { LocationConstraint: "eu-central-1" } as const;
      await client.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }));
      client.destroy();
      return `s3://${Bucket}/images/all?path-style=true`;
    },
  };
}

/** It prints where it listens, and then logs every request: its output is read to the end, or it would block. */
function readEndpoint({ stdout }: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: stdout! });
    lines.on("line", (line) => {
      const [endpoint] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
      if (endpoint) resolve(endpoint);
    });
    lines.on("close", () => reject(new Error(`${PROGRAM} ended before it listened`)));
  });
}
