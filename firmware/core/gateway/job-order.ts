// An order of the update server to a gateway: distribute this image to the nodes of a type. Read from the answer to a poll, and written for
// NVS in the same form, so that a restart continues it. Pure; every field is checked before it is used.

import {
  asJsonObject,
  type JsonBounds,
  type JsonObject,
  type JsonValue,
  readJsonObject,
  writeJson,
} from "../json.js";
import { type CachedImage, cachedImage } from "./cached-image.js";

/** NVS key: of the order that is carried out. */
export const JOB_KEY = "mesh.job";
/** The longest manifest, two paths and the rest. */
export const MAX_JOB_LENGTH = 3_000;
/** Of the answer to a poll that asks for one order. */
export const MAX_ORDERS_BYTES = 6_144;

const MAX_NAME_LENGTH = 64;
const MAX_TARGET_LENGTH = 256;
const MD5_DIGITS = 32;

/** An answer has one order; a server that does not know `limit` sends some more, of 40 members each. */
const BOUNDS: JsonBounds = Object.freeze({ maxDepth: 4, maxValueCount: 200 });

export interface JobOrder {
  readonly id: number;
  readonly firmwareId: number;
  readonly nodeType: string;
  /** As nodes of painlessMesh compare it: `ESP32`. */
  readonly hardware: string;
  readonly version: string;
  readonly build: number;
  /** 32 hex digits. */
  readonly md5: string;
  readonly sizeBytes: number;
  /** Path at the update server. */
  readonly target: string;
  /** The image with its signed manifest; absent: it is not signed, and only its MD5 says that it is right. */
  readonly image: CachedImage | undefined;
  readonly isForced: boolean;
  /** `all`: every node installs it or none does. */
  readonly rule: "all" | "each";
  /** The only node that it is for. */
  readonly nodeId: string | undefined;
}

/** What is kept of an order over a restart. */
export interface KeptJob {
  readonly order: JobOrder;
  /** Every node has the image, and is told to start it. */
  readonly isCommitted: boolean;
  /** One of them could not keep it: the others are told to go back. */
  readonly isTakenBack: boolean;
}

/** The oldest order in the answer to a poll; undefined: there is none. `false`: this is no such answer. */
export function readOrders(text: string): JobOrder | undefined | false {
  const updates = readJsonObject(text, BOUNDS)?.get("updates");
  if (!Array.isArray(updates)) return false;
  const first = asJsonObject(updates[0]);
  return updates.length === 0 ? undefined : ((first && readOrder(first)) ?? false);
}

export function readKeptJob(text: string | undefined): KeptJob | undefined {
  const object = text === undefined ? undefined : readJsonObject(text, BOUNDS);
  const order = object && readOrder(object);
  return (
    order && {
      order,
      isCommitted: object.get("committed") === true,
      isTakenBack: object.get("taken_back") === true,
    }
  );
}

export const writeKeptJob = ({ order, isCommitted, isTakenBack }: KeptJob): string =>
  writeJson({
    id: order.id,
    firmware_id: order.firmwareId,
    node_type: order.nodeType,
    hardware: order.hardware,
    version: order.version,
    build_number: order.build,
    md5: order.md5,
    size: order.sizeBytes,
    download_url: order.target,
    ...(order.image ? { release: order.image.manifest, digests_url: order.image.digestsTarget } : {}),
    force_update: order.isForced,
    rule: order.rule,
    ...(order.nodeId === undefined ? {} : { node_id: order.nodeId }),
    ...(isCommitted ? { committed: true } : {}),
    ...(isTakenBack ? { taken_back: true } : {}),
  });

function readOrder(object: JsonObject): JobOrder | undefined {
  const id = countOf(object.get("id"));
  const firmwareId = countOf(object.get("firmware_id"));
  const sizeBytes = countOf(object.get("size"));
  const md5 = object.get("md5");
  const nodeType = nameOf(object.get("node_type"));
  const hardware = nameOf(object.get("hardware"));
  const version = nameOf(object.get("version"));
  const target = object.get("download_url");
  if (!id || !firmwareId || !sizeBytes || !nodeType || !hardware || !version) return undefined;
  if (typeof md5 !== "string" || md5.length !== MD5_DIGITS || !isPath(target)) return undefined;
  const image = imageOf(object, target);
  const rule = object.get("rule") === "all" ? "all" : "each";
  // only what is signed is held by nodes until the others have it
  if (rule === "all" && !image) return undefined;
  return {
    id,
    firmwareId,
    nodeType,
    hardware,
    version,
    build: countOf(object.get("build_number")) ?? 0,
    md5: md5.toLowerCase(),
    sizeBytes,
    target,
    image,
    isForced: object.get("force_update") === true,
    rule,
    nodeId: nameOf(object.get("node_id")),
  };
}

function imageOf(object: JsonObject, target: string): CachedImage | undefined {
  const release = object.get("release");
  const digests = object.get("digests_url");
  if (typeof release !== "string" || typeof digests !== "string") return undefined;
  const image = cachedImage(target, digests, release);
  return image && image.release.size === object.get("size") ? image : undefined;
}

const isPath = (value: JsonValue | undefined): value is string =>
  typeof value === "string" &&
  value.length <= MAX_TARGET_LENGTH &&
  value.startsWith("/") &&
  !value.startsWith("//");

const nameOf = (value: JsonValue | undefined): string | undefined =>
  typeof value === "string" && value.length > 0 && value.length <= MAX_NAME_LENGTH ? value : undefined;

const countOf = (value: JsonValue | undefined): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
