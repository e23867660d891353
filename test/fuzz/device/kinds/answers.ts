// What the body of an answer to a check says: JSON and what is no JSON, offers with signed but odd manifests, orders, tokens, times, paces.

import { below, chance, hostileValue, pick, type Random } from "../../values.js";
import type { Ground } from "../ground.js";
import type { Input, Kind } from "../kind.js";
import { damageJson, EDGE_NUMBERS, mutateText, printJson, shown } from "../mutate.js";
import { type OddFile, oddFile, oddManifest } from "../releases.js";
import { type Answer, type Asked, plainAnswer, type Script, START_TIME } from "../server.js";
import { answerCheck, holdChecks } from "./exchange.js";

export const answers: Kind = {
  name: "answers",
  what: "bodies of answers to checks",
  share: 7,
  start: "home",
  begin: holdChecks,
  make,
};

const FIELDS = Object.freeze([
  "update_available",
  "time",
  "poll_seconds",
  "poll_is_for_all",
  "device_token",
  "orders",
  "firmware_id",
  "version",
  "build_number",
  "file_size",
  "file_hash",
  "download_url",
  "digests_url",
  "release",
  "hold",
  "commit",
  "abandon",
  "revert",
  "__proto__",
  "toString",
]);

const TIMES = Object.freeze([0, 1, 1e12, -1, 2 ** 31, 2 ** 32, 2 ** 53, 7_258_118_400, START_TIME]);

const ADDRESSES = Object.freeze([
  "/firmware/7",
  "/firmware/7",
  "",
  "firmware/7",
  "//x",
  "http://updates.skyslot.test:8080/firmware/7",
  "http://elsewhere.skyslot.test/a",
  "https://updates.skyslot.test/a",
  "http://updates.skyslot.test:0/a",
  "http://updates.skyslot.test:99999/a",
  "http://[fe80::1]/a",
  "http://192.168.1.1/a",
  "http://999.999.999.999/a",
  "http://a b/",
  "http://é.test/",
  "http:///a",
  "http://",
  "ftp://a/",
  "/a\r\nx: y",
  "/\u0000",
  `/${"a".repeat(499)}`,
  `http://${"a".repeat(480)}/`,
  `http://${"a.".repeat(200)}test/`,
]);

function make(random: Random, ground: Ground): Input {
  const isOffer = chance(random, 0.35);
  const file = isOffer ? oddFile(random, ground) : undefined;
  const body = bodyOf(random, ground, file);
  const offer = chance(random, 0.1) ? [`skyslot-offer: ${pick(random, EDGE_NUMBERS)} ${START_TIME}`] : [];
  const check = plainAnswer("200 OK", Buffer.from(body, "latin1"), offer);
  const script: Script = { check, other: (asked) => download(random, file, asked) };
  return { text: shown(body, 600), allows: ["order"], feed: (house) => answerCheck(house, script) };
}

function bodyOf(random: Random, ground: Ground, file: OddFile | undefined): string {
  if (chance(random, 0.08)) return noObject(random);
  let value: unknown = plain(random);
  if (file)
    value = { ...(value as object), ...offerOf(random, oddManifest(random, ground.key, file, 0.35), file) };
  if (chance(random, 0.3)) value = { ...(value as object), orders: ordersOf(random) };
  if (chance(random, 0.1)) value = { ...(value as object), device_token: tokenOf(random) };
  if (chance(random, 0.15)) value = { ...(value as object), ...wordOf(random, ground, file) };
  while (chance(random, file ? 0.25 : 0.5)) value = damageJson(random, value, FIELDS);
  const text = printJson(random, value);
  return chance(random, 0.15) ? mutateText(random, text, pick(random, [7168, 7169, 20_000])) : text;
}

const plain = (random: Random) => ({
  update_available: false,
  time: chance(random, 0.8) ? START_TIME + below(random, 100_000) : pick(random, TIMES),
  ...(chance(random, 0.3) ? { poll_seconds: pick(random, [10, 30, 0, -1, 1e9, 0.5, 86_400]) } : {}),
  ...(chance(random, 0.3) ? { poll_is_for_all: chance(random, 0.8) } : {}),
});

const offerOf = (random: Random, release: string, { bytes, payload }: OddFile) => ({
  update_available: true,
  firmware_id: chance(random, 0.8) ? 1 + below(random, 1000) : pick(random, [0, -1, 2 ** 53, 1.5, 1]),
  version: "9.0.0",
  build_number: 0,
  file_size: bytes.length,
  file_hash: String(payload.sha256),
  download_url: chance(random, 0.7) ? "/firmware/7" : pick(random, ADDRESSES),
  ...(payload.format === 2
    ? { digests_url: chance(random, 0.8) ? "/firmware/7/digests" : pick(random, ADDRESSES) }
    : {}),
  release,
});

function ordersOf(random: Random): unknown {
  const count = pick(random, [0, 1, 1, 2, 4, 5, 40]);
  return Array.from({ length: count }, () => ({
    id: chance(random, 0.7) ? 1 + below(random, 1000) : pick(random, [0, -1, 2 ** 53 - 1, 2 ** 53, 1.5, "1"]),
    kind: pick(random, ["identify", "identify", "settings", "settings", "restart", "explode", "", 1]),
    ...(chance(random, 0.5) ? { settings: settingsOf(random) } : {}),
  }));
}

function settingsOf(random: Random): unknown {
  if (chance(random, 0.1)) return hostileValue(random);
  const names = [
    "checkSeconds",
    "deviceName",
    "brightness",
    "speed",
    "colour",
    "pattern",
    "pin",
    "server",
    "token",
  ];
  const count = pick(random, [0, 1, 2, 16, 17]);
  return Object.fromEntries(
    Array.from({ length: count }, (_, n) => [
      chance(random, 0.8) ? pick(random, names) : `s${n}`,
      chance(random, 0.4)
        ? pick(random, [10, 300, "Kitchen", true, "#00ff00", "blink"])
        : hostileValue(random),
    ]),
  );
}

/** An update that is held, started or given up: of this image, or of another. */
function wordOf(random: Random, { image }: Ground, file: OddFile | undefined): object {
  const sha256 = pick(random, [file?.payload.imageSha256, file?.payload.sha256, "ab".repeat(32), "", 7]);
  const running = imageSha256Of(image);
  return pick(random, [
    { hold: true },
    { hold: true },
    { hold: 1 },
    { commit: sha256 },
    { abandon: true },
    { revert: pick(random, [running, sha256]) },
  ]);
}

/** In its last bytes. */
const imageSha256Of = (image: Uint8Array): string => Buffer.from(image.subarray(-32)).toString("hex");

const tokenOf = (random: Random): unknown =>
  pick(random, [
    "t".repeat(32),
    "t".repeat(128),
    "t".repeat(129),
    "",
    " ",
    "a b",
    "é",
    "a\r\nb",
    7,
    null,
    ["x"],
  ]);

function noObject(random: Random): string {
  const depth = pick(random, [15, 16, 17, 200, 3000]);
  return pick(random, [
    () => "",
    () => "null",
    () => "7",
    () => '"text"',
    () => "[]",
    () => "{",
    () => "[".repeat(depth),
    () => "[".repeat(depth) + "]".repeat(depth),
    () => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`,
    () => `{"update_available":false,"time":${START_TIME},"x":${"[".repeat(depth)}${"]".repeat(depth)}}`,
    () => `{"update_available":false,"time":1e999}`,
    () => `{"update_available":false,"time":${pick(random, EDGE_NUMBERS)}}`,
    () => `\xef\xbb\xbf{"update_available":false,"time":${START_TIME}}`,
    () => `{"__proto__":{"update_available":true},"time":${START_TIME}}`,
    () => `{"update_available":false,"time":${START_TIME},"x":"${"\\u0000".repeat(900)}"}`,
    () => `{"update_available":false,"time":${START_TIME},"x":"\xff\xc0\x80\xed\xa0\x80"}`,
    () => " ".repeat(7168),
    () => "\0".repeat(100),
    () => `[${"0,".repeat(3000)}0]`,
  ])();
}

/** The file, its digests, or something else. */
export function download(random: Random, file: OddFile | undefined, { path, headers }: Asked): Answer {
  if (!file || chance(random, 0.1)) return plainAnswer("404 Not Found", "");
  const bytes = path.endsWith("digests") ? file.digests : file.bytes;
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "") ?? [];
  if (from === undefined) return plainAnswer("200 OK", bytes);
  const part = bytes.subarray(Number(from), Number(to) + 1);
  return plainAnswer("206 Partial Content", part, [`content-range: bytes ${from}-${to}/${bytes.length}`]);
}
