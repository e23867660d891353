// What an Arduino sketch says of itself in the headers of HTTPUpdate, read tolerantly: a header that cannot be used is as good as absent,
// because a sketch that is refused for it can never be replaced.
//
//   header                   ESP32  ESP8266   here
//   STA-MAC                    x       x      the device's name, in capitals
//   mode                       x       x      sketch, or a file system: spiffs, littlefs …
//   version                    x       x      only if the sketch passes one
//   sketch-sha256              x              SHA-256 appended to the running image
//   sketch-md5, sketch-size    x       x      of the running image's file
//   free-space                 x       x      room for another image, bytes
//   chip-size                  x       x      of the flash, bytes
//   sdk-version                x       x
//
// Source: arduino-esp32 libraries/HTTPUpdate/src/HTTPUpdate.cpp, Arduino's ESP8266 libraries/ESP8266httpUpdate/src/ESP8266httpUpdate.cpp.

import type { IncomingHttpHeaders } from "node:http";
import { Value } from "@sinclair/typebox/value";
import { DeviceId } from "../api/schemas.js";
import type { Attributes } from "../store/store.js";
import { versionIn } from "./unknown-version.js";

export interface Sketch {
  readonly family: "esp32" | "esp8266";
  /** Absent: it names none, or none that can be one. */
  readonly deviceId: string | undefined;
  /** What is to be updated. */
  readonly mode: string;
  /** As the sketch says; UNKNOWN_VERSION: not, or not so that it can be one. */
  readonly version: string;
  readonly sha256: string | undefined;
  readonly md5: string | undefined;
  /** Largest image that there is room for, bytes; absent: it does not say. */
  readonly roomBytes: number | undefined;
  /** What else it says, for people. */
  readonly attributes: Attributes;
}

/** Of a client that names none, such as a script. */
const SKETCH_MODE = "sketch";
const MAX_TEXT_LENGTH = 64;

export function readSketch(headers: IncomingHttpHeaders): Sketch {
  const family = headers["x-esp8266-sta-mac"] !== undefined ? "esp8266" : "esp32";
  const other = family === "esp32" ? "esp8266" : "esp32";
  const said = (name: string): string | undefined => {
    const value = headers[`x-${family}-${name}`] ?? headers[`x-${other}-${name}`];
    return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
  };
  const bytes = (name: string): number | undefined => {
    const text = said(name);
    return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
  };
  const hex = (name: string, digitCount: number): string | undefined => {
    const text = said(name)?.toLowerCase();
    return text?.length === digitCount && /^[0-9a-f]+$/.test(text) ? text : undefined;
  };
  const sizes = [bytes("free-space"), bytes("chip-size")].filter((size) => size !== undefined);
  const attributes = ["sdk-version", "chip-size", "free-space", "sketch-size", "sketch-md5", "version"].map(
    (name) => [name.replaceAll("-", "_"), said(name)?.slice(0, MAX_TEXT_LENGTH)] as const,
  );
  return {
    family,
    deviceId: Value.Check(DeviceId, said("sta-mac")) ? said("sta-mac")?.toUpperCase() : undefined,
    mode: said("mode")?.toLowerCase() ?? SKETCH_MODE,
    version: versionIn(said("version")),
    sha256: hex("sketch-sha256", 64),
    md5: hex("sketch-md5", 32),
    roomBytes: sizes.length === 0 ? undefined : Math.min(...sizes),
    attributes: Object.fromEntries(attributes.filter((one): one is [string, string] => one[1] !== undefined)),
  };
}

export const isForSketch = ({ mode }: Sketch): boolean => mode === SKETCH_MODE;
