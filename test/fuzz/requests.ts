// Requests of the fuzzer: number N of a seed is always the same, but for the ids and secrets of what exists when it is sent. Most are nearly
// right, so that they get far before something in them is wrong: types, sizes, encodings, tokens, depths, ranges, headers, damaged forms.

import type { TSchema } from "@sinclair/typebox";
import type { RouteOptions } from "fastify";
import { randomStream } from "../../host-sim/world/random.js";
import { bodyOf } from "./bodies.js";
import type { Surroundings } from "./furniture.js";
import { type Recipe, recipeFor } from "./recipes.js";
import { chance, HOSTILE_TEXTS, hostileValue, pick, type Random, sample } from "./values.js";

export interface FuzzRoute {
  readonly method: string;
  readonly url: string;
  readonly params: TSchema | undefined;
  readonly query: TSchema | undefined;
  readonly body: TSchema | undefined;
  /** Its answer never ends. */
  readonly isStream: boolean;
}

export interface FuzzRequest {
  readonly route: FuzzRoute;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

export interface FuzzAnswer {
  readonly status: number;
  /** The request's id in the server's log. */
  readonly id: string | undefined;
}

/** Every route, as registered in the app. */
export function describeRoutes({ method, url, schema, config }: RouteOptions): FuzzRoute[] {
  const parts = (schema ?? {}) as Partial<Record<"params" | "querystring" | "body", TSchema>>;
  return [method].flat().map((each) => ({
    method: each,
    url,
    params: parts.params,
    query: parts.querystring,
    body: parts.body,
    isStream: config?.isStream === true,
  }));
}

/** Of the requests to routes that have a recipe: the others try what the schemas allow. */
const RECIPE_SHARE = 0.6;
const METHODS = Object.freeze(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]);
const WITHOUT_BODY: readonly string[] = Object.freeze(["GET", "HEAD", "TRACE"]);

export function makeRequest(
  routes: readonly FuzzRoute[],
  around: Surroundings,
  seed: string,
  index: number,
): FuzzRequest {
  const random = randomStream(`${seed}/${index}`);
  const route = pick(random, routes);
  const recipe = chance(random, RECIPE_SHARE) ? recipeFor(route, around, random) : undefined;
  const method = chance(random, 0.95) ? route.method : pick(random, METHODS);
  const url = `${pathOf(route, around, random, recipe)}${queryOf(route, random)}`;
  const content = WITHOUT_BODY.includes(method) ? undefined : bodyOf(route, around, random, recipe);
  const headers = {
    ...headersOf(around, random),
    ...(recipe?.headers ?? {}),
    ...(/download|files/.test(url) && chance(random, 0.5)
      ? { range: pick(random, HEADERS.range ?? []) }
      : {}),
    ...(content?.type === undefined ? {} : { "content-type": content.type }),
  };
  return { route, method, url, headers, body: content?.bytes };
}

// ── the path and the query ───────────────────────────────────────────────────────────────────────────────────────────────

function pathOf(
  { url, params }: FuzzRoute,
  around: Surroundings,
  random: Random,
  recipe: Recipe | undefined,
): string {
  if (chance(random, 0.01)) return `/${encode(pick(random, HOSTILE_TEXTS), random)}`;
  const properties = (params?.properties ?? {}) as Record<string, TSchema>;
  const path = url.replace(/:([A-Za-z0-9_]+)|\*/g, (_match, name: string | undefined) => {
    if (chance(random, recipe ? 0.03 : 0.15)) return encode(pick(random, HOSTILE_TEXTS), random);
    const given = recipe?.params?.[name ?? "*"];
    if (given !== undefined) return encodeURIComponent(given);
    if (name === "sha256" && chance(random, 0.7)) return around.sha256;
    const schema = name === undefined ? undefined : properties[name];
    const value = schema ? sample(schema, random) : hostileValue(random);
    return encode(typeof value === "string" ? value : String(JSON.stringify(value)), random);
  });
  return chance(random, 0.02) ? `${path}${pick(random, ["/", "//", "/..", ";a=b", "%2e%2e", "?"])}` : path;
}

/** Percent-encoded, or not, or twice, or wrongly. Never more than a request line may be. */
function encode(text: string, random: Random): string {
  const short = text.slice(0, 2000);
  const encoded = encodeURIComponent(short.toWellFormed());
  if (chance(random, 0.9)) return encoded;
  return pick(random, [
    encodeURIComponent(encoded),
    encoded.slice(0, -1),
    encoded.replace(/[^\x21-\x7e]/g, ""),
  ]);
}

function queryOf({ query }: FuzzRoute, random: Random): string {
  const properties = Object.entries((query?.properties ?? {}) as Record<string, TSchema>);
  const pairs: string[] = [];
  for (const [name, schema] of properties) {
    if (chance(random, 0.5)) continue;
    const value = chance(random, 0.7) ? sample(schema, random) : hostileValue(random);
    pairs.push(
      `${name}=${encode(typeof value === "string" ? value : String(JSON.stringify(value)), random)}`,
    );
    if (chance(random, 0.03)) pairs.push(`${name}=2`, `${name}[]=3`, `${name}[a]=b`);
  }
  if (chance(random, 0.05)) pairs.push(`${encode(pick(random, HOSTILE_TEXTS), random)}=1`);
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

// ── headers ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

const HEADERS: Readonly<Record<string, readonly string[]>> = Object.freeze({
  range: [
    "bytes=0-",
    "bytes=0-0",
    "bytes=-1",
    "bytes=-0",
    "bytes=5-2",
    "bytes=99999999999-",
    "bytes=0-1,3-4,6-7",
    `bytes=${"0-1,".repeat(200)}`,
    "bytes=a-b",
    "bites=0-1",
    "bytes=0-999999999999999999999",
    "bytes",
    "",
  ],
  "if-range": ['"a"', "Sat, 21 Nov 2026 08:00:00 GMT", 'W/"a"', ""],
  "if-none-match": ["*", '"a"', 'W/"a", "b"', ",".repeat(500), ""],
  "if-modified-since": ["Sat, 21 Nov 2026 08:00:00 GMT", "yesterday", ""],
  accept: ["text/html", "*/*", "application/hal+json", ";;;", ""],
  "accept-encoding": ["gzip", "identity;q=0", "\t"],
  cookie: ["skyslot_access=a", "=", ";;;=;", `skyslot_access=${"a".repeat(4000)}`, "__proto__=1"],
  host: ["localhost", "127.0.0.1:8080", "", "a b", "[::1]", "evil.example.com", "localhost:99999"],
  origin: ["null", "http://evil.example.com", ""],
  "x-forwarded-for": ["1.2.3.4", "not an address", "::1, ::2", ",".repeat(200)],
  "x-request-id": ["abc", "a b", "x".repeat(500)],
  "x-esp32-version": ["1.0.0", "", "é"],
  "x-esp32-sta-mac": ["00:11:22:33:44:55", "x"],
  "x-esp32-sketch-md5": ["d".repeat(32), "-"],
  "user-agent": ["ESP32-http-Update", ""],
  "x-device-token": ["a", ""],
  connection: ["close", "upgrade"],
  expect: ["nonsense"],
  "content-encoding": ["gzip", "br"],
});
const HEADER_NAMES = Object.freeze(Object.keys(HEADERS));

function headersOf({ token, otherTokens }: Surroundings, random: Random): Record<string, string> {
  const headers: Record<string, string> = {};
  const authorization = chance(random, 0.8)
    ? `Bearer ${token}`
    : pick(random, [
        undefined,
        "",
        "Bearer",
        "Bearer ",
        ...otherTokens.map((other) => `Bearer ${other}`),
        `Bearer ${token.slice(0, -2)}`,
        `Bearer ${"a".repeat(6000)}`,
        `Basic ${token}`,
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.",
        "TargetToken abc",
        "GatewayToken abc",
      ]);
  if (authorization !== undefined) headers.authorization = authorization;
  while (chance(random, 0.3)) {
    const name = pick(random, HEADER_NAMES);
    headers[name] = pick(random, HEADERS[name] ?? []);
  }
  return headers;
}
