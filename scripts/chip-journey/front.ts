// The update server of a journey, and a proxy in front of it that the device talks to: it forwards every request unchanged, and records what
// the device sent. The server's data is in a temporary folder.

import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CheckRequest, StatusRequest } from "../../firmware/core/wire.js";
import { type RunningServer, startServer } from "../../server/start.js";

export interface Download {
  /** First byte requested. */
  readonly offset: number;
  /** As Date.now(), like all times here. */
  readonly startedAt: number;
}

export type Report = StatusRequest & { readonly receivedAt: number };

export interface Front {
  /** Checks that the server has answered, in order. */
  readonly checks: readonly CheckRequest[];
  /** Status reports of the device, in order. */
  readonly reports: readonly Report[];
  readonly downloads: readonly Download[];
  /** No download gets further than this byte of the image; `undefined`: no limit. */
  holdAtBytes: number | undefined;
  /** A stable release: the device is offered it if it fits. Returns its number. */
  upload(image: Uint8Array, release: string): Promise<number>;
  /** Withdraws a release: it is no longer offered. */
  deactivate(firmwareId: number): Promise<void>;
  /** Where it listens, for people. */
  readonly address: string;
  close(): Promise<void>;
}

/** A device's checks and reports are short. */
const BODY_BYTES_MAX = 64 * 1024;
/** Of an image, not of its digests. */
const IMAGE_PATH = /^\/api\/ota\/download\/\d+$/;

export async function openFront(options: {
  readonly host: string;
  readonly port: number;
  readonly onCheck: (check: CheckRequest) => void;
}): Promise<Front> {
  const folder = mkdtempSync(join(tmpdir(), "skyslot-chip-"));
  const server = await startServer({ dataDir: folder, port: 0 });
  const checks: CheckRequest[] = [];
  const reports: Report[] = [];
  const downloads: Download[] = [];
  const backPort = Number(new URL(server.url).port);
  // a device that was flashed again, or reset, has lost its token
  await admin(server, "PUT", "/api/registration/*", { registration: "open", tokens: "optional" });

  const record = (path: string, body: unknown): void => {
    if (path === "/api/ota/status") reports.push({ ...(body as StatusRequest), receivedAt: Date.now() });
    if (path !== "/api/ota/check") return;
    checks.push(body as CheckRequest);
    options.onCheck(body as CheckRequest);
  };
  const listener = createServer((from, to) => void forward(from, to, { backPort, record, passDownload }));
  const passDownload = (offset: number, answer: IncomingMessage, to: ServerResponse): void => {
    downloads.push({ offset, startedAt: Date.now() });
    let passedBytes = offset;
    answer.on("data", (part: Buffer) => {
      const room = (front.holdAtBytes ?? Number.POSITIVE_INFINITY) - passedBytes;
      passedBytes += part.length;
      const isHeld = room < part.length;
      const hasRoom = to.write(part.subarray(0, Math.max(0, room)));
      if (isHeld || !hasRoom) answer.pause();
      if (!isHeld && !hasRoom) to.once("drain", () => answer.resume());
    });
    answer.on("end", () => to.end());
  };
  const sockets = await listen(listener, options.host, options.port);
  const { port } = listener.address() as { port: number };
  const front: Front = {
    holdAtBytes: undefined,
    checks,
    reports,
    downloads,
    address: `${options.host}:${port}`,
    async upload(image, release) {
      const form = new FormData();
      form.set("release", release);
      form.set("file", new Blob([Buffer.from(image)]), "firmware.bin");
      const answer = await fetch(`${server.url}/api/ota/admin/upload`, {
        method: "POST",
        headers: { authorization: `Bearer ${server.adminToken}` },
        body: form,
      });
      if (!answer.ok) throw new Error(`the server refused a release: ${await answer.text()}`);
      return ((await answer.json()) as { id: number }).id;
    },
    async deactivate(firmwareId) {
      await admin(server, "PATCH", `/api/ota/admin/firmware/${firmwareId}`, { is_active: false });
    },
    async close() {
      listener.close();
      for (const socket of sockets) socket.destroy();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return front;
}

async function admin(server: RunningServer, method: string, path: string, body: object): Promise<void> {
  const answer = await fetch(`${server.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${server.adminToken}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`);
}

/** Returns the connections that are open. */
async function listen(front: Server, host: string, port: number): Promise<ReadonlySet<Socket>> {
  const sockets = new Set<Socket>();
  front.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    front.once("error", reject);
    front.listen(port, host, resolve);
  });
  return sockets;
}

interface Forwarding {
  readonly backPort: number;
  /** A request that the server has taken. */
  record(path: string, body: unknown): void;
  /** Forwards the image, from its byte `offset`. */
  passDownload(offset: number, answer: IncomingMessage, to: ServerResponse): void;
}

async function forward(from: IncomingMessage, to: ServerResponse, forwarding: Forwarding): Promise<void> {
  const body = await bodyOf(from).catch(() => undefined);
  if (body === undefined) return void from.destroy();
  const path = (from.url ?? "/").split("?")[0] ?? "/";
  const inner = request({
    host: "127.0.0.1",
    port: forwarding.backPort,
    method: from.method,
    path: from.url,
    headers: from.rawHeaders as never,
  });
  inner.on("error", () => to.destroy());
  inner.on("response", (answer) => {
    const status = answer.statusCode ?? 500;
    const isTaken = status < 300;
    if (from.method === "POST" && isTaken) forwarding.record(path, parsed(body));
    to.writeHead(status, answer.rawHeaders as never);
    if (!IMAGE_PATH.test(path) || !isTaken) return void answer.pipe(to);
    const offset = Number(/^bytes=(\d+)-/.exec(from.headers.range ?? "")?.[1] ?? 0);
    forwarding.passDownload(offset, answer, to);
  });
  to.once("close", () => inner.destroy());
  inner.end(body);
}

async function bodyOf(from: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const part of from) {
    parts.push(part);
    sizeBytes += part.length;
    if (sizeBytes > BODY_BYTES_MAX) throw new RangeError("a device sends no such body");
  }
  return Buffer.concat(parts);
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return {};
  }
}
