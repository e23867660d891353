// `npm run bench -- server`: checks and downloads of a real server with 100 000 devices, beside a bare node:http server that
// answers the same JSON and, where it is installed, nginx that sends the same file. Each in its own process, in turns. `--postgres`:
// with a PostgreSQL of the run's own, which waits for no disk. Then what people look at: pages of lists, a rollout's plan.

import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { buildFirmwareImage } from "../../host-sim/hardware/image/firmware-image.js";
import { describeRelease } from "../../release/describe.js";
import { makeReleaseKeys } from "../../release/keys.js";
import { signRelease } from "../../release/signing.js";
import { hashSecret } from "../../server/auth/secret.js";
import { openStore } from "../../server/store/open.js";
import { newTestDatabase } from "../../test/services/postgres.js";
import type { Load, LoadResult } from "./load.js";

const DEVICE_COUNT = 100_000;
const IMAGE_BYTES = 1024 * 1024;
/** Devices that one transaction fills in. */
const FILL_COUNT = 2500;
const SECONDS = 5;
const READ_ROUNDS = 5;
const ROUNDS = 5;
/** Few, as answers are fast; and so many that every server has its hands full. */
const CHECK_CONNECTIONS = [64, 512];
const DOWNLOAD_CONNECTIONS = 16;

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "skyslot-bench-"));
const children: ChildProcess[] = [];
const databaseUrl = process.argv.includes("--postgres") ? await newTestDatabase() : undefined;

/** Starts a program and waits for its first line. */
async function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([
    once(lines, "line"),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`${command} ended with ${code}`))),
  ])) as [string];
  return line;
}

async function load(what: Load): Promise<LoadResult> {
  const file = join(folder, "load.json");
  await writeFile(file, JSON.stringify(what));
  return JSON.parse(await start(process.execPath, ["--import=tsx", here("load.ts"), file])) as LoadResult;
}

const deviceId = (at: number) => `base-${at.toString(16).padStart(6, "0")}`;

/** Such as the server gives out. */
const deviceToken = (at: number) => `skd_${createHash("sha256").update(deviceId(at)).digest("base64url")}`;

/** What the firmware sends with every check. */
function checkRequest(at: number): string {
  const body = JSON.stringify({
    device_id: deviceId(at),
    device_type: "base",
    current_version: "1.1.0",
    current_build: 0,
    hardware: "esp32",
    chip: "esp32",
    image_sha256: imageSha256,
    slot: "ota_0",
    slot_state: "valid",
    boot_count: 3,
    reset_reason: "software",
    free_heap: 150_000 + (at % 1000),
    rssi: -50 - (at % 30),
    uptime_seconds: 3600 + at,
    address: "192.168.1.50",
    keeps_token: true,
    check_seconds: 300,
  });
  return `POST /api/ota/check HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nauthorization: Bearer ${deviceToken(at)}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

const image = Buffer.from(
  buildFirmwareImage({
    chip: "esp32",
    version: "1.1.0",
    project: "base",
    bundle: "trace('Skyslot');\n".repeat(IMAGE_BYTES / 18 - 250),
  }),
);
const payload = describeRelease(image, { created: Math.floor(Date.now() / 1000) });
const { imageSha256 } = payload;
const release = await signRelease(payload, (await makeReleaseKeys()).privateKey);

async function fillStore(file: string): Promise<void> {
  const store = await openStore({ file, databaseUrl });
  const now = Date.now();
  const fill = (start: number) =>
    store.transaction(async (inside) => {
      for (let at = start; at < Math.min(start + FILL_COUNT, DEVICE_COUNT); at++) {
        await inside.putDevice({
          id: deviceId(at),
          type: "base",
          hardware: "esp32",
          chip: "esp32",
          mac: null,
          version: "1.1.0",
          build: 0,
          imageSha256,
          slot: "ota_0",
          slotState: "valid",
          bootCount: 3,
          resetReason: "software",
          freeHeap: 150_000,
          rssi: -50,
          uptimeSeconds: 60,
          readings: null,
          address: "192.168.1.50",
          firstSeen: now,
          lastSeen: now,
        });
        await inside.putIdentity({
          deviceId: deviceId(at),
          deviceType: "base",
          state: "approved",
          tokenHash: hashSecret(deviceToken(at)),
          issued: [],
          isRotating: false,
          intervalSeconds: 300,
          createdAt: now,
          updatedAt: now,
        });
      }
    });
  let next = 0;
  const lane = async () => {
    while (next < DEVICE_COUNT) {
      const start = next;
      next += FILL_COUNT;
      await fill(start);
    }
  };
  // SQLite writes one thing at a time anyway.
  await Promise.all(Array.from({ length: databaseUrl === undefined ? 1 : 6 }, lane));
  await store.close();
}

/** The first time and the median of some, of what a person waits for. */
async function timeReads(url: string, adminToken: string, reads: readonly Read[]): Promise<void> {
  console.log(`\nwhat people look at, ${DEVICE_COUNT} devices`);
  for (const { name, path, body } of reads) {
    const times: number[] = [];
    let answer = "";
    for (let round = 0; round < READ_ROUNDS; round++) {
      const start = performance.now();
      const response = await fetch(`${url}${path}`, {
        method: body ? "POST" : "GET",
        headers: {
          authorization: `Bearer ${adminToken}`,
          ...(body ? { "content-type": "application/json" } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      answer = await response.text();
      times.push(performance.now() - start);
      if (!response.ok) throw new Error(`${path}: ${answer}`);
    }
    const [first = 0] = times;
    const middle = times.sort((a, b) => a - b)[READ_ROUNDS >> 1] ?? 0;
    console.log(
      `  ${name.padEnd(28)} ${middle.toFixed(1).padStart(8)} ms  first ${first.toFixed(1)} ms  ${answer.length} bytes`,
    );
  }
}

interface Read {
  readonly name: string;
  readonly path: string;
  readonly body?: object;
}

const PLAN = { firmware_id: 1, stages: [{ percent: 10 }, { percent: 100 }] };
const READS: readonly Read[] = [
  { name: "devices, first page", path: "/api/devices?limit=50" },
  { name: "devices, last page", path: `/api/devices?limit=50&offset=${DEVICE_COUNT - 50}` },
  { name: "devices by id, last page", path: `/api/devices?order=id&limit=50&offset=${DEVICE_COUNT - 50}` },
  { name: "devices of a version", path: "/api/devices?limit=50&version=1.1.0" },
  { name: "devices that are online", path: "/api/devices?limit=50&status=online" },
  { name: "devices with a part of an id", path: "/api/devices?limit=50&search=1869f" },
  { name: "device", path: `/api/devices/${deviceId(77_777)}` },
  { name: "identities, last page", path: `/api/device-identities?limit=50&offset=${DEVICE_COUNT - 50}` },
  { name: "attempts", path: "/api/ota/admin/logs?limit=50" },
  { name: "events", path: "/api/events?limit=100" },
  { name: "fleet", path: "/api/fleet" },
  { name: "plan of a rollout", path: "/api/rollouts/plan", body: PLAN },
];

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

async function startNginx(): Promise<number | undefined> {
  const port = await freePort();
  const file = join(folder, "nginx.conf");
  await writeFile(
    file,
    `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr error;
     events { worker_connections 256; }
     http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; default_type application/octet-stream;
       client_body_temp_path ${folder}/t1; proxy_temp_path ${folder}/t2; fastcgi_temp_path ${folder}/t3;
       uwsgi_temp_path ${folder}/t4; scgi_temp_path ${folder}/t5;
       server { listen 127.0.0.1:${port}; root ${folder}/www; } }`,
  );
  const child = spawn("nginx", ["-p", folder, "-c", file], { stdio: ["ignore", "ignore", "inherit"] });
  const failed = once(child, "error").then(() => true);
  children.push(child);
  const missing = await Promise.race([
    failed,
    new Promise<false>((resolve) => setTimeout(resolve, 500, false)),
  ]);
  return missing ? undefined : port;
}

const median = (results: readonly LoadResult[], of: (result: LoadResult) => number): number =>
  results.map(of).sort((a, b) => a - b)[results.length >> 1] ?? 0;

/** What a server puts off counts too, in whatever round it is done. */
const mean = (results: readonly LoadResult[], of: (result: LoadResult) => number): number =>
  results.reduce((sum, result) => sum + of(result), 0) / results.length;

interface Subject {
  readonly name: string;
  readonly load: Omit<Load, "seconds">;
}

/** In turns, so that a noisy minute is everyone's. The first of the subjects is the reference. */
async function compare(
  what: string,
  subjects: readonly Subject[],
  unit: (result: LoadResult) => number,
  name: string,
) {
  const results = subjects.map((): LoadResult[] => []);
  for (let round = 0; round < ROUNDS; round++)
    for (const [at, subject] of subjects.entries())
      results[at]?.push(await load({ ...subject.load, seconds: SECONDS }));
  const reference = mean(results[0] ?? [], unit);
  console.log(`\n${what}`);
  for (const [at, subject] of subjects.entries())
    report(subject.name, results[at] ?? [], unit, name, reference);
}

/** One line: the mean of the rates, the medians of the rounds' p50 and p99. */
function report(
  subject: string,
  results: readonly LoadResult[],
  unit: (result: LoadResult) => number,
  name: string,
  reference?: number,
) {
  const figure = mean(results, unit);
  const failedCount = results.reduce((sum, result) => sum + result.failedCount, 0);
  const part = reference === undefined ? "" : `${(figure / reference).toFixed(2)} ×`;
  console.log(
    `  ${subject.padEnd(28)} ${figure.toFixed(0).padStart(8)} ${name}  ` +
      `${part.padStart(7)}  p50 ${median(results, ({ p50Ms }) => p50Ms).toFixed(2)} ms  ` +
      `p99 ${median(results, ({ p99Ms }) => p99Ms).toFixed(2)} ms${failedCount > 0 ? `  ${failedCount} FAILED` : ""}`,
  );
}

try {
  const dataDir = join(folder, "data");
  await mkdir(join(folder, "www"), { recursive: true });
  // nginx gives its worker to another user.
  await chmod(folder, 0o755);
  await mkdir(dataDir);
  await writeFile(join(folder, "www", "image.bin"), image);
  await writeFile(
    join(folder, "answer.json"),
    JSON.stringify({ update_available: false, time: 1_795_000_000 }),
  );
  console.log(
    `filling ${databaseUrl === undefined ? "SQLite" : "PostgreSQL"} with ${DEVICE_COUNT} devices …`,
  );
  await fillStore(join(dataDir, "skyslot.db"));

  const bare = Number(
    await start(process.execPath, [
      "--import=tsx",
      here("bare.ts"),
      join(folder, "answer.json"),
      join(folder, "www", "image.bin"),
    ]),
  );
  const { url, adminToken } = JSON.parse(
    await start(process.execPath, ["--import=tsx", here("skyslot.ts"), dataDir], {
      RELEASE: release,
      IMAGE: join(folder, "www", "image.bin"),
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    }),
  ) as { readonly url: string; readonly adminToken: string };
  const ours = Number(new URL(url).port);
  const nginx = await startNginx();

  const requests = Array.from({ length: DEVICE_COUNT }, (_, at) => checkRequest((at * 7919) % DEVICE_COUNT));
  console.log(`\nfirst checks since the release was uploaded, ${DEVICE_COUNT} devices`);
  const first = await load({ connectionCount: Math.min(...CHECK_CONNECTIONS), requests, port: ours });
  report("skyslot", [first], ({ perSecond }) => perSecond, "checks/s");
  for (const connectionCount of CHECK_CONNECTIONS)
    await compare(
      `checks of ${DEVICE_COUNT} devices, ${connectionCount} connections`,
      [
        { name: "bare node:http", load: { connectionCount, requests, port: bare } },
        { name: "skyslot", load: { connectionCount, requests, port: ours } },
      ],
      ({ perSecond }) => perSecond,
      "checks/s",
    );

  await timeReads(url, adminToken, READS);

  const get = (path: string) => ({
    connectionCount: DOWNLOAD_CONNECTIONS,
    requests: [`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`],
  });
  if (nginx === undefined)
    console.log("\nnginx is not installed here: downloads are compared with bare node:http alone");
  await compare(
    `downloads of ${(image.length / IMAGE_BYTES).toFixed(2)} MiB, ${DOWNLOAD_CONNECTIONS} connections`,
    [
      ...(nginx === undefined ? [] : [{ name: "nginx", load: { ...get("/image.bin"), port: nginx } }]),
      { name: "bare node:http", load: { ...get("/"), port: bare } },
      { name: "skyslot", load: { ...get("/api/ota/download/1"), port: ours } },
    ],
    ({ bytesPerSecond }) => bytesPerSecond / 1e6,
    "MB/s",
  );
} finally {
  for (const child of children) child.kill();
  await rm(folder, { recursive: true, force: true });
}
