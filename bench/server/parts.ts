// What each part of the fast path brings: no-op checks of the same fleet at servers that lack one part, in turn, each on a copy of
// the same SQLite database. The first line is the whole fast path; a part brings what its line falls short of 1.

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BASE, checkRequest, deviceId, deviceToken, fillStore, image, release } from "./fleet.js";
import { compare, here, load, type Subject, start } from "./measure.js";
import type { PartName } from "./without-parts.js";

const DEVICE_COUNT = 20_000;
const CONNECTIONS = [64, 512];
const DOWNLOAD_CONNECTIONS = 16;

type Without = PartName | "fast-path";

interface Server {
  readonly port: number;
  readonly adminToken: string;
  readonly child: ChildProcess;
  readonly end: () => Promise<void>;
}

export async function compareParts(folder: string): Promise<void> {
  const base = join(folder, "base");
  await mkdir(base, { mode: 0o700 });
  await fillStore(join(base, "skyslot.db"), new Map([[BASE, DEVICE_COUNT]]));
  await leaveKeys(folder, base);
  let copyCount = 0;
  const begin = async (without?: Without) => {
    const dataDir = join(folder, `copy-${++copyCount}`);
    await cp(base, dataDir, { recursive: true });
    return startServer(dataDir, without);
  };
  const whole = await begin();
  const routed = await begin();
  const none = await begin("fast-path");
  const noBatches = await begin("batches");
  const noAppending = await begin("appending");
  for (const connectionCount of CONNECTIONS) {
    const subject = (name: string, { port, child }: Server, contentType?: string): Subject => ({
      name,
      child,
      load: { port, connectionCount, requests: requestsWith(contentType) },
    });
    await compare(
      folder,
      `no-op checks of ${DEVICE_COUNT} devices, ${connectionCount} connections`,
      [
        subject("fast path", whole),
        // A parameter that the listener does not expect.
        subject("answered by the route", routed, "application/json; charset=utf-8"),
        subject("a commit for each check", noBatches),
        subject("no table to append to", noAppending),
        subject("--no-fast-path", none),
      ],
      ({ perSecond }) => perSecond,
      "checks/s",
    );
  }
  for (const server of [routed, none, noBatches, noAppending]) await server.end();
  const noCache = await begin("access-cache");
  const parts = (name: string, { port, child }: Server): Subject => ({
    name,
    child,
    load: { port, connectionCount: DOWNLOAD_CONNECTIONS, requests: DOWNLOADS },
  });
  await compare(
    folder,
    `digests and images by ranges of 1 MiB, of a closed type, ${DOWNLOAD_CONNECTIONS} connections`,
    [parts("access cache", whole), parts("no access cache", noCache)],
    ({ perSecond }) => perSecond,
    "requests/s",
  );
}

/** Closes the type, uploads the release and lets every device check once, so that each has its key. */
async function leaveKeys(folder: string, dataDir: string): Promise<void> {
  const imageFile = join(folder, "base.bin");
  await writeFile(imageFile, image);
  const { port, adminToken, end } = await startServer(dataDir, undefined, {
    RELEASE: release,
    IMAGE: imageFile,
  });
  const closed = await fetch(`http://127.0.0.1:${port}/api/registration/base`, {
    method: "PUT",
    headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    body: JSON.stringify({ registration: "open", tokens: "required" }),
  });
  if (!closed.ok) throw new Error(await closed.text());
  await load(folder, { port, connectionCount: 64, requests: requestsWith() });
  await end();
}

async function startServer(dataDir: string, without?: Without, env: NodeJS.ProcessEnv = {}): Promise<Server> {
  const args = ["--import=tsx", here("skyslot.ts"), dataDir, ...(without ? [`--without=${without}`] : [])];
  const { line, child } = await start(process.execPath, args, env);
  const { url, adminToken } = JSON.parse(line) as { readonly url: string; readonly adminToken: string };
  const end = async () => {
    const ended = once(child, "exit");
    child.kill();
    await ended;
  };
  return { port: Number(new URL(url).port), adminToken, child, end };
}

const requestsWith = (contentType?: string): readonly string[] =>
  Array.from({ length: DEVICE_COUNT }, (_, at) => checkRequest((at * 7919) % DEVICE_COUNT, contentType));

const getRequest = (path: string, at: number, lastByte: number): string =>
  `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${deviceToken(at)}\r\nrange: bytes=0-${lastByte}\r\n\r\n`;

/** For each device the digests and then the image, as the firmware fetches them, interleaved with other devices. */
const DOWNLOADS: readonly string[] = Array.from(
  { length: DEVICE_COUNT / DOWNLOAD_CONNECTIONS },
  (_, group) => {
    const devices = Array.from(
      { length: DOWNLOAD_CONNECTIONS },
      (_, at) => group * DOWNLOAD_CONNECTIONS + at,
    );
    return [
      ...devices.map((at) => getRequest(`/api/ota/download/1/digests?device=${deviceId(at)}`, at, 2047)),
      ...devices.map((at) => getRequest(`/api/ota/download/1?device=${deviceId(at)}`, at, 1024 * 1024 - 1)),
    ];
  },
).flat();
