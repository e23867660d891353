// `npm run bench -- server`: checks and downloads of a real server with 100 000 devices, beside a bare node:http server that
// answers the same JSON and, where it is installed, nginx that sends the same file. Each in its own process, in turn. `--postgres`:
// with a temporary PostgreSQL that does not wait for the disk. Then what people look at: pages of lists, a rollout's plan. Last, what
// each part of the fast path brings (parts.ts); `--parts`: only that. First come the rates of first checks, reports and polls, five rounds of each
// (rates.ts); `--rates`: only these, `--json`: as JSON.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newTestDatabase } from "../../test/services/postgres.js";
import { BASE, checkRequest, deviceId, fillStore, IMAGE_BYTES, image, release } from "./fleet.js";
import { addChild, compare, here, load, report, start, stopAll } from "./measure.js";
import { compareParts } from "./parts.js";
import { compareRates } from "./rates.js";

const DEVICE_COUNT = 100_000;
const READ_ROUNDS = 5;
/** Few, as answers are fast, but enough to saturate every server. */
const CHECK_CONNECTIONS = [64, 512];
const DOWNLOAD_CONNECTIONS = 16;

const folder = await mkdtemp(join(tmpdir(), "skyslot-bench-"));
const databaseUrl = process.argv.includes("--postgres") ? await newTestDatabase() : undefined;

/** What a person waits for: the first time, and the median of several. */
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
  addChild(child);
  const missing = await Promise.race([
    failed,
    new Promise<false>((resolve) => setTimeout(resolve, 500, false)),
  ]);
  return missing ? undefined : port;
}

async function compareServers(): Promise<void> {
  const dataDir = join(folder, "data");
  await mkdir(join(folder, "www"), { recursive: true });
  // nginx runs its worker as another user.
  await chmod(folder, 0o755);
  await mkdir(dataDir, { mode: 0o700 });
  await writeFile(join(folder, "www", "image.bin"), image);
  await writeFile(
    join(folder, "answer.json"),
    JSON.stringify({ update_available: false, time: 1_795_000_000 }),
  );
  console.log(
    `filling ${databaseUrl === undefined ? "SQLite" : "PostgreSQL"} with ${DEVICE_COUNT} devices …`,
  );
  await fillStore(join(dataDir, "skyslot.db"), new Map([[BASE, DEVICE_COUNT]]), databaseUrl);

  const bareServer = await start(process.execPath, [
    "--import=tsx",
    here("bare.ts"),
    join(folder, "answer.json"),
    join(folder, "www", "image.bin"),
  ]);
  const skyslot = await start(process.execPath, ["--import=tsx", here("skyslot.ts"), dataDir], {
    RELEASE: release,
    IMAGE: join(folder, "www", "image.bin"),
    ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
  });
  const { url, adminToken } = JSON.parse(skyslot.line) as {
    readonly url: string;
    readonly adminToken: string;
  };
  const bare = { name: "bare node:http", port: Number(bareServer.line), child: bareServer.child };
  const ours = { name: "skyslot", port: Number(new URL(url).port), child: skyslot.child };
  const nginx = await startNginx();

  const requests = Array.from({ length: DEVICE_COUNT }, (_, at) => checkRequest((at * 7919) % DEVICE_COUNT));
  console.log(`\nfirst checks since the release was uploaded, ${DEVICE_COUNT} devices`);
  const first = await load(folder, {
    connectionCount: Math.min(...CHECK_CONNECTIONS),
    requests,
    port: ours.port,
  });
  report("skyslot", { results: [first], cpuMicros: 0 }, ({ perSecond }) => perSecond, "checks/s");
  for (const connectionCount of CHECK_CONNECTIONS)
    await compare(
      folder,
      `checks of ${DEVICE_COUNT} devices, ${connectionCount} connections`,
      [
        { ...bare, load: { connectionCount, requests, port: bare.port } },
        { ...ours, load: { connectionCount, requests, port: ours.port } },
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
    folder,
    `downloads of ${(image.length / IMAGE_BYTES).toFixed(2)} MiB, ${DOWNLOAD_CONNECTIONS} connections`,
    [
      ...(nginx === undefined ? [] : [{ name: "nginx", load: { ...get("/image.bin"), port: nginx } }]),
      { ...bare, load: { ...get("/"), port: bare.port } },
      { ...ours, load: { ...get("/api/ota/download/1"), port: ours.port } },
    ],
    ({ bytesPerSecond }) => bytesPerSecond / 1e6,
    "MB/s",
  );
}

try {
  const [isRates, isParts] = [process.argv.includes("--rates"), process.argv.includes("--parts")];
  if (!isParts) await compareRates(folder, databaseUrl, process.argv.includes("--json"));
  if (!isParts && !isRates) await compareServers();
  if (!isRates && databaseUrl === undefined) await compareParts(folder);
} finally {
  stopAll();
  await rm(folder, { recursive: true, force: true });
}
