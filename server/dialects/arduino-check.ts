// A sketch's headers as a check. Which release runs is known by the image's hash: the version is what the sketch's author wrote, often the
// same for years, so a hash that is known here outweighs it.

import type { CheckRequest } from "../../firmware/core/wire.js";
import { CheckBody } from "../api/device-schemas.js";
import { parseText } from "../api/validate.js";
import { newestFirst } from "../rollout/order.js";
import { Refusal } from "../shared/refusal.js";
import type { Firmware, Store } from "../store/store.js";
import type { Sketch } from "./arduino-sketch.js";
import { buildOf } from "./unknown-version.js";

/** Releases with the same file: it may be released again under another version. */
const MAX_NAMES_OF_IMAGE = 20;

/** @throws Refusal INVALID_REQUEST */
export async function checkOf(store: Store, deviceType: string, sketch: Sketch): Promise<CheckRequest> {
  const running = await findRunning(store, deviceType, sketch);
  const imageSha256 = running?.imageSha256 || sketch.sha256;
  const known = sketch.deviceId === undefined ? undefined : await store.findDevice(sketch.deviceId);
  const read = parseText(CheckBody, {
    device_id: sketch.deviceId,
    device_type: deviceType,
    current_version: running?.version ?? sketch.version,
    current_build: running?.buildNumber ?? (known ? await buildOf(store, known, sketch.version) : 0),
    chip: running?.chip ?? (await chipFor(store, deviceType, sketch)),
    // HTTPUpdate marks nothing for a trial: what runs is what it boots again.
    ...(imageSha256 === undefined ? {} : { image_sha256: imageSha256, slot_state: "valid" }),
  });
  if (typeof read !== "string") return read;
  throw new Refusal(
    "INVALID_REQUEST",
    `the headers of HTTPUpdate are expected, at least x-ESP32-STA-MAC or x-ESP8266-STA-MAC: ${read}`,
  );
}

/** The release whose image runs: of several, the one whose version the sketch says, or the newest. */
async function findRunning(
  store: Store,
  deviceType: string,
  { sha256, md5, version }: Sketch,
): Promise<Firmware | undefined> {
  const find = async (hash: { readonly imageSha256?: string; readonly md5?: string }) =>
    (await store.listFirmware({ deviceType, ...hash }, { limit: MAX_NAMES_OF_IMAGE, offset: 0 })).rows;
  // The ESP8266 has no SHA-256, nor have images that were built without one.
  const bySha256 = sha256 === undefined ? [] : await find({ imageSha256: sha256 });
  const same = bySha256.length > 0 || md5 === undefined ? bySha256 : await find({ md5 });
  return same.find((firmware) => firmware.version === version) ?? same.toSorted(newestFirst)[0];
}

/**
 * The chip whose releases the sketch can run, as far as its family and the type's releases say: the headers do not name it. `undefined`: a
 * type for several chips, or for none yet.
 */
async function chipFor(store: Store, deviceType: string, { family }: Sketch): Promise<string | undefined> {
  const chips = [...new Set((await store.activeFirmware(deviceType)).map(({ chip }) => chip))];
  const own = chips.filter((chip) => IS_ESP32.test(chip) === (family === "esp32"));
  // A file of an ESP8266 is of chip "other" unless its uploader names it.
  if (family === "esp8266") return own.find((chip) => chip.toLowerCase() === family) ?? own[0] ?? family;
  // What is said here is remembered: no guess, unless it keeps other systems' files away.
  return own.length > 1 || chips.length === 0 ? undefined : (own[0] ?? family);
}

/** As the headers of images say (core/update/image.ts). */
const IS_ESP32 = /^(?:esp32|chip-)/;
