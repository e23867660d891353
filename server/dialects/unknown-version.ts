// The version of a device whose client does not report it.

import { Value } from "@sinclair/typebox/value";
import { VersionText } from "../api/schemas.js";

/** Shown as the version. It is not a valid version, so every release counts as newer (rollout/order.ts). */
export const UNKNOWN_VERSION = "unknown";

/** The version in a client's text, if valid. */
export const versionIn = (text: string | undefined): string =>
  text !== undefined && Value.Check(VersionText, text) ? text : UNKNOWN_VERSION;
