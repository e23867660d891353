// A real PostgreSQL for the tests: one cluster in a temporary folder for the whole run, reached through a unix socket, and a fresh
// database for each caller. It exits with the process that started it, even if that is killed: a shell waits for the end of a
// pipe between them.

import { execFileSync, spawn } from "node:child_process";
import { chmod, chown, mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

const BINARIES = "/usr/lib/postgresql";
const NOBODY = 65_534;
const START_TRY_COUNT = 200;
/** Nothing here outlives the tests, so nothing needs to be synced to disk. */
const SETTINGS = [
  "fsync=off",
  "synchronous_commit=off",
  "full_page_writes=off",
  "listen_addresses=",
  "max_connections=200",
];

export interface Cluster {
  /** The URL of an empty database, or a copy of `template` (a URL of this cluster), which must have no connections. */
  newDatabase(template?: string): Promise<string>;
}

/** A cluster of one test's own, which may be restarted. */
export interface OwnCluster extends Cluster {
  /** Returns when the database answers again. "fast" ends its connections and writes all to disk, "immediate" is a crash. */
  restart(mode: "fast" | "immediate"): Promise<void>;
  close(): void;
}

let cluster: Promise<OwnCluster | string> | undefined;
/** Databases that are being created. */
const making = new Set<Promise<unknown>>();
// Without Mocha (the fuzzer), or in a worker of Mocha, which runs many files, the pipe ends with the process.
if (typeof after === "function" && process.env.MOCHA_WORKER_ID === undefined)
  after(async () => {
    // One may be created for a test that never runs.
    await Promise.allSettled(making);
    const found = await cluster;
    if (typeof found === "object") found.close();
  });

/** The cluster of this run; skips the calling suite, and says why, where there is none. Call it in a `before`. */
export async function postgresOrSkip(context: Mocha.Context): Promise<Cluster> {
  cluster ??= start();
  const found = await cluster;
  if (typeof found !== "string") return found;
  console.warn(`      skipped: ${found}`);
  return context.skip();
}

/** A database of the cluster of this run. @throws Error where there is no PostgreSQL */
export async function newTestDatabase(template?: string): Promise<string> {
  cluster ??= start();
  const found = await cluster;
  if (typeof found === "string") throw new Error(found);
  return found.newDatabase(template);
}

/** Another cluster, whose acknowledged transactions survive its crash. Skips the calling suite like {@link postgresOrSkip}. */
export async function ownPostgresOrSkip(context: Mocha.Context): Promise<OwnCluster> {
  const found = await start(["synchronous_commit=on"]);
  if (typeof found !== "string") return found;
  console.warn(`      skipped: ${found}`);
  return context.skip();
}

async function start(more: readonly string[] = []): Promise<OwnCluster | string> {
  const binaries = await findBinaries();
  if (!binaries) return `no PostgreSQL under ${BINARIES} (Debian package postgresql)`;
  const folder = await mkdtemp(join(tmpdir(), "skyslot-pg-"));
  await chmod(folder, 0o700);
  // PostgreSQL refuses to run as root.
  const asNobody = process.getuid?.() === 0;
  if (asNobody) await chown(folder, NOBODY, NOBODY);
  const user = asNobody ? { uid: NOBODY, gid: NOBODY } : {};
  const data = join(folder, "data");
  const initialise = [
    "-D",
    data,
    "-U",
    "skyslot",
    "-A",
    "trust",
    "-E",
    "UTF8",
    "--locale=C.UTF-8",
    "--no-sync",
  ];
  execFileSync(join(binaries, "initdb"), initialise, { ...user, cwd: folder, stdio: "pipe" });
  const settings = [...SETTINGS, ...more, `unix_socket_directories=${folder}`].flatMap((setting) => [
    "-c",
    setting,
  ]);
  const running = spawn("sh", ["-c", SCRIPT, folder, join(binaries, "postgres"), "-D", data, ...settings], {
    ...user,
    cwd: folder,
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  running.unref();
  running.stdin.on("error", () => {});
  await answering(urlOf(folder, "postgres"));
  let databaseCount = 0;
  return {
    async newDatabase(template) {
      const name = `test${++databaseCount}`;
      const like = template === undefined ? "strategy file_copy" : `template ${nameOf(template)}`;
      const made = ask(urlOf(folder, "postgres"), `create database ${name} ${like}`);
      making.add(made);
      await made.finally(() => making.delete(made));
      return urlOf(folder, name);
    },
    async restart(mode) {
      const startedAt = await startTime(urlOf(folder, "postgres"));
      running.stdin.write(`${mode === "fast" ? "INT" : "QUIT"}\n`);
      while ((await startTime(urlOf(folder, "postgres")).catch(() => startedAt)) === startedAt)
        await sleep(10);
    },
    close: () => void running.stdin.end(),
  };
}

/** Reads signals, a line each: the database gets it, and is started again. At the end of the pipe it ends. */
const SCRIPT = `
run() { "$@" >>"$folder/log" 2>&1 & pid=$!; }
folder=$0
run "$@"
while read -r signal; do kill -"$signal" $pid; wait $pid; run "$@"; done
kill -QUIT $pid; wait $pid; rm -rf "$folder"`;

async function findBinaries(): Promise<string | undefined> {
  const versions = await readdir(BINARIES).catch(() => []);
  const newest = versions.map(Number).sort((a, b) => b - a)[0];
  return newest === undefined ? undefined : join(BINARIES, String(newest), "bin");
}

const urlOf = (folder: string, database: string): string =>
  `postgres://skyslot@localhost/${database}?host=${encodeURIComponent(folder)}`;

const nameOf = (url: string): string => new URL(url).pathname.slice(1);

async function answering(url: string): Promise<void> {
  for (let tryCount = 1; ; tryCount++) {
    try {
      await ask(url, "select 1");
      return;
    } catch (error) {
      if (tryCount === START_TRY_COUNT) throw error;
      await sleep(50);
    }
  }
}

const startTime = async (url: string): Promise<string> =>
  String((await ask(url, "select pg_postmaster_start_time()::text as at"))[0]?.at);

/** Runs one query on its own connection. */
export async function ask(url: string, question: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  // it may be restarted at any time
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query(question)).rows;
  } finally {
    await client.end();
  }
}
