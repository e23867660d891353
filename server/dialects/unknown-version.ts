// What runs on a device whose client does not tell.

import { Value } from "@sinclair/typebox/value";
import { VersionText } from "../api/schemas.js";

/** Stands wherever a version is shown. It is no version, so every release counts as newer (rollout/order.ts). */
export const UNKNOWN_VERSION = "unknown";

/** What a client calls its version, if that is one. */
export const versionIn = (text: string | undefined): string =>
  text !== undefined && Value.Check(VersionText, text) ? text : UNKNOWN_VERSION;
