// Requests of a phone in the setup network of a device that nobody has set up: the setup page, connectivity checks, networks to join.

import { below, chance, pick, type Random } from "../../values.js";
import { Fault, HOME, type House, OWNER_TOKEN } from "../house.js";
import type { Input, Kind } from "../kind.js";
import { damageJson, mutateText, printJson, shown, toBytes } from "../mutate.js";
import { visit } from "../visit.js";
import { mannerOf, requestText } from "./requests.js";

export const PORTAL_ADDRESS = "192.168.4.1";

export const portal: Kind = {
  name: "portal",
  what: "requests in the setup network",
  share: 8,
  start: "new",
  begin: enterPortal,
  make,
};

const OPEN_LIMIT_MS = 120_000;
const PREFIX = "Skyslot ";

/** The phone joins the setup network, if it is not in it. */
export async function enterPortal(house: House): Promise<void> {
  if (house.phone.joinedSsid !== undefined) return;
  const find = () => house.phone.visibleSsids().find((ssid) => ssid.startsWith(PREFIX));
  if (!(await house.until(() => find() !== undefined, OPEN_LIMIT_MS)))
    throw new Fault("no setup network is open any more");
  let isIn = false;
  house.phone.join(find() ?? "").then(
    () => {
      isIn = true;
    },
    () => {},
  );
  await house.until(() => isIn, 10_000);
}

const PATHS = Object.freeze([
  "/",
  "/settings",
  "/api/networks",
  "/api/scan",
  "/api/join",
  "/api/join",
  "/api/join",
  "/api/device",
  "/api/settings",
  "/api/token",
  "/api/led",
  "/api/version",
  "/api/factory-reset",
  "/api/restart",
  "/generate_204",
  "/hotspot-detect.html",
  "/connecttest.txt",
  "/x",
  "/__proto__",
  "/?a=b",
]);
const HOSTS = Object.freeze([
  PORTAL_ADDRESS,
  PORTAL_ADDRESS,
  PORTAL_ADDRESS,
  "connectivitycheck.gstatic.com",
  "captive.apple.com",
]);
const GETS: readonly string[] = Object.freeze([
  "/",
  "/settings",
  "/api/networks",
  "/generate_204",
  "/hotspot-detect.html",
  "/connecttest.txt",
]);

function make(random: Random): Input {
  const path = chance(random, 0.96)
    ? pick(random, PATHS)
    : toBytes(mutateText(random, pick(random, PATHS), 3000));
  const method = GETS.includes(path) ? "GET" : chance(random, 0.7) ? "POST" : "GET";
  const isJson = path !== "/api/join" || chance(random, 0.4);
  const text = requestText(random, {
    method,
    path,
    host: pick(random, HOSTS),
    headers: [
      ...(method === "POST"
        ? [`Content-Type: application/${isJson ? "json" : "x-www-form-urlencoded"}`]
        : []),
      ...(chance(random, 0.1) ? [`Authorization: Bearer ${OWNER_TOKEN}`] : []),
    ],
    body: method === "POST" ? bodyFor(random, path, isJson) : "",
  });
  const manner = mannerOf(random);
  return {
    text: `${shown(text, 600)}${manner.pieces ? `, in pieces of ${manner.pieces}` : ""}, then ${manner.end}`,
    // attended and without an owner, anyone in the setup network may
    allows: ["owner", "factory-reset", "roll-back"],
    async feed(house) {
      await enterPortal(house);
      const { status } = await visit(house, {
        node: house.phone.node,
        address: PORTAL_ADDRESS,
        port: 80,
        text,
        ...manner,
      });
      if (status === 202) await house.during(path === "/api/join" ? 20_000 : 2_000);
      return status === 0 ? "no answer" : `${status}`;
    },
  };
}

const SSIDS = Object.freeze([
  HOME.ssid,
  "nobody",
  "",
  "a".repeat(32),
  "a".repeat(33),
  "💡".repeat(8),
  "\u0000",
  "a\u0000b",
  "<b>",
  "é",
  " ",
  "Skyslot base-000000",
]);
const PASSWORDS = Object.freeze([
  "",
  "wrong password",
  "short",
  "a".repeat(63),
  "a".repeat(64),
  "0".repeat(64),
  "é".repeat(8),
  "a\u0000bcdefgh",
]);

function bodyFor(random: Random, path: string, isJson: boolean): string {
  const fields: Record<string, unknown> =
    path === "/api/join"
      ? { ssid: pick(random, SSIDS), password: pick(random, PASSWORDS) }
      : path === "/api/token"
        ? { token: pick(random, [OWNER_TOKEN, "", "short"]) }
        : path === "/api/led"
          ? { brightness: below(random, 120) }
          : { deviceName: pick(random, ["Kitchen", "", "é💡"]) };
  let value: unknown = fields;
  while (chance(random, 0.35)) value = damageJson(random, value, ["ssid", "password", "token", "__proto__"]);
  const text = isJson ? printJson(random, value) : formOf(fields);
  return chance(random, 0.25) ? mutateText(random, text, 4000) : text;
}

const formOf = (fields: Record<string, unknown>): string =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
    .join("&");
