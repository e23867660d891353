// What lies in NVS when a device starts: entries of any name, type and length under our namespace and others, no room left, corrupt pages.
// Each input is a start of its own.

import type { NvsType } from "../../../../host-sim/hardware/nvs/nvs.js";
import { initNvs } from "../../../../host-sim/hardware/nvs/nvs-init.js";
import {
  DATA_SUBTYPE_NVS,
  findPartition,
  PARTITION_TYPE_DATA,
} from "../../../../host-sim/hardware/partitions/partition-table.js";
import { below, chance, HOSTILE_TEXTS, pick, type Random } from "../../values.js";
import type { Ground, Start } from "../ground.js";
import { HOME, OWNER_TOKEN } from "../house.js";
import type { Input, Kind } from "../kind.js";
import { damageJson, EDGE_NUMBERS, mutateText, printJson, shown } from "../mutate.js";
import { startAnew } from "./start-anew.js";

export const stored: Kind = {
  name: "stored",
  what: "contents of NVS at a start",
  share: 1,
  start: "home",
  make,
};

const NAMESPACE = "skyslot";
const MAX_STRING = 3999;

interface Entry {
  readonly namespace: string;
  readonly key: string;
  readonly type: NvsType;
  readonly value: string | number | bigint | Uint8Array;
}

const RECORD = Object.freeze({
  firmwareId: 7,
  version: "1.2.0",
  build: 0,
  imageSha256: "ab".repeat(32),
  slot: "ota_0",
  powerLosses: 0,
  rearmings: 1,
  armed: true,
  passed: true,
  failure: { code: "ROLLED_BACK", reason: "it crashed" },
});

/** Valid values of every key that a firmware has used, as JSON or as text. */
const VALID: Readonly<Record<string, unknown>> = Object.freeze({
  layout: "1",
  networks: [[HOME.ssid, HOME.password]],
  server: "http://updates.skyslot.test:8080",
  "server.token": `http://updates.skyslot.test:8080 ${"t".repeat(32)}`,
  "check.seconds": "10",
  "device.name": "Kitchen",
  "device.id": "base-1",
  "push.token": OWNER_TOKEN,
  "push.unsigned": "1",
  install: RECORD,
  held: "ab".repeat(32),
  unhealthy: "3",
  offer: { suspect: { firmwareId: 7, image: "x", answerBytes: 2000 }, crashCount: 2 },
  "offer.held": {
    suspect: { firmwareId: 7, image: "x", answerBytes: 2000 },
    until: 1_795_000_000,
    isReported: false,
  },
  "order.restart": "http://updates.skyslot.test:8080 7",
  restart: "owner",
  boots: "12",
  "trial.reason": "the app failed",
  clock: "1795000000",
  led: { pattern: "blink", brightness: 50, pin: 2 },
  panel: "x",
  ssid: HOME.ssid,
  password: HOME.password,
});
const KEYS = Object.freeze(Object.keys(VALID));

function make(random: Random, ground: Ground): Input {
  const start: Start = pick(random, ["home", "home", "open", "new"]);
  const entries = Array.from({ length: pick(random, [1, 1, 2, 4, 12]) }, () => entryOf(random));
  const filling = chance(random, 0.15) ? pick(random, [0, 1, 2, 3, 8]) : undefined;
  const corruption = chance(random, 0.1) ? corruptionOf(random) : undefined;
  return {
    text: [
      ...entries.map(({ namespace, key, type, value }) => `${namespace}/${key} ${type} ${shownValue(value)}`),
      ...(filling === undefined ? [] : [`full but for ${filling} entries`]),
      ...(corruption ? [corruption.text] : []),
    ].join("; "),
    allows: ["trial", "roll-back", "update"],
    feed: (house) =>
      startAnew(house, ground, start, () => {
        write(ground, entries, filling);
        corruption?.apply(ground);
      }),
  };
}

function write(ground: Ground, entries: readonly Entry[], filling: number | undefined): void {
  const { nvs } = initNvs(ground.flash, ground.partitions);
  if (!nvs) return;
  for (const { namespace, key, type, value } of entries) nvs.set(namespace, key, type, value);
  if (filling === undefined) return;
  for (let n = 0; nvs.set("other", `k${n}`, "u32", n) === "ESP_OK"; n++);
  for (let n = 0; n < filling; n++) nvs.erase("other", `k${n}`);
}

function entryOf(random: Random): Entry {
  const namespace = chance(random, 0.85)
    ? NAMESPACE
    : pick(random, ["other", "nvs.net80211", "phy", "a".repeat(15), "é"]);
  const key = chance(random, 0.85)
    ? pick(random, KEYS)
    : pick(random, ["x", "a".repeat(15), "__proto__", "constructor", "toString", "é", " ", "networks2"]);
  if (chance(random, 0.75)) return { namespace, key, type: "str", value: stringFor(random, key) };
  const type = pick(random, ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "blob"] as const);
  const value =
    type === "blob"
      ? Buffer.alloc(pick(random, [0, 1, 100, 3999, 4000]), below(random, 256))
      : BigInt(pick(random, [0, 1, 255, 4_294_967_295]));
  return { namespace, key, type, value };
}

function stringFor(random: Random, key: string): string {
  const valid = Object.hasOwn(VALID, key) ? VALID[key] : "x";
  return oddString(random, valid).replaceAll("\0", "0").slice(0, MAX_STRING);
}

function oddString(random: Random, valid: unknown): string {
  if (chance(random, 0.1)) return pick(random, HOSTILE_TEXTS);
  if (chance(random, 0.1)) return pick(random, EDGE_NUMBERS);
  if (chance(random, 0.08)) return pick(random, ["a", "[", '{"a":', "[[],", "9", "é", "💡"]).repeat(3999);
  if (typeof valid === "string") return chance(random, 0.3) ? valid : mutateText(random, valid, MAX_STRING);
  let value: unknown = valid;
  while (chance(random, 0.6))
    value = damageJson(random, value, ["firmwareId", "slot", "suspect", "__proto__"]);
  const text = Buffer.from(printJson(random, value), "latin1").toString();
  return chance(random, 0.25) ? mutateText(random, text, MAX_STRING) : text;
}

const shownValue = (value: Entry["value"]): string =>
  typeof value === "string"
    ? shown(value, 200)
    : value instanceof Uint8Array
      ? `${value.length} bytes`
      : `${value}`;

interface Corruption {
  readonly text: string;
  apply(ground: Ground): void;
}

/** Bits of the partition that have changed by themselves, or parts that were never written. */
function corruptionOf(random: Random): Corruption {
  const count = pick(random, [1, 1, 3, 20, 300]);
  const places = Array.from({ length: count }, () => ({
    share: random(),
    value: pick(random, [0, 255, below(random, 256)]),
  }));
  const isSector = chance(random, 0.1);
  return {
    text: isSector ? "a page of NVS erased" : `${count} bytes of NVS changed`,
    apply({ flash, partitions, touched }) {
      const nvs = findPartition(partitions, { type: PARTITION_TYPE_DATA, subtype: DATA_SUBTYPE_NVS });
      if (!nvs) return;
      for (const { share, value } of places) {
        const offset = nvs.offset + Math.floor(share * nvs.size);
        if (isSector) flash.bytes.fill(255, offset - (offset % 4096), offset - (offset % 4096) + 4096);
        else flash.bytes[offset] = value;
        touched(offset - (offset % 4096), 4096);
      }
    },
  };
}
