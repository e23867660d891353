// The answer to a check: JSON from the server, read into the fields that a device uses, each with its type and a sane size. Pure.

import { readOrders } from "../server/orders.js";
import { isServerToken } from "../server/server-token.js";
import type { NoUpdateResponse, UpdateResponse } from "../wire.js";
import { isCount, isFirmwareId } from "./record.js";

/** The fields of an offer that a device reads: size and hash are in the signed manifest. */
export type OfferAnswer = Omit<UpdateResponse, "file_size" | "file_hash">;

/** The fields of an answer that a device reads. */
export type CheckAnswer = NoUpdateResponse | OfferAnswer;

/** The answer, if every field that is used has the right type and a sane size. */
export function readCheckAnswer(text: string): CheckAnswer | undefined {
  let value: Partial<Record<keyof UpdateResponse, unknown>>;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || typeof value.time !== "number") return undefined;
  const { time, poll_seconds, device_token } = value;
  if (poll_seconds !== undefined && typeof poll_seconds !== "number") return undefined;
  const orders = readOrders(value.orders);
  const more = {
    time,
    ...(orders.length > 0 ? { orders } : {}),
    ...(poll_seconds === undefined ? {} : { poll_seconds }),
    ...(value.poll_is_for_all === true ? { poll_is_for_all: true } : {}),
    ...(isServerToken(device_token) ? { device_token } : {}),
  };
  if (value.update_available === false) return { update_available: false, ...more };
  const offer = value.update_available === true ? readOffer(value) : undefined;
  return offer && { update_available: true, ...more, ...offer };
}

function readOffer(
  value: Partial<Record<keyof UpdateResponse, unknown>>,
): Omit<OfferAnswer, "update_available" | "time"> | undefined {
  const { firmware_id, version, build_number = 0, download_url, digests_url, release } = value;
  if (!isFirmwareId(firmware_id) || !isCount(build_number)) return undefined;
  if (!isText(version, MAX_VERSION_LENGTH) || !isText(download_url, MAX_URL_LENGTH)) return undefined;
  // the maximum length of a manifest depends on its format: parseRelease checks it, so that the server gets a report
  if (typeof release !== "string") return undefined;
  const offer = { firmware_id, version, build_number, download_url, release };
  if (digests_url === undefined) return offer;
  return isText(digests_url, MAX_URL_LENGTH) ? { ...offer, digests_url } : undefined;
}

const MAX_VERSION_LENGTH = 48;
const MAX_URL_LENGTH = 500;

const isText = (value: unknown, maxLength: number): value is string =>
  typeof value === "string" && value.length <= maxLength;
