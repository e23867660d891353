// Messages to the port of a painlessMesh, of a node and of a gateway: what the library sends, damaged; images with releases that are odd or
// forged, part by part as the node asks for them; requests for parts that a gateway has or has not.

import { createHash } from "node:crypto";
import { nodeIdOf } from "../../../../firmware/core/mesh/node-id.js";
import { formatMac } from "../../../../host-sim/network/address.js";
import { below, chance, hostileValue, pick, type Random } from "../../values.js";
import type { FuzzApp, Ground } from "../ground.js";
import { Fault, type House } from "../house.js";
import type { Input, Kind } from "../kind.js";
import { damageJson, EDGE_NUMBERS, mutateText, printJson, shown } from "../mutate.js";
import { oddFile, oddManifest } from "../releases.js";
import { settled } from "./pages.js";

const MESH_PORT = 5555;
const ADDRESS = "192.168.1.100";
const MAX_MESSAGES = 5;
/** What is heard of the device, and how many parts it is given. */
const MAX_TEXT = 65_536;
const MAX_PARTS = 40;
const QUIET_MS = 700;

const kind = (name: string, what: string, app: FuzzApp, make: Kind["make"]): Kind => ({
  name,
  what,
  share: 4,
  app,
  start: app === "mesh-node" ? "open" : "home",
  begin: settled,
  after: answersNeighbour,
  make,
});

export const meshNode = kind("mesh-node", "painlessMesh messages to a node", "mesh-node", (random, ground) =>
  chance(random, 0.4) ? imageInput(random, ground) : messagesInput(random),
);
export const meshGateway = kind(
  "mesh-gateway",
  "painlessMesh messages to a gateway",
  "mesh-gateway",
  (random) => messagesInput(random),
);

/** There is room for a neighbour again. */
async function answersNeighbour(house: House): Promise<void> {
  const said = await talk(house, [syncOf(77)], () => [], "close", 5_000);
  if (!said.startsWith("6") && !said.includes("+6")) throw new Fault(`a new neighbour was answered: ${said}`);
}

type Talk = (text: string) => readonly string[];

function messagesInput(random: Random): Input {
  const from = chance(random, 0.8) ? 1 + below(random, 2 ** 32 - 1) : undefined;
  const texts = Array.from({ length: 1 + below(random, MAX_MESSAGES) }, () => messageOf(random, from));
  if (from !== undefined) texts.unshift(syncOf(from));
  const ends = pick(random, ["close", "reset", "stay"] as const);
  return {
    text: `${texts.map((text) => shown(text, 200)).join(" ")}, then ${ends}`,
    feed: (house) => talk(house, texts, () => [], ends),
  };
}

/** An image that is announced with a release of ours that is odd, and given as the node asks; none of them is a good one. */
function imageInput(random: Random, ground: Ground): Input {
  const file = oddFile(random, ground);
  const partBytes = pick(random, [1024, 1024, 512, 4096, 1, 64]);
  const noPart = Math.ceil(file.bytes.length / partBytes);
  const md5 = createHash("md5").update(file.bytes).digest("hex");
  const release = oddManifest(random, ground.key, file, 0.2);
  const image = { md5, hardware: "ESP32", role: "led", noPart, broadcasted: chance(random, 0.2) };
  const from = 1 + below(random, 2 ** 32 - 1);
  // an image that would start comes with a release only: the owner of this device accepts what has none
  const isSigned = file.wouldStart || chance(random, 0.7);
  const announce = { from, routing: 2, type: 10, ...image, ...(isSigned ? { release } : {}) };
  let left = MAX_PARTS;
  const answer: Talk = (text) => {
    const asked = readObject(text);
    if (asked?.type !== 11 || typeof asked.partNo !== "number" || left-- <= 0) return [];
    const partNo = chance(random, 0.9) ? asked.partNo : below(random, 50);
    const data = Buffer.from(file.bytes.subarray(partNo * partBytes, (partNo + 1) * partBytes)).toString(
      "base64",
    );
    const part = { from, routing: 1, type: 12, dest: asked.from, ...image, partNo, data };
    return [printJson(random, chance(random, 0.05) ? damageJson(random, part, FIELDS) : part)];
  };
  return {
    text: `an image of ${file.bytes.length} bytes in parts of ${partBytes}: ${shown(JSON.stringify(announce), 300)}`,
    feed: (house) => talk(house, [syncOf(from), printJson(random, announce)], answer, "close", 4_000),
  };
}

async function talk(
  house: House,
  texts: readonly string[],
  answer: Talk,
  ends: "close" | "reset" | "stay",
  quietMs = QUIET_MS,
): Promise<string> {
  const socket = house.stranger.connect(house.address ?? ADDRESS, MESH_PORT);
  const mac = house.device.machine?.radio.mac;
  const ownId = mac ? nodeIdOf(formatMac(mac)) : 0;
  const types = new Set<string>();
  let text = "";
  let length = 0;
  let isOver = false;
  const write = (message: string): void => {
    if (!isOver && socket.state !== "closed") socket.write(Buffer.from(`${message}\0`, "latin1"));
  };
  const take = (): void => {
    const bytes = socket.read();
    length += bytes.length;
    if (length > MAX_TEXT) return;
    text += Buffer.from(bytes).toString("latin1");
    for (let end = text.indexOf("\0"); end >= 0; end = text.indexOf("\0")) {
      const message = text.slice(0, end);
      text = text.slice(end + 1);
      types.add(`${readObject(message)?.type ?? "none"}`);
      for (const reply of answer(message)) write(reply);
    }
  };
  const over = (): void => {
    isOver = true;
  };
  socket.events = {
    connected: () => {
      for (const text of texts) write(text.replaceAll(`${OWN_ID}`, `${ownId}`));
    },
    received: take,
    ended: () => {
      over();
      socket.close();
    },
    failed: over,
  };
  await house.until(() => isOver, quietMs);
  const wasClosed = isOver;
  over();
  if (ends === "reset") socket.abort();
  else if (ends === "close") socket.close();
  else house.world.schedule(STAY_MS, () => socket.abort());
  const said = [...types].sort().join("+");
  return `${said || "silence"}${wasClosed ? ", closed" : ""}`;
}

/** Neighbours that say nothing any more: there is room for ten. */
const STAY_MS = 5_000;

const FIELDS = Object.freeze([
  "type",
  "from",
  "dest",
  "nodeId",
  "subs",
  "msg",
  "md5",
  "noPart",
  "partNo",
  "data",
  "__proto__",
]);

function readObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const syncOf = (nodeId: number): string => JSON.stringify({ nodeId, type: 5, dest: 0, from: nodeId });

/** Stands for the node id of the device. */
const OWN_ID = 4_242_424_242;

const idOf = (random: Random): number =>
  pick(random, [0, 1, 7, 4_294_967_295, 4_294_967_296, below(random, 2 ** 32)]);

function messageOf(random: Random, from: number | undefined): string {
  if (chance(random, 0.08)) return oddText(random);
  let value: unknown = rightMessage(random, from ?? idOf(random));
  while (chance(random, 0.3)) value = damageJson(random, value, FIELDS);
  const text = printJson(random, value);
  return chance(random, 0.15) ? mutateText(random, text, 9_000) : text;
}

function rightMessage(random: Random, from: number): Record<string, unknown> {
  const dest = chance(random, 0.7) ? OWN_ID : idOf(random);
  const nodeId = from;
  const image = {
    md5: pick(random, ["d".repeat(32), "e".repeat(32), "D".repeat(32), "d"]),
    hardware: pick(random, ["ESP32", "ESP32", "ESP8266"]),
    role: pick(random, ["led", "led", "pir", ""]),
    noPart: pick(random, [1, 20, 20, 65_536, 65_537, 0]),
    forced: chance(random, 0.3),
    broadcasted: chance(random, 0.3),
    compressed: chance(random, 0.1),
  };
  const partNo = pick(random, [0, 1, 19, 20, 65_535, -1, below(random, 30)]);
  switch (below(random, 8)) {
    case 0:
      return {
        nodeId,
        type: pick(random, [5, 6]),
        dest,
        from,
        subs: treeOf(random, 3),
        root: chance(random, 0.3),
      };
    case 1:
      return {
        type: pick(random, [3, 4]),
        dest,
        from,
        msg: { type: below(random, 4), t0: idOf(random), t1: idOf(random), t2: idOf(random) },
      };
    case 2:
    case 3:
      return {
        from,
        routing: pick(random, [0, 1, 2, 3]),
        type: 10,
        ...image,
        ...(chance(random, 0.3) ? { release: "a.b.c" } : {}),
      };
    case 4:
    case 5:
      return { from, routing: 1, type: 11, dest, ...image, partNo };
    case 6: {
      const data = Buffer.alloc(pick(random, [0, 1, 1024, 4096, 4097]), below(random, 256)).toString(
        "base64",
      );
      return { from, routing: 1, type: 12, dest, ...image, partNo, data };
    }
    default:
      return {
        from,
        dest,
        type: pick(random, [8, 9, 7, 200]),
        msg: pick(random, ["hello", "x".repeat(3_000), hostileValue(random)]),
      };
  }
}

function treeOf(random: Random, depth: number): unknown {
  if (chance(random, 0.03))
    return Array.from({ length: pick(random, [50, 60, 250]) }, () => ({ nodeId: idOf(random) }));
  return Array.from({ length: below(random, 3) }, () => ({
    nodeId: idOf(random),
    ...(depth > 0 && chance(random, 0.5) ? { subs: treeOf(random, depth - 1) } : {}),
  }));
}

function oddText(random: Random): string {
  const depth = pick(random, [15, 24, 25, 300]);
  return pick(random, [
    "",
    "null",
    "[]",
    `${'{"type":5,"subs":['.repeat(depth)}`,
    `{"type":${pick(random, EDGE_NUMBERS)}}`,
    `{"type":12,"data":"${"A".repeat(pick(random, [6_000, 6_144, 20_000]))}"}`,
    "\xff\xfe\0\0\0",
    "\0".repeat(100),
    "x".repeat(pick(random, [1, 6_143, 6_144, 6_145])),
  ]);
}
