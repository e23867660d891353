// The answer to a check: JSON from the server, read into the fields that a device uses, each with its type and a sane size. Pure.

import type { ReceivedOrder } from "../event.js";
import { type JsonObject, readJsonObject } from "../json.js";
import { readOrders } from "../server/orders.js";
import { isServerToken } from "../server/server-token.js";
import type { NoUpdateResponse, UpdateResponse } from "../wire.js";
import { MAX_URL_LENGTH } from "./offered-address.js";
import { isCount, isFirmwareId } from "./record.js";

interface WithOrders {
  readonly orders?: readonly ReceivedOrder[];
}

/** The fields of an offer that a device reads: size and hash are in the signed manifest. */
export type OfferAnswer = Omit<UpdateResponse, "file_size" | "file_hash" | "orders"> & WithOrders;

/** The fields of an answer that a device reads. */
export type CheckAnswer = (Omit<NoUpdateResponse, "orders"> & WithOrders) | OfferAnswer;

/** The answer, if every field that is used has the right type and a sane size. */
export function readCheckAnswer(text: string): CheckAnswer | undefined {
  const value = readJsonObject(text);
  const time = value?.get("time");
  const poll_seconds = value?.get("poll_seconds");
  if (!value || typeof time !== "number") return undefined;
  if (poll_seconds !== undefined && typeof poll_seconds !== "number") return undefined;
  const device_token = value.get("device_token");
  const commit = value.get("commit");
  const revert = value.get("revert");
  const root_url = value.get("root_url");
  const orders = readOrders(value.get("orders"));
  const more = {
    time,
    ...(orders.length > 0 ? { orders } : {}),
    ...(poll_seconds === undefined ? {} : { poll_seconds }),
    ...(value.get("poll_is_for_all") === true ? { poll_is_for_all: true } : {}),
    ...(isSha256(commit) ? { commit } : {}),
    ...(value.get("abandon") === true ? { abandon: true } : {}),
    ...(isSha256(revert) ? { revert } : {}),
    ...(value.get("tell_abilities") === true ? { tell_abilities: true } : {}),
    ...(isText(root_url, MAX_URL_LENGTH) ? { root_url } : {}),
    ...(isServerToken(device_token) ? { device_token } : {}),
  };
  if (value.get("update_available") === false) return { update_available: false, ...more };
  const offer = value.get("update_available") === true ? readOffer(value) : undefined;
  return offer && { update_available: true, ...more, ...offer };
}

function readOffer(value: JsonObject): Omit<OfferAnswer, "update_available" | "time"> | undefined {
  const firmware_id = value.get("firmware_id");
  const version = value.get("version");
  const build_number = value.has("build_number") ? value.get("build_number") : 0;
  const download_url = value.get("download_url");
  const digests_url = value.get("digests_url");
  const release = value.get("release");
  if (!isFirmwareId(firmware_id) || !isCount(build_number)) return undefined;
  if (!isText(version, MAX_VERSION_LENGTH) || typeof download_url !== "string") return undefined;
  // offer.ts judges the addresses, parseRelease the length of a manifest, so that the server gets a report
  if (typeof release !== "string") return undefined;
  const hold = value.get("hold") === true ? { hold: true } : {};
  const offer = { firmware_id, version, build_number, download_url, release, ...hold };
  if (digests_url === undefined) return offer;
  return typeof digests_url === "string" ? { ...offer, digests_url } : undefined;
}

const isSha256 = (value: unknown): value is string => typeof value === "string" && value.length === 64;

const MAX_VERSION_LENGTH = 48;

const isText = (value: unknown, maxLength: number): value is string =>
  typeof value === "string" && value.length <= maxLength;
