// Frames in the air, to a gateway and to a device without a network: of every kind that is known, right and damaged, from strangers and in the
// name of the gateway. Some requests of an exchange are whole, so that the update server is asked what a stranger likes.

import { ACK, DATA, PROBE, writeDataPacket } from "../../../../firmware/core/pair/data-packet.js";
import { writeVersionPacket } from "../../../../firmware/core/pair/version-packet.js";
import { writeBeacon } from "../../../../firmware/core/radio/beacon.js";
import { PART_BYTES, PART_SET_BYTES } from "../../../../firmware/core/radio/block-code.js";
import {
  announceFrame,
  dataFrame,
  parityFrame,
  statusFrame,
} from "../../../../firmware/core/radio/block-frames.js";
import {
  allFragments,
  fragmentsOf,
  readExchangeFrame,
  writeExchangeFrame,
} from "../../../../firmware/core/radio/exchange-frames.js";
import { writeAnswer } from "../../../../firmware/core/radio/exchange-message.js";
import { below, chance, pick, type Random } from "../../values.js";
import { GATEWAY_MAC, GROUP } from "../gateway.js";
import type { Ground } from "../ground.js";
import type { House } from "../house.js";
import type { Kind } from "../kind.js";
import { damageJson, EDGE_NUMBERS, mutateText, shown } from "../mutate.js";
import { STRANGER_MAC, Stranger, type StrangersFrame } from "../radio.js";
import { oddFile, oddManifest } from "../releases.js";
import { jsonAnswer, plainAnswer, type Script, START_TIME } from "../server.js";
import { download } from "./answers.js";
import { settled } from "./pages.js";

const MAX_FRAME_BYTES = 250;
const MAX_FRAMES = 6;
const QUIET_MS = 500;
/** After so long without a gateway a device seeks one. */
const LOST_MS = 50_000;
const OTHER_MACS = Object.freeze([
  STRANGER_MAC,
  "24:0a:c4:77:77:77",
  "02:00:00:00:00:01",
  "00:00:00:00:00:00",
]);
/** Of images that a stranger knows of: a gateway's ids are read from the air. */
const IDS = Object.freeze([new Uint8Array(8), Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)]);
const SIZES = Object.freeze([1, 224, 16_384, 40_000, 1_000_000, 14_499_840, 14_499_841, 4_294_967_295]);

export const frames: Kind = {
  name: "frames",
  what: "ESP-NOW frames of strangers to a gateway",
  share: 6,
  app: "receiver",
  start: "home",
  begin: settled,
  make: (random) => {
    const sent = several(random, () => ({
      from: pick(random, OTHER_MACS),
      isBroadcast: chance(random, 0.2),
      bytes: frameOf(random, 1 + below(random, 9)),
    }));
    return { text: sent.map(({ bytes }) => hex(bytes)).join(" "), feed: (house) => heardBy(house, sent) };
  },
};

export const forged: Kind = {
  name: "forged",
  what: "ESP-NOW frames in a gateway's name to a device without a network",
  share: 6,
  app: "transmitter",
  start: "home",
  begin: linked,
  make: (random) => {
    const made = several(random, () => (exchange: number) => ({
      from: chance(random, 0.8) ? GATEWAY_MAC : pick(random, OTHER_MACS),
      isBroadcast: chance(random, 0.4),
      bytes: frameOf(random, chance(random, 0.7) ? exchange : below(random, 2 ** 32)),
    }));
    let text = "";
    return {
      get text() {
        return text || "frames in the gateway's name";
      },
      async feed(house) {
        // while it asks, and while nobody else answers
        const { gateway } = house;
        if (gateway) gateway.isSilent = chance(random, 0.5);
        // it looks for a gateway then
        if (gateway?.isSilent && chance(random, 0.05)) await house.during(LOST_MS);
        const sent = made.map((make) => make(gateway?.exchange ?? 0));
        text = sent.map(({ bytes }) => hex(bytes)).join(" ");
        const answer = await heardBy(house, sent);
        if (gateway) gateway.isSilent = false;
        return answer;
      },
    };
  },
};

export const relayed: Kind = {
  name: "relayed",
  what: "requests of strangers that a gateway passes on",
  share: 4,
  app: "receiver",
  start: "home",
  begin: settled,
  make: (random, ground) => {
    const message = Buffer.from(requestOf(random), "latin1").subarray(0, 8_400);
    const from = pick(random, OTHER_MACS);
    const script = scriptOf(random, ground);
    return {
      text: shown(message.toString("latin1"), 400),
      async feed(house) {
        house.server.script = script;
        return exchanged(house, from, message, 1 + below(random, 2 ** 32 - 1));
      },
    };
  },
};

/** It has found its gateway, and has checked. */
async function linked(house: House): Promise<void> {
  const seen = house.server.checkCount;
  if (!(await house.until(() => house.server.checkCount > seen, 600_000)))
    throw new Error("the device does not find its gateway");
}

async function heardBy(house: House, sent: readonly StrangersFrame[]): Promise<string> {
  const stranger = new Stranger(house);
  for (const frame of sent) stranger.send(frame);
  await house.during(QUIET_MS);
  stranger.leave();
  const first = stranger.heard[0]?.[0];
  return first === undefined ? "silence" : `0x${first.toString(16)}`;
}

/** Asks as a node does, and pulls the answer; a stranger who is not patient leaves in between. */
async function exchanged(house: House, from: string, message: Uint8Array, id: number): Promise<string> {
  const stranger = new Stranger(house);
  let there = 0;
  let count = 0;
  let got = 0;
  let status = "";
  for (let turn = 0; turn < 24 && status === ""; turn++) {
    const asking = there < allFragments(Math.ceil(message.length / 240));
    const out = asking
      ? fragmentsOf("ask", id, message, there)
      : [writeExchangeFrame({ type: "pull", id, fragments: got })];
    for (const bytes of out) stranger.send({ from, isBroadcast: false, bytes });
    await house.during(asking ? 150 : 400);
    for (const bytes of stranger.heard.splice(0)) {
      const frame = readExchangeFrame(bytes);
      if (frame?.id !== id) continue;
      if (frame.type === "have") there = frame.fragments;
      else if (frame.type === "busy") status = "busy";
      else if (frame.type === "unknown") status = "unknown";
      else if (frame.type === "give") {
        if (frame.index === 0) count = frame.count;
        if (frame.index === 0) status = statusOf(frame.bytes);
        got += got & (2 ** frame.index) ? 0 : 2 ** frame.index;
      }
    }
  }
  if (id % 4 !== 0)
    stranger.send({ from, isBroadcast: false, bytes: writeExchangeFrame({ type: "done", id }) });
  await house.during(50);
  stranger.leave();
  return status || (count > 0 ? "began" : "no answer");
}

const statusOf = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(0, 3)).toString("latin1");

const several = <Item>(random: Random, make: () => Item): readonly Item[] =>
  Array.from({ length: 1 + below(random, MAX_FRAMES) }, make);

const hex = (bytes: Uint8Array): string =>
  `${Buffer.from(bytes.subarray(0, 60)).toString("hex")}${bytes.length > 60 ? `… (${bytes.length} bytes)` : ""}`;

// ── frames

function frameOf(random: Random, exchange: number): Uint8Array {
  const bytes = Buffer.from(rightFrame(random, exchange).subarray(0, MAX_FRAME_BYTES));
  if (chance(random, 0.6)) return bytes;
  if (chance(random, 0.2))
    return Buffer.from(mutateText(random, bytes.toString("latin1"), MAX_FRAME_BYTES), "latin1");
  for (let count = 1 + below(random, 3); count > 0 && bytes.length > 0; count--)
    bytes[below(random, bytes.length)] = pick(random, [0, 1, 0x7f, 0x80, 0xff, below(random, 256)]);
  return chance(random, 0.3) ? bytes.subarray(0, 1 + below(random, bytes.length)) : bytes;
}

const bytesOf = (random: Random, length: number): Uint8Array =>
  Uint8Array.from({ length }, () => below(random, 256));
const u16 = (random: Random): number => pick(random, [0, 1, 73, 74, 0xffff, below(random, 0x10000)]);

function rightFrame(random: Random, exchange: number): Uint8Array {
  const id = exchange;
  const session = below(random, 8);
  const imageId = pick(random, IDS);
  const imageBytes = pick(random, SIZES);
  const block = pick(random, [0, 1, 2, 61, 884, 65_535]);
  switch (below(random, 14)) {
    case 0:
      return writeBeacon({ type: "beacon", group: group(random), channel: pick(random, [0, 1, 6, 13]) });
    case 1:
      return writeBeacon({ type: "seek", group: group(random), channel: pick(random, [0, 1, 6, 13]) });
    case 2:
      return oneOf(random, fragmentsOf("ask", id, Buffer.from(requestOf(random), "latin1"), 0, 40));
    case 3:
      return oneOf(random, fragmentsOf("give", id, answerOf(random), 0, 40));
    case 4:
      return writeExchangeFrame({
        type: pick(random, ["pull", "have"]),
        id,
        fragments: pick(random, [0, 1, 7, 2 ** 35 - 1, 2 ** 40 - 1]),
      });
    case 5:
      return writeExchangeFrame({ type: pick(random, ["done", "unknown"]), id });
    case 6:
      return writeExchangeFrame({ type: "busy", id, seconds: pick(random, [0, 1, 255]) });
    case 7:
      return writeVersionPacket({
        type: pick(random, [0x10, 0x11, 0x12]),
        firmwareVersion: pick(random, [0, 10_000, 4_294_967_295]),
        protocolVersion: pick(random, [0, 1, 255]),
        minCompatible: pick(random, [0, 10_000, 99_999_999]),
        deviceType: pick(random, ["base", "transmitter", "receiver", "a".repeat(15), ""]),
        buildDate: pick(random, ["Nov 30 2026", "", "\u007f"]),
        buildTime: pick(random, ["12:00:00", ""]),
      });
    case 8: {
      const payload = bytesOf(random, pick(random, [0, 1, 10, 12, 239, 240]));
      return writeDataPacket({
        type: DATA,
        protocolVersion: pick(random, [0, 1, 2]),
        sequence: u16(random),
        payload,
      });
    }
    case 9:
      return chance(random, 0.5)
        ? writeDataPacket({ type: PROBE, sequence: u16(random) })
        : writeDataPacket({
            type: ACK,
            acknowledges: pick(random, [DATA, PROBE]),
            sequence: u16(random),
            rssi: -60,
          });
    case 10:
      return announceFrame({
        session,
        id: imageId,
        imageBytes,
        block,
        waitSeconds: Math.floor(random() * 256),
      });
    case 11:
      return parityFrame({
        session,
        id: imageId,
        block,
        seed: u16(random),
        bytes: bytesOf(random, PART_BYTES),
      });
    case 12:
      return statusFrame({
        id: imageId,
        imageBytes,
        block,
        endBlock: block + pick(random, [0, 1, 2, 884]),
        room: below(random, 256),
        settled: bytesOf(random, PART_SET_BYTES),
      });
    default: {
      const part = below(random, 74);
      return dataFrame({
        session,
        block: Math.min(block, 800),
        part,
        bytes: bytesOf(random, part === 73 ? 32 : PART_BYTES),
      });
    }
  }
}

const group = (random: Random): number => (chance(random, 0.8) ? GROUP : below(random, 2 ** 32));
const oneOf = (random: Random, all: readonly Uint8Array[]): Uint8Array =>
  all.length > 0 ? pick(random, all) : new Uint8Array(1);

// ── what is asked, and answered

const TARGETS = Object.freeze([
  "/api/ota/check",
  "/api/ota/check",
  "/api/ota/status",
  "/api/ota/download/7?device=base-1",
  "/api/ota/download/7/digests?device=base-1",
  "/api/ota/../admin/firmware",
  "/api/ota/%2e%2e/admin",
  "/api/ota/admin/upload",
  "/api/ota/",
  "/api/rollouts",
  "/",
  "//x",
  "http://192.168.1.1/",
  "*",
]);

function requestOf(random: Random): string {
  if (chance(random, 0.6)) return plainRequest(random);
  const method = pick(random, ["GET", "GET", "POST", "POST", "PUT", "get", ""]);
  const target = chance(random, 0.9)
    ? pick(random, TARGETS)
    : mutateText(random, pick(random, TARGETS), 1_100);
  const headers = several(random, () =>
    pick(random, [
      `authorization: Bearer ${"t".repeat(pick(random, [1, 32, 512, 600]))}`,
      "content-type: application/json",
      `range: bytes=${pick(random, EDGE_NUMBERS)}-${pick(random, EDGE_NUMBERS)}`,
      "host: elsewhere.test",
      "x-skyslot-gateway: me",
      "__proto__: x",
      "range:",
      "",
    ]),
  );
  const body = pick(random, [
    "",
    '{"device_id":"base-1","device_type":"base","current_version":"1.0.0"}',
    `{"device_id":"${"a".repeat(below(random, 7_000))}"}`,
    "\xff\xfe",
    "{".repeat(200),
  ]);
  const text = `${method} ${target}\n${[...new Set(headers)].map((line) => `${line}\n`).join("")}\n${body}`;
  return chance(random, 0.2) ? mutateText(random, text, 8_400) : text;
}

function plainRequest(random: Random): string {
  const target = pick(random, TARGETS);
  const isPost = target.endsWith("check") || target.endsWith("status");
  const range = pick(random, [
    [],
    ["range: bytes=0-16383"],
    [`range: bytes=${pick(random, EDGE_NUMBERS)}-`],
  ]).flat();
  const headers = [
    ...(chance(random, 0.5) ? [`authorization: Bearer ${"t".repeat(32)}`] : []),
    ...(isPost ? [] : range),
  ];
  const body = '{"device_id":"base-1","device_type":"base","current_version":"1.0.0"}';
  return `${isPost ? "POST" : "GET"} ${target}\n${headers.map((line) => `${line}\n`).join("")}\n${isPost ? body : ""}`;
}

function answerOf(random: Random): Uint8Array {
  const blocks = `${"0123456789abcdef".slice(0, pick(random, [16, 16, 16, 15]))} ${pick(random, [...EDGE_NUMBERS, "40000", "40000"])} ${pick(random, [...EDGE_NUMBERS, "16384", "16384"])}`;
  const answer = writeAnswer({
    status: pick(random, [200, 206, 206, 204, 304, 404, 503, 599]),
    headers: {
      ...(chance(random, 0.5) ? { "x-skyslot-blocks": blocks } : {}),
      ...(chance(random, 0.3) ? { "content-length": pick(random, EDGE_NUMBERS) } : {}),
      ...(chance(random, 0.3) ? { "retry-after": pick(random, EDGE_NUMBERS) } : {}),
    },
    body: Buffer.from(
      pick(random, ["", '{"update_available":false,"time":1795000000}', "\0".repeat(300), "a".repeat(7_000)]),
    ),
  });
  return answer && answer.length > 0 ? answer : Uint8Array.of(0x32);
}

/** What the update server says to a stranger. */
function scriptOf(random: Random, ground: Ground): Script {
  const file = oddFile(random, ground, 2);
  const offer = {
    update_available: true,
    time: START_TIME,
    firmware_id: 7,
    version: "9.0.0",
    build_number: 0,
    file_size: file.bytes.length,
    file_hash: String(file.payload.sha256),
    download_url: "/api/ota/download/7?device=base-1",
    digests_url: "/api/ota/download/7/digests?device=base-1",
    release: oddManifest(random, ground.key, file, 0.2),
  };
  const told = [`skyslot-offer: 7 ${START_TIME}`];
  const answer = () =>
    pick(random, [
      () => plainAnswer("200 OK", JSON.stringify(offer), told),
      () => plainAnswer("200 OK", JSON.stringify(damageJson(random, offer, Object.keys(offer))), told),
      () => jsonAnswer({ update_available: false, time: 1_795_000_000 }),
      () => plainAnswer("404 Not Found", ""),
      () => plainAnswer("200 OK", "x".repeat(pick(random, [1, 7_680, 7_681, 60_000]))),
      () => plainAnswer("200 OK", "{}", [`x-skyslot-blocks: 0123456789abcdef 40000 16384`]),
      () => plainAnswer("302 Found", "", ["location: http://192.168.1.1/"]),
      () => ({
        bytes: Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\nshort"),
        end: "close" as const,
      }),
      () => ({ bytes: Buffer.from("HTTP/1.1 200 OK\r\n\r\nto the end"), end: "close" as const }),
      () => ({ bytes: new Uint8Array(0), end: "reset" as const }),
      () => ({ bytes: new Uint8Array(0), end: "keep" as const }),
    ])();
  const reply = answer();
  const isHonest = chance(random, 0.5);
  return {
    check: reply,
    report: reply,
    other: (asked) => (isHonest ? download(random, file, asked) : reply),
  };
}
