// A page on this computer's loopback that shows virtual devices as they are: their lights and panels live, a few facts, and a drawing of many
// devices and their links. The page has no resources but its own; what changes comes to it as server-sent events, and what a person does at it
// (action.ts) is one kind of request, which other pages cannot make.

import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Light, Sense } from "../../hardware/gpio.js";
import { type Action, MAX_ACTION_BYTES, readAction } from "./action.js";
import type { Facts } from "./facts.js";
import type { Scene } from "./scene-reader.js";

/** A device on the page. */
export interface Shown extends Facts {
  /** No two are the same. */
  readonly name: string;
  /** The address of its own pages; "": they cannot be reached from this computer. */
  readonly pages: string;
}

export interface View {
  readonly url: string;
  /** A light or the panel of a device shows something else. */
  show(device: string, light: Light): void;
  /** What a device listens to says something else. */
  sense(device: string, sense: Sense): void;
  close(): void;
}

/** A strip changes 20 times a second: more than that is not visible. */
const FLUSH_MS = 50;
const FACTS_MS = 1_000;
const SCENE_MS = 500;

const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = Object.freeze({
  "/": ["page.html", "text/html; charset=utf-8"],
  "/client.js": ["client.js", "text/javascript; charset=utf-8"],
  "/drawing.js": ["drawing.js", "text/javascript; charset=utf-8"],
  "/senses.js": ["senses.js", "text/javascript; charset=utf-8"],
  "/scene.js": ["scene.js", "text/javascript; charset=utf-8"],
  "/style.css": ["style.css", "text/css; charset=utf-8"],
  "/scene.css": ["scene.css", "text/css; charset=utf-8"],
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
  /** Absent: there is nothing to draw but the devices. */
  readonly scene?: (() => Scene) | undefined;
  /** Absent: nothing can be done at the page. */
  readonly act?: ((action: Action) => void) | undefined;
  /** Absent or 0: any free one. */
  readonly port?: number;
}): Promise<View> {
  const lights = new Map<string, ShownLight>();
  const changed = new Set<string>();
  const senses = new Map<string, object>();
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
  // a scene tells of the time since the one before: one for all who watch
  let scene: Scene | undefined;
  const looking = setInterval(() => {
    if (watchers.size === 0 || !options.scene) return;
    scene = options.scene();
    send(watchers, "scene", scene);
  }, SCENE_MS);

  const watch = (request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { ...HEADERS, "content-type": "text/event-stream" });
    send([response], "facts", options.facts());
    if (watchers.size === 0) scene = options.scene?.();
    if (scene) send([response], "scene", scene);
    for (const light of lights.values()) send([response], "light", describe(light));
    for (const sense of senses.values()) send([response], "sense", sense);
    watchers.add(response);
    request.once("close", () => watchers.delete(response));
  };

  const server = createServer((request, response) => {
    const file = FILES[request.url ?? ""];
    if (!OWN_HOST.test(request.headers.host ?? "")) response.writeHead(403, HEADERS).end();
    else if (request.url === "/act" && options.act) void takeAction(request, response, options.act);
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
    sense(device, sense) {
      const described = { ...sense, device };
      senses.set(`${device} ${sense.pin}`, described);
      send(watchers, "sense", described);
    },
    close() {
      clearInterval(ticking);
      clearInterval(looking);
      clearTimeout(flushing);
      server.close();
      server.closeAllConnections();
    },
  };
}

/** JSON by POST, with its content type: a foreign page cannot send that here without asking first, and is not answered then. */
async function takeAction(
  request: IncomingMessage,
  response: ServerResponse,
  act: (action: Action) => void,
): Promise<void> {
  const answer = (status: number) => void response.writeHead(status, HEADERS).end();
  if (request.method !== "POST") return answer(405);
  if (request.headers["content-type"] !== "application/json") return answer(415);
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) {
    text += chunk;
    if (text.length > MAX_ACTION_BYTES) return answer(413);
  }
  const action = readAction(text);
  if (!action) return answer(400);
  act(action);
  answer(204);
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
