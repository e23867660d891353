// The settings of every device that a server may push, as fields: for the server's pages. What is pushed is checked by readChange.

import type { NumberField, TextField } from "../section.js";
import { MAX_CHECK_SECONDS, MAX_NAME_LENGTH, MIN_CHECK_SECONDS } from "./preferences.js";

export const CHECK_SECONDS_FIELD: NumberField = Object.freeze({
  name: "checkSeconds",
  label: "Check interval in seconds",
  hint: `At least ${MIN_CHECK_SECONDS}. 0: the server's, or the build's`,
  type: "number",
  least: 0,
  most: MAX_CHECK_SECONDS,
} as const);

export const DEVICE_NAME_FIELD: TextField = Object.freeze({
  name: "deviceName",
  label: "Name",
  hint: "For people, such as Kitchen light",
  type: "text",
  most: MAX_NAME_LENGTH,
} as const);
