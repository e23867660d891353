// A page on this computer's loopback that shows virtual devices as they are: their lights and panels live, and a few facts. The page has
// no resources but its own; what changes comes to it as server-sent events. Read-only: nothing can be changed from it.

import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Light } from "../../hardware/gpio.js";
import type { Facts } from "./facts.js";

/** A device on the page. */
export interface Shown extends Facts {
  /** No two are the same. */
  readonly name: string;
  /** The address of its own pages. */
  readonly pages: string;
}

export interface View {
  readonly url: string;
  /** A light or the panel of a device shows something else. */
  show(device: string, light: Light): void;
  close(): void;
}

/** A strip changes 20 times a second: more than that is not visible. */
const FLUSH_MS = 50;
const FACTS_MS = 1_000;

const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = Object.freeze({
  "/": ["page.html", "text/html; charset=utf-8"],
  "/client.js": ["client.js", "text/javascript; charset=utf-8"],
  "/style.css": ["style.css", "text/css; charset=utf-8"],
});
const HEADERS = Object.freeze({
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
});
/** A foreign page whose name resolves to loopback (DNS rebinding) must not read it. */
const OWN_HOST = /^(localhost|127\.0\.0\.1)(:\d+)?$/;

export async function openView(options: {
  readonly facts: () => readonly Shown[];
  /** Absent or 0: any free one. */
  readonly port?: number;
}): Promise<View> {
  const lights = new Map<string, ShownLight>();
  const changed = new Set<string>();
  const watchers = new Set<ServerResponse>();
  let flushing: NodeJS.Timeout | undefined;

  const send = (to: Iterable<ServerResponse>, event: string, data: unknown) => {
    for (const watcher of to) watcher.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const flush = () => {
    flushing = undefined;
    for (const name of changed) send(watchers, "light", describe(lights.get(name)!));
    changed.clear();
  };
  const ticking = setInterval(() => send(watchers, "facts", options.facts()), FACTS_MS);

  const watch = (request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { ...HEADERS, "content-type": "text/event-stream" });
    send([response], "facts", options.facts());
    for (const light of lights.values()) send([response], "light", describe(light));
    watchers.add(response);
    request.once("close", () => watchers.delete(response));
  };

  const server = createServer((request, response) => {
    const file = FILES[request.url ?? ""];
    if (!OWN_HOST.test(request.headers.host ?? "")) response.writeHead(403, HEADERS).end();
    else if (request.method !== "GET") response.writeHead(405, { ...HEADERS, allow: "GET" }).end();
    else if (request.url === "/events") watch(request, response);
    else if (file) response.writeHead(200, { ...HEADERS, "content-type": file[1] }).end(read(file[0]));
    else response.writeHead(404, HEADERS).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });

  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    show(device, light) {
      const name = nameOf(device, light);
      lights.set(name, { device, light });
      changed.add(name);
      if (watchers.size === 0) changed.clear();
      else flushing ??= setTimeout(flush, FLUSH_MS);
    },
    close() {
      clearInterval(ticking);
      clearTimeout(flushing);
      server.close();
      server.closeAllConnections();
    },
  };
}

const read = (file: string): Buffer => readFileSync(new URL(file, import.meta.url));

interface ShownLight {
  readonly device: string;
  readonly light: Light;
}

const nameOf = (device: string, light: Light): string =>
  `${device} ${light.type === "panel" ? "panel" : `${light.type} ${light.pin}`}`;

/** As JSON: bytes in base64. */
function describe({ device, light }: ShownLight): object {
  if (light.type === "strip")
    return { ...light, device, pixels: Buffer.from(light.pixels).toString("base64") };
  return light.type === "panel"
    ? { ...light, device, rows: Buffer.from(light.rows).toString("base64") }
    : { ...light, device };
}
