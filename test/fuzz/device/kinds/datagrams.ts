// Datagrams: queries to the name server of the setup network, answers to the device's own queries, multicast DNS, and anything on port 3232.

import {
  addressQuery,
  CLASS_IN,
  dnsMessage,
  encodeDns,
  FLAG_RESPONSE,
  RR,
} from "../../../../host-sim/network/dns-packet.js";
import type { IpNode } from "../../../../host-sim/network/ip-node.js";
import { below, chance, pick, type Random } from "../../values.js";
import type { Ground } from "../ground.js";
import type { House } from "../house.js";
import type { Kind } from "../kind.js";
import { mutateText, shown } from "../mutate.js";
import { answerCheck, holdChecks } from "./exchange.js";
import { settled } from "./pages.js";
import { enterPortal, PORTAL_ADDRESS } from "./portal.js";

/** Datagrams that are one input. */
const MAX_DATAGRAMS = 3;
const QUIET_MS = 400;
const MDNS_PORT = 5353;
const MDNS_GROUP = "224.0.0.251";

export const queries: Kind = {
  name: "queries",
  what: "DNS queries in the setup network",
  share: 12,
  start: "new",
  begin: enterPortal,
  make: (random) => {
    const packets = several(random, () =>
      chance(random, 0.4) ? packetOf(random, 0) : damagedPacket(random, queryOf(random)),
    );
    return {
      text: packets.map(hex).join(" "),
      async feed(house) {
        await enterPortal(house);
        return exchanged(house, house.phone.node, packets, PORTAL_ADDRESS, 53);
      },
    };
  },
};

export const names: Kind = {
  name: "names",
  what: "answers of the name server to the device",
  share: 4,
  start: "home",
  begin: holdChecks,
  make: (random) => {
    const count = pick(random, [1, 1, 2, 9]);
    let left = count;
    const told: string[] = [];
    return {
      get text() {
        return `${count} answers like ${told.join(" ") || "those of the seed"}`;
      },
      allows: ["network"],
      async feed(house) {
        house.nameAnswer = (query) => {
          const right = nameAnswerTo(random, query);
          if (left-- <= 0) {
            house.nameAnswer = undefined;
            return right;
          }
          const packet = chance(random, 0.3) ? oddAnswer(random, query) : damagedPacket(random, right);
          told.push(hex(packet));
          return chance(random, 0.1) ? undefined : packet;
        };
        const answer = await answerCheck(house, { check: house.server.honest() });
        house.nameAnswer = undefined;
        return answer;
      },
    };
  },
};

export const multicast: Kind = {
  name: "multicast",
  what: "multicast DNS to a device at home",
  share: 10,
  start: "home",
  begin: settled,
  make: (random, ground) => {
    const packets = several(random, () =>
      chance(random, 0.3)
        ? packetOf(random, pick(random, [0, FLAG_RESPONSE]))
        : damagedPacket(random, multicastPacket(random, ground)),
    );
    return {
      text: packets.map(hex).join(" "),
      feed: (house) => exchanged(house, house.stranger, packets, MDNS_GROUP, MDNS_PORT, MDNS_PORT),
    };
  },
};

export const invitations: Kind = {
  name: "invitations",
  what: "datagrams to port 3232 (espota)",
  share: 10,
  start: "open",
  begin: settled,
  make: (random) => {
    const texts = several(random, () => invitation(random));
    return {
      text: texts.map((text) => shown(text)).join(" "),
      feed: (house) =>
        exchanged(
          house,
          house.stranger,
          texts.map((text) => Buffer.from(text, "latin1")),
          house.address ?? "192.168.1.100",
          3232,
        ),
    };
  },
};

/** Sends them all; what comes back says which class it is. */
async function exchanged(
  house: House,
  node: IpNode,
  packets: readonly Uint8Array[],
  address: string,
  port: number,
  fromPort = 0,
): Promise<string> {
  let count = 0;
  let first = "";
  const socket = node.bindUdp(fromPort, ({ bytes }) => {
    if (count++ === 0)
      first = port === 3232 ? Buffer.from(bytes).toString("latin1").slice(0, 4).trim() : "answered";
  });
  if (fromPort === MDNS_PORT) socket?.groups.add(MDNS_GROUP);
  for (const packet of packets) socket?.send(packet, address, port);
  await house.during(QUIET_MS);
  socket?.close();
  return count === 0 ? "silence" : first;
}

function several<Item>(random: Random, make: () => Item): readonly Item[] {
  return Array.from({ length: 1 + below(random, MAX_DATAGRAMS) }, make);
}

const hex = (packet: Uint8Array): string =>
  `${Buffer.from(packet.subarray(0, 160)).toString("hex")}${packet.length > 160 ? `… (${packet.length} bytes)` : ""}`;

const TYPES = Object.freeze([
  RR.A,
  RR.A,
  RR.AAAA,
  RR.PTR,
  RR.TXT,
  RR.SRV,
  RR.ANY,
  RR.HTTPS,
  RR.NSEC,
  RR.OPT,
  0,
  255,
  65535,
]);

const LABELS = Object.freeze([
  "a",
  "connectivitycheck",
  "gstatic",
  "com",
  "local",
  "_http",
  "_tcp",
  "é",
  "a".repeat(63),
  "xn--4ca",
  "\0",
  "*",
]);

const nameOf = (random: Random): string =>
  Array.from({ length: pick(random, [0, 1, 2, 3, 5, 40]) }, () => pick(random, LABELS)).join(".");

function queryOf(random: Random): Uint8Array {
  if (chance(random, 0.5)) return addressQuery(below(random, 65536), nameOf(random), pick(random, TYPES));
  const question = () => ({
    name: nameOf(random),
    type: pick(random, TYPES),
    class: pick(random, [1, 1, 3, 255, 0x8001]),
  });
  return encodeDns(
    dnsMessage({
      id: below(random, 65536),
      flags: pick(random, [0x0100, 0, 0x0110, 0x2800, 0x8180, 0xffff]),
      questions: Array.from({ length: pick(random, [0, 1, 1, 2, 9]) }, question),
      additionals: Array.from({ length: pick(random, [0, 0, 1, 5]) }, () => ({
        name: pick(random, ["", "a"]),
        type: pick(random, [RR.OPT, RR.A]),
        class: pick(random, [512, 0, 65535]),
        ttl: pick(random, [0, 0x8000, 0x01000000, 0xffffffff]),
        data: { bytes: Buffer.alloc(pick(random, [0, 4, 200])) },
      })),
    }),
  );
}

/** What a router answers. */
function nameAnswerTo(random: Random, query: Uint8Array): Uint8Array {
  const id = ((query[0] ?? 0) << 8) | (query[1] ?? 0);
  const name = "updates.skyslot.test";
  const record = (type: number, data: { address: string } | { target: string } | { bytes: Uint8Array }) => ({
    name: chance(random, 0.9) ? name : nameOf(random),
    type,
    class: CLASS_IN,
    ttl: pick(random, [60, 0, 0xffffffff]),
    data,
  });
  const address = () => ({
    address: pick(random, [
      "203.0.113.10",
      "203.0.113.10",
      "0.0.0.0",
      "255.255.255.255",
      "127.0.0.1",
      "224.0.0.251",
    ]),
  });
  return encodeDns(
    dnsMessage({
      id: chance(random, 0.95) ? id : below(random, 65536),
      flags: chance(random, 0.8) ? FLAG_RESPONSE | 0x0180 : FLAG_RESPONSE | below(random, 16),
      questions: chance(random, 0.9) ? [{ name, type: RR.A, class: CLASS_IN }] : [],
      answers: Array.from({ length: pick(random, [0, 1, 1, 1, 2, 20]) }, () =>
        chance(random, 0.7)
          ? record(RR.A, address())
          : chance(random, 0.5)
            ? record(5, { target: nameOf(random) })
            : record(pick(random, TYPES), { bytes: Buffer.alloc(below(random, 40), below(random, 256)) }),
      ),
    }),
  );
}

function multicastPacket(random: Random, { deviceId }: Ground): Uint8Array {
  const own = () =>
    pick(random, [
      `${deviceId}.local`,
      "_http._tcp.local",
      `${deviceId}._http._tcp.local`,
      "_services._dns-sd._udp.local",
      `${deviceId}-2.local`,
      nameOf(random),
    ]);
  const data = () =>
    pick(random, [
      () => ({ address: pick(random, ["192.168.1.7", "192.168.1.100", "0.0.0.0"]) }),
      () => ({ target: own() }),
      () => ({ target: own(), port: below(random, 65536), priority: 0, weight: 0 }),
      () => ({ strings: ["type=base", "=", "\0".repeat(9), "a".repeat(255)].slice(below(random, 4)) }),
      () => ({ bytes: Buffer.alloc(below(random, 300), below(random, 256)) }),
    ])();
  const record = () => ({
    name: own(),
    type: pick(random, TYPES),
    class: pick(random, [1, 0x8001, 255]),
    ttl: pick(random, [0, 120, 0xffffffff]),
    data: data(),
  });
  const some = (counts: readonly number[], make: () => ReturnType<typeof record>) =>
    Array.from({ length: pick(random, counts) }, make);
  return encodeDns(
    dnsMessage({
      id: pick(random, [0, below(random, 65536)]),
      flags: pick(random, [0, 0, FLAG_RESPONSE, 0x8400, 0xffff]),
      questions: Array.from({ length: pick(random, [0, 1, 2, 9]) }, () => ({
        name: own(),
        type: pick(random, TYPES),
        class: pick(random, [1, 0x8001]),
      })),
      answers: some([0, 0, 1, 3], record),
      authorities: some([0, 0, 1], record),
      additionals: some([0, 0, 1], record),
    }),
  );
}

// ── packets from the grammar, with names and lengths that no encoder writes

function oddAnswer(random: Random, query: Uint8Array): Uint8Array {
  const packet = packetOf(random, FLAG_RESPONSE);
  packet.set(query.subarray(0, Math.min(2, packet.length)));
  return packet;
}

function packetOf(random: Random, flags: number): Uint8Array {
  const counts = [
    pick(random, [1, 1, 1, 0, 2]),
    ...Array.from({ length: 3 }, () => pick(random, [0, 0, 1, 2])),
  ];
  const header = Buffer.alloc(12);
  header.writeUInt16BE(below(random, 65536), 0);
  header.writeUInt16BE(flags | pick(random, [0, 0x0100, 0x0180]), 2);
  for (const [n, count] of counts.entries()) header.writeUInt16BE(count, 4 + 2 * n);
  const questions = Array.from({ length: counts[0]! }, () => [rawName(random, 0.2), fields(random, 4)]);
  const records = Array.from({ length: counts[1]! + counts[2]! + counts[3]! }, () => rawRecord(random));
  const bytes = Buffer.concat([header, ...questions.flat(), ...records.flat()]);
  return chance(random, 0.1) ? bytes.subarray(0, below(random, bytes.length)) : bytes;
}

function rawRecord(random: Random): readonly Uint8Array[] {
  const data = Buffer.alloc(pick(random, [0, 4, 4, 6, 16, 60]), below(random, 256));
  const length = Buffer.alloc(2);
  length.writeUInt16BE(chance(random, 0.8) ? data.length : pick(random, [0, 1, 255, 65535]));
  return [rawName(random, 0.5), fields(random, 8), length, data];
}

/** Type, class and, of a record, how long it holds. */
function fields(random: Random, size: number): Uint8Array {
  const bytes = Buffer.alloc(size);
  bytes.writeUInt16BE(pick(random, TYPES), 0);
  bytes.writeUInt16BE(pick(random, [1, 1, 0x8001, 255, 512]), 2);
  if (size > 4) bytes.writeUInt32BE(pick(random, [0, 120, 0x8000, 0x01000000, 0xffffffff]), 4);
  return bytes;
}

/** Labels and an end: the root, a pointer, or a length that is none. */
function rawName(random: Random, oddness: number): Uint8Array {
  const parts: number[] = [];
  for (let count = pick(random, [0, 1, 1, 2, 3]); count > 0; count--) {
    const length = pick(random, [1, 3, 8, 63]);
    parts.push(length, ...Array<number>(length).fill(pick(random, [0x61, 0x2e, 0, 0xff])));
  }
  if (!chance(random, oddness)) return Uint8Array.from([...parts, 0]);
  const end = pick(random, [
    [0xc0, pick(random, [0, 2, 12, 13, 14, 20, 40])],
    [0xc0, below(random, 256)],
    [0xff, 0xff],
    [pick(random, [64, 0x80, 0xbf, below(random, 256)])],
    [],
  ]);
  return Uint8Array.from([...parts, ...end]);
}

/** Bytes changed, cut, added; counts and pointers that lie. */
function damagedPacket(random: Random, packet: Uint8Array): Uint8Array {
  const bytes = Buffer.from(packet);
  if (chance(random, 0.25)) return bytes;
  for (let count = 1 + below(random, 4); count > 0 && bytes.length > 0; count--) {
    const at = below(random, bytes.length);
    bytes[at] = pick(random, [below(random, 256), 0xc0, 0xff, 0, 63, 64]);
    if (chance(random, 0.2) && at + 1 < bytes.length) bytes[at + 1] = below(random, 32);
  }
  if (chance(random, 0.2) && bytes.length >= 12)
    bytes.writeUInt16BE(pick(random, [0, 1, 255, 65535]), pick(random, [4, 6, 8, 10]));
  if (chance(random, 0.15)) return bytes.subarray(0, below(random, bytes.length + 1));
  if (chance(random, 0.1))
    return Buffer.concat([bytes, Buffer.alloc(pick(random, [1, 300, 1400]), below(random, 256))]);
  return chance(random, 0.02) ? loop() : bytes;
}

/** A name that points to itself. */
const loop = (): Uint8Array => Buffer.from("000001000001000000000000c00c00010001", "hex");

function invitation(random: Random): string {
  const md5 = "d".repeat(32);
  const text = pick(random, [
    `0 ${below(random, 70_000)} ${below(random, 3_000_000)} ${md5}\n`,
    `100 8266 1000 ${md5}\n`,
    `200 ${"c".repeat(64)} ${"a".repeat(64)}\n`,
    `200 ${"c".repeat(32)} ${"a".repeat(32)}\n`,
    "200 a b",
    "",
    "0",
    `0 0 0 ${md5}`,
    `0 99999 9999999999 ${md5}`,
    "OK",
    "AUTH x",
    "\0".repeat(pick(random, [1, 256, 257])),
    "a".repeat(pick(random, [255, 256, 257, 1400])),
  ]);
  return chance(random, 0.5) ? mutateText(random, text, 1450) : text;
}
