// What devices and other systems' clients ask, at a server with all of their fleets: the first checks after a release, hawkBit's polls,
// status reports. Each round has devices of its own where a request changes what the next one finds.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StatusRequest } from "../../firmware/core/wire.js";
import {
  BASE,
  checkRequest,
  deviceId,
  type Fleet,
  fillStore,
  HAWKBIT,
  image,
  OLDER,
  olderImage,
  olderRelease,
  postRequest,
  release,
} from "./fleet.js";
import { cpuOf, here, load, type Started, start } from "./measure.js";

const FLEET_COUNT = 10_000;
const CONNECTION_COUNT = 64;
const SECONDS = 3;

/** What was measured in one round. */
interface Rate {
  readonly perSecond: number;
  /** Processor time of the server for each answer. */
  readonly cpuMicros: number;
  readonly p99Ms: number;
}

interface RateServer {
  readonly url: string;
  readonly adminToken: string;
  readonly port: number;
  readonly started: Started;
  readonly folder: string;
}

async function startRateServer(folder: string, databaseUrl?: string): Promise<RateServer> {
  const dataDir = join(folder, "data");
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await fillStore(
    join(dataDir, "skyslot.db"),
    new Map([
      [BASE, FLEET_COUNT],
      [OLDER, FLEET_COUNT],
      [HAWKBIT, FLEET_COUNT],
    ]),
    databaseUrl,
  );
  const imageFile = join(folder, "image.bin");
  await writeFile(imageFile, image);
  const started = await start(process.execPath, ["--import=tsx", here("skyslot.ts"), dataDir], {
    RELEASE: release,
    IMAGE: imageFile,
    ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
  });
  const { url, adminToken } = JSON.parse(started.line) as {
    readonly url: string;
    readonly adminToken: string;
  };
  const server = { url, adminToken, port: Number(new URL(url).port), started, folder };
  await call(server, "PUT", `/api/types/${HAWKBIT.type}`, { kind: "legacy" });
  const form = new FormData();
  form.set("release", olderRelease);
  form.set("file", new Blob([new Uint8Array(olderImage)]), "older.bin");
  await call(server, "POST", "/api/ota/admin/upload", form);
  return server;
}

async function call(
  { url, adminToken }: RateServer,
  method: string,
  path: string,
  body: object,
): Promise<void> {
  const isForm = body instanceof FormData;
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${adminToken}`,
      ...(isForm ? {} : { "content-type": "application/json" }),
    },
    body: isForm ? body : JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`);
}

async function measure(
  server: Pick<RateServer, "folder" | "port" | "started">,
  requests: readonly string[],
  seconds?: number,
): Promise<Rate> {
  const before = await cpuOf(server.started.child);
  const result = await load(server.folder, {
    port: server.port,
    connectionCount: CONNECTION_COUNT,
    requests,
    ...(seconds === undefined ? {} : { seconds }),
  });
  const cpuMicros = ((await cpuOf(server.started.child)) - before) / result.count;
  if (result.failedCount > 0) throw new Error(`${result.failedCount} of ${result.count} requests failed`);
  return { perSecond: result.perSecond, cpuMicros, p99Ms: result.p99Ms };
}

/** Adjacent requests are about devices whose rows are far apart. */
const spread = (count: number, first: number, request: (at: number) => string): readonly string[] =>
  Array.from({ length: count }, (_, at) => request(first + ((at * 7919) % count)));

/** Of devices that run what is released: their check finds nothing, and leaves its key. */
async function measureFirstChecks(server: RateServer): Promise<Rate> {
  // Whatever may concern every device takes all keys away.
  await call(server, "PUT", "/api/registration/unused", { registration: "open", tokens: "first-use" });
  return measure(
    server,
    spread(FLEET_COUNT, 0, (at) => checkRequest(at)),
  );
}

/** Of devices that are offered the release, each for the first time. */
function measureOffers(server: RateServer, round: number, roundCount: number): Promise<Rate> {
  const count = Math.floor(FLEET_COUNT / roundCount);
  return measure(
    server,
    spread(count, round * count, (at) => checkRequest(at, undefined, OLDER)),
  );
}

/** What a device tells on its way to the restart. */
const STEPS: readonly Omit<StatusRequest, "device_id" | "firmware_id">[] = Object.freeze([
  { status: "downloading", step: "downloading", bytes_downloaded: 0 },
  { status: "downloading", step: "downloading", bytes_downloaded: 400_000 },
  { status: "downloading", step: "downloading", bytes_downloaded: 800_000 },
  { status: "installing", step: "armed" },
]);
const OLDER_FIRMWARE_ID = 2;

/** Of the devices of the same round of `measureOffers`. */
function measureReports(server: RateServer, round: number, roundCount: number): Promise<Rate> {
  const count = Math.floor(FLEET_COUNT / roundCount);
  const report = (at: number, step: (typeof STEPS)[number]) =>
    postRequest("/api/ota/status", at, OLDER, {
      device_id: deviceId(at, OLDER),
      firmware_id: OLDER_FIRMWARE_ID,
      ...step,
    });
  return measure(
    server,
    STEPS.flatMap((step) => spread(count, round * count, (at) => report(at, step))),
  );
}

const pollRequest = (at: number, fleet: Fleet): string =>
  `GET /${fleet.type}/controller/v1/${deviceId(at, fleet)} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`;

/** Of clients for which there is nothing new. Their polls before have left their keys, which the first checks of this round took away. */
async function measureHawkbitPolls(server: RateServer): Promise<Rate> {
  const requests = spread(FLEET_COUNT, 0, (at) => pollRequest(at, HAWKBIT));
  await measure(server, requests);
  return measure(server, requests, SECONDS);
}

const ROUND_COUNT = 5;

/** One line of the table: a round is a measurement of each line, so that a noisy minute affects all of them. */
interface Row {
  readonly what: string;
  readonly rates: readonly Rate[];
  /** A bare `node:http` server that answers a check, in the same rounds. */
  readonly reference: readonly Rate[];
}

/** @param json whether the table is printed as JSON instead */
export async function compareRates(
  folder: string,
  databaseUrl: string | undefined,
  json: boolean,
): Promise<void> {
  const answerFile = join(folder, "rates-answer.json");
  await writeFile(answerFile, JSON.stringify({ update_available: false, time: 1_795_000_000 }));
  const server = await startRateServer(join(folder, "rates"), databaseUrl);
  const bareStarted = await start(process.execPath, [
    "--import=tsx",
    here("bare.ts"),
    answerFile,
    join(folder, "rates", "image.bin"),
  ]);
  const bare = { folder, started: bareStarted, port: Number(bareStarted.line) };
  const checks = spread(FLEET_COUNT, 0, (at) => checkRequest(at));
  const reference: Rate[] = [];
  const lines: readonly { readonly what: string; readonly run: (round: number) => Promise<Rate> }[] = [
    { what: "first checks after a release, nothing for the device", run: () => measureFirstChecks(server) },
    {
      what: "first checks after a release, each an offer",
      run: (round) => measureOffers(server, round, ROUND_COUNT),
    },
    { what: "status reports", run: (round) => measureReports(server, round, ROUND_COUNT) },
    { what: "hawkBit polls, nothing new", run: () => measureHawkbitPolls(server) },
  ];
  const rates = lines.map((): Rate[] => []);
  for (let round = 0; round < ROUND_COUNT; round++) {
    reference.push(await measure(bare, checks));
    for (const [at, { run }] of lines.entries()) rates[at]?.push(await run(round));
  }
  const rows = lines.map(({ what }, at): Row => ({ what, rates: rates[at] ?? [], reference }));
  if (json) console.log(JSON.stringify(rows.map(summarize)));
  else print(rows, databaseUrl === undefined ? "SQLite" : "PostgreSQL");
}

function print(rows: readonly Row[], store: string): void {
  console.log(
    `\n| ${store}, ${FLEET_COUNT} devices of each kind | a second: median (least to most) | of bare node:http | µs of processor | p99, ms |`,
  );
  console.log("| --- | --- | --- | --- | --- |");
  for (const row of rows) {
    const { perSecond, cpuMicros, p99Ms, ratio } = summarize(row);
    console.log(
      `| ${row.what} | ${perSecond.median.toFixed(0)} (${perSecond.least.toFixed(0)} to ${perSecond.most.toFixed(0)}) | ` +
        `${ratio.median.toFixed(2)} (${ratio.least.toFixed(2)} to ${ratio.most.toFixed(2)}) | ` +
        `${cpuMicros.median.toFixed(0)} (${cpuMicros.least.toFixed(0)} to ${cpuMicros.most.toFixed(0)}) | ${p99Ms.median.toFixed(1)} |`,
    );
  }
}

function summarize({ what, rates, reference }: Row) {
  return {
    what,
    perSecond: spreadOf(rates.map(({ perSecond }) => perSecond)),
    cpuMicros: spreadOf(rates.map(({ cpuMicros }) => cpuMicros)),
    p99Ms: spreadOf(rates.map(({ p99Ms }) => p99Ms)),
    ratio: spreadOf(
      rates.map(({ perSecond }, round) => perSecond / (reference[round]?.perSecond ?? Number.NaN)),
    ),
  };
}

function spreadOf(values: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    median: sorted[sorted.length >> 1] ?? Number.NaN,
    least: sorted[0] ?? Number.NaN,
    most: sorted.at(-1) ?? Number.NaN,
  };
}
