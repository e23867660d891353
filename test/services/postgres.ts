// A real PostgreSQL for the tests: one cluster in a temporary folder for the whole run, reached through a unix socket, and a fresh
// database for each caller. It exits with the process that started it, even if that is killed: a shell waits for the end of a
// pipe between them.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
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

let cluster: Promise<Cluster | string> | undefined;
let running: ChildProcess | undefined;
/** Databases that are being created. */
const making = new Set<Promise<void>>();
// Without Mocha (the fuzzer), or in a worker of Mocha, which runs many files, the pipe ends with the process.
if (typeof after === "function" && process.env.MOCHA_WORKER_ID === undefined)
  after(async () => {
    // One may be created for a test that never runs.
    await Promise.allSettled(making);
    running?.stdin?.end();
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

async function start(): Promise<Cluster | string> {
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
  const settings = [...SETTINGS, `unix_socket_directories=${folder}`].flatMap((setting) => ["-c", setting]);
  const script = '"$@" >"$0/log" 2>&1 & pid=$!; cat >/dev/null; kill -QUIT $pid; wait $pid; rm -rf "$0"';
  running = spawn("sh", ["-c", script, folder, join(binaries, "postgres"), "-D", data, ...settings], {
    ...user,
    cwd: folder,
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  running.unref();
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
  };
}

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
      return await ask(url, "select 1");
    } catch (error) {
      if (tryCount === START_TRY_COUNT) throw error;
      await sleep(50);
    }
  }
}

/** Runs one query on its own connection. */
export async function ask(url: string, question: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(question);
  } finally {
    await client.end();
  }
}
