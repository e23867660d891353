// Requests to port 80 of a device in its owner's network: its pages and its API, with and without the owner's token.

import { below, chance, hostileValue, pick, type Random } from "../../values.js";
import type { House } from "../house.js";
import { OWNER_TOKEN } from "../house.js";
import type { Input, Kind, Restart } from "../kind.js";
import { damageJson, EDGE_NUMBERS, mutateText, printJson, shown, toBytes } from "../mutate.js";
import { begin, visit } from "../visit.js";
import { mannerOf, requestText } from "./requests.js";

export const pages: Kind = {
  name: "pages",
  what: "requests to the pages of a device at home",
  share: 9,
  start: "home",
  begin: settled,
  make,
};

const SETTLED_LIMIT_MS = 600_000;
/** Until a restart that was asked for has begun: the answer has to be out first. */
const FAREWELL_MS = 1_500;

/** It has joined its network and has checked. */
export async function settled(house: House): Promise<void> {
  const seen = house.server.checkCount;
  const isThere = () => house.address !== undefined && house.server.checkCount > seen;
  if (!(await house.until(isThere, SETTLED_LIMIT_MS))) throw new Error("the device does not come online");
}

const ADDRESS = "192.168.1.100";

const PATHS = Object.freeze([
  "/",
  "/ota",
  "/settings",
  "/api/version",
  "/api/health",
  "/api/settings",
  "/api/settings",
  "/api/token",
  "/api/saved-networks",
  "/api/forget-network",
  "/api/restart",
  "/api/rollback",
  "/api/factory-reset",
  "/api/led",
  "/api/led",
  "/api/networks",
  "/api/scan",
  "/api/join",
  "/api/device",
  "/favicon.ico",
  "/__proto__",
  "/api/constructor",
  "/../../etc/passwd",
  "/%00",
  "/api/settings?x=1",
  "//api/settings",
  "*",
  "http://192.168.1.100/api/version",
]);
const READ: readonly string[] = Object.freeze([
  "/",
  "/ota",
  "/api/version",
  "/api/health",
  "/api/device",
  "/api/networks",
]);

/** Restarts that the owner may ask for by a path. */
const COMMANDS: Readonly<Record<string, Restart>> = Object.freeze({
  "/api/restart": "owner",
  "/api/rollback": "roll-back",
  "/api/factory-reset": "factory-reset",
});

function make(random: Random): Input {
  if (chance(random, 0.03)) return crowd(random);
  const path = chance(random, 0.95)
    ? pick(random, PATHS)
    : toBytes(mutateText(random, pick(random, PATHS), 3000));
  // an owner's command is rare: it takes a restart
  const isCommand = Object.hasOwn(COMMANDS, path);
  const isOwner = chance(random, isCommand ? 0.02 : 0.35);
  const method = READ.includes(path) ? "GET" : chance(random, 0.75) ? "POST" : "GET";
  const text = requestText(random, {
    method,
    path,
    host: ADDRESS,
    headers: [
      ...(isOwner ? [`Authorization: Bearer ${OWNER_TOKEN}`] : wrongToken(random, isCommand ? 0.6 : 0.15)),
      ...(method === "POST" ? ["Content-Type: application/json"] : []),
    ],
    body: method === "POST" ? bodyFor(random, path) : "",
  });
  const manner = mannerOf(random);
  const command = isOwner ? COMMANDS[path] : undefined;
  return {
    text: `${shown(text, 600)}${manner.pieces ? `, in pieces of ${manner.pieces}` : ""}, then ${manner.end}`,
    allows: command === undefined ? [] : [command],
    async feed(house) {
      const before = house.intendedCount;
      const { status } = await visit(house, {
        node: house.stranger,
        address: addressOf(house),
        port: 80,
        text,
        ...manner,
      });
      if (command !== undefined && status === 202) await returned(house, before);
      else if (isOwner && status === 200) await reconnected(house);
      return status === 0 ? "no answer" : `${status}`;
    },
  };
}

const wrongToken = (random: Random, share: number): readonly string[] =>
  chance(random, share)
    ? [
        `Authorization: Bearer ${pick(random, ["", "x", OWNER_TOKEN.slice(1), `${OWNER_TOKEN}x`, OWNER_TOKEN.toUpperCase(), "undefined"])}`,
      ]
    : [];

const addressOf = (house: House): string => house.address ?? ADDRESS;

/** It restarts now; then it is at home again, or waits in its setup network. */
async function returned(house: House, before: number): Promise<void> {
  await house.until(() => house.intendedCount > before, FAREWELL_MS);
  if (house.intendedCount > before) await reconnected(house);
}

/** The owner may have removed the network: then the rest of the inputs finds nobody, and the person sets the device up afterwards. */
async function reconnected(house: House): Promise<void> {
  if (house.address === undefined) await house.until(() => house.address !== undefined, 20_000);
}

/** Several connections at once, some of which stay silent. */
function crowd(random: Random): Input {
  const count = 2 + below(random, 12);
  const texts = Array.from({ length: count }, () =>
    pick(random, [
      "",
      "G",
      "GET / HTTP/1.1\r\n",
      `GET / HTTP/1.1\r\nHost: ${ADDRESS}\r\n\r\n`,
      "POST /api/settings HTTP/1.1\r\nContent-Length: 2000\r\n\r\n{",
    ]),
  );
  return {
    text: `${count} connections at once: ${texts.map((text) => shown(text, 60)).join(", ")}`,
    async feed(house) {
      const going = texts.map((text) =>
        begin(house, { node: house.stranger, address: addressOf(house), port: 80, text }),
      );
      await house.until(() => going.every(({ isOver }) => isOver), 60_000);
      return going.every(({ isOver }) => isOver) ? "crowd" : "crowd, some left open";
    },
  };
}

const FIELDS = Object.freeze([
  "server",
  "checkSeconds",
  "deviceName",
  "acceptUnsigned",
  "token",
  "ssid",
  "pattern",
  "colour",
  "brightness",
  "speed",
  "count",
  "pin",
  "__proto__",
]);

const SERVERS = Object.freeze([
  "http://updates.skyslot.test:8080",
  "https://updates.skyslot.test",
  "http://",
  "http://:80",
  "http://a:0",
  "http://a:99999",
  "http://a:65536/",
  "http://a b",
  "http://[::1]:8080",
  "http://user:pass@a",
  "http://192.168.1.300",
  "http://a/../..",
  "http://a?b#c",
  "HTTP://A",
  `http://${"a".repeat(190)}`,
  "//a",
  "a",
  "",
]);

function bodyFor(random: Random, path: string): string {
  if (chance(random, 0.1)) return oddBody(random);
  let value: unknown = validBody(random, path);
  while (chance(random, 0.4)) value = damageJson(random, value, FIELDS);
  const text = printJson(random, value);
  return chance(random, 0.1) ? mutateText(random, text, 5000) : text;
}

function validBody(random: Random, path: string): Record<string, unknown> {
  switch (path) {
    case "/api/settings":
      return {
        ...(chance(random, 0.3) ? { server: pick(random, SERVERS) } : {}),
        ...(chance(random, 0.3) ? { checkSeconds: pick(random, [10, 300, 0, 9, 86_400, 86_401]) } : {}),
        ...(chance(random, 0.5)
          ? { deviceName: pick(random, ["Kitchen", "", "é💡", "a".repeat(41), "a\u0000b"]) }
          : {}),
      };
    case "/api/token":
      return { token: pick(random, [OWNER_TOKEN, "short", "", "a".repeat(65), "with space", "é".repeat(8)]) };
    case "/api/forget-network":
      return { ssid: pick(random, ["nobody", "", "\u0000", "💡".repeat(8)]) };
    case "/api/led":
      return {
        pattern: "blink",
        colour: "#00ff00",
        brightness: 1 + below(random, 100),
        speed: below(random, 700),
      };
    default:
      return {};
  }
}

function oddBody(random: Random): string {
  const depth = pick(random, [15, 16, 17, 300, 1000]);
  return pick(random, [
    () => "",
    () => "null",
    () => "[".repeat(depth),
    () => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`,
    () => `{"a":${pick(random, EDGE_NUMBERS)}}`,
    () => "\0".repeat(50),
    () => '{"__proto__":{"server":"http://a"}}',
    () => printJson(random, hostileValue(random)),
    () => "a=b&c=d",
    () => `"${"a".repeat(2100)}"`,
    () => "\xff\xfe{\0}\0",
  ])();
}
