// JSON of a body from any client in the network: an object of strings, numbers, true, false and null, which is all that the device's pages
// send. A nested value, or one with more members than any settings have, is refused.

import { type JsonBounds, type JsonObject, readJsonObject } from "../json.js";

/** More than any section of settings has. */
const MAX_MEMBER_COUNT = 32;

const FLAT: JsonBounds = Object.freeze({ maxDepth: 1, maxValueCount: 1 + MAX_MEMBER_COUNT });

/** The object; undefined if the text is not JSON, or not such an object. */
export const parseFlat = (text: string): JsonObject | undefined => readJsonObject(text, FLAT);
