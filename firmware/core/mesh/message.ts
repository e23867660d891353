// Messages of painlessMesh, read: bounded, checked, and without what is not used. Writes nothing (write.ts).
//
//   type  routing    kind        what for
//   3     single     delay       how long a message takes to another node: as `time`
//   4     neighbour  time        which clock the two sides follow
//   5     neighbour  sync        who I am, and who is behind me; wants a 6
//   6     neighbour  synced      the same as its answer
//   8, 9  both       other       an app's text to all, or to one
//   10    broadcast  announce    an image for a role and a kind of hardware
//   11    single     request     please send a part of it
//   12    single     part        here it is; broadcast where the sender leads
//   else  any        other       another plugin's, to be passed on
//
// Source: protocols of the library, measured (test/vectors/mesh). It reads a missing member as false or 0; so does this.

import { asJsonObject, type JsonBounds, type JsonObject, type JsonValue, readJsonObject } from "../json.js";
import { idOf, isCount } from "./node-id.js";
import { readTree, type Tree } from "./tree.js";

export type Routing = "neighbour" | "single" | "broadcast";

/** An image that is distributed. The flags are echoed by every message about it. */
export interface MeshImage {
  /** 32 hex digits, lower case. */
  readonly md5: string;
  /** `ESP32`, `ESP8266` */
  readonly hardware: string;
  readonly role: string;
  /** 1 to MAX_PART_COUNT. */
  readonly partCount: number;
  /** For nodes that have it already, too. */
  readonly isForced: boolean;
  /** The sender broadcasts the parts without being asked. */
  readonly isBroadcast: boolean;
  /** Never set by us; echoed. */
  readonly isCompressed: boolean;
}

interface Sent {
  /** Node id of the sender. */
  readonly from: number;
  /** Node id; 0: not known. */
  readonly dest: number;
  readonly routing: Routing;
}

export interface SyncMessage extends Sent {
  readonly kind: "sync" | "synced";
  readonly tree: Tree;
}

export interface TimeMessage extends Sent {
  readonly kind: "time" | "delay";
  /** 0: ask me for my time. 1: what is your time? 2: it is this. */
  readonly step: number;
  /** Microseconds as u32: when it was asked, when that arrived, when the answer left. */
  readonly t0: number;
  readonly t1: number;
  readonly t2: number;
}

export interface AnnounceMessage extends Sent {
  readonly kind: "announce";
  readonly image: MeshImage;
  /** Our own member: the signed manifest of the image. Other nodes ignore it. */
  readonly release: string | undefined;
}

export interface RequestMessage extends Sent {
  readonly kind: "request";
  readonly image: MeshImage;
  readonly part: number;
}

export interface PartMessage extends Sent {
  readonly kind: "part";
  readonly image: MeshImage;
  readonly part: number;
  /** Base64. */
  readonly data: string;
}

export interface OtherMessage extends Sent {
  readonly kind: "other";
}

export type Message =
  | SyncMessage
  | TimeMessage
  | AnnounceMessage
  | RequestMessage
  | PartMessage
  | OtherMessage;

/** 4 MiB in parts of 64 bytes. */
export const MAX_PART_COUNT = 65_536;
/** Bytes of a part, at most: one sector. */
const MAX_PART_BYTES = 4096;
const MAX_DATA_CHARACTERS = Math.ceil(MAX_PART_BYTES / 3) * 4;
/** A release of format 2 has 1536 at most. */
const MAX_RELEASE_CHARACTERS = 2048;
const MAX_NAME_CHARACTERS = 32;

/** A node in a tree is an object, its id and the list behind it: some 50 nodes, ten deep. */
const BOUNDS: JsonBounds = Object.freeze({ maxDepth: 24, maxValueCount: 200 });

export const TYPES = Object.freeze({
  delay: 3,
  time: 4,
  sync: 5,
  synced: 6,
  broadcast: 8,
  single: 9,
  announce: 10,
  request: 11,
  part: 12,
});

/** The message; undefined if it is none, or not one of this protocol. */
export function readMessage(text: string): Message | undefined {
  const members = readJsonObject(text, BOUNDS);
  const type = members?.get("type");
  if (!members || typeof type !== "number") return undefined;
  const from = idOf(members.get("from"));
  const dest = idOf(members.get("dest"));
  switch (type) {
    case TYPES.sync:
    case TYPES.synced: {
      const tree = readTree(members, from);
      return (
        tree && { kind: type === TYPES.sync ? "sync" : "synced", from, dest, routing: "neighbour", tree }
      );
    }
    case TYPES.time:
    case TYPES.delay:
      return readTime(members, type === TYPES.time, { from, dest });
    case TYPES.announce:
    case TYPES.request:
    case TYPES.part:
      return readOfImage(members, type, { from, dest, routing: routingOf(members, type) });
    default:
      return { kind: "other", from, dest, routing: routingOf(members, type) };
  }
}

function readTime(
  members: JsonObject,
  isTime: boolean,
  ids: { readonly from: number; readonly dest: number },
): TimeMessage | undefined {
  const inner = asJsonObject(members.get("msg"));
  const step = inner?.get("type");
  if (!inner || (step !== 0 && step !== 1 && step !== 2)) return undefined;
  return {
    kind: isTime ? "time" : "delay",
    routing: isTime ? "neighbour" : "single",
    ...ids,
    step,
    t0: idOf(inner.get("t0")),
    t1: idOf(inner.get("t1")),
    t2: idOf(inner.get("t2")),
  };
}

function readOfImage(members: JsonObject, type: number, sent: Sent): Message | undefined {
  const image = readImage(members);
  if (!image) return undefined;
  if (type === TYPES.announce) {
    const release = members.get("release");
    const isRelease = typeof release === "string" && release.length <= MAX_RELEASE_CHARACTERS;
    return { kind: "announce", ...sent, image, release: isRelease ? release : undefined };
  }
  const part = members.get("partNo");
  if (!isCount(part) || part >= image.partCount) return undefined;
  if (type === TYPES.request) return { kind: "request", ...sent, image, part };
  const data = members.get("data");
  if (typeof data !== "string" || data.length > MAX_DATA_CHARACTERS) return undefined;
  return { kind: "part", ...sent, image, part, data };
}

function readImage(members: JsonObject): MeshImage | undefined {
  const md5 = members.get("md5");
  const hardware = members.get("hardware");
  const role = members.get("role");
  const partCount = members.get("noPart");
  if (typeof md5 !== "string" || !/^[0-9a-f]{32}$/.test(md5)) return undefined;
  if (!isName(hardware) || !isName(role)) return undefined;
  if (!isCount(partCount) || partCount < 1 || partCount > MAX_PART_COUNT) return undefined;
  return {
    md5,
    hardware,
    role,
    partCount,
    isForced: members.get("forced") === true,
    isBroadcast: members.get("broadcasted") === true,
    isCompressed: members.get("compressed") === true,
  };
}

const isName = (value: JsonValue | undefined): value is string =>
  typeof value === "string" && value.length <= MAX_NAME_CHARACTERS;

/** Two types of the library imply it. */
function routingOf(members: JsonObject, type: number): Routing {
  const routing = members.get("routing") ?? (type === TYPES.single ? 1 : type === TYPES.broadcast ? 2 : 0);
  return routing === 1 ? "single" : routing === 2 ? "broadcast" : "neighbour";
}
