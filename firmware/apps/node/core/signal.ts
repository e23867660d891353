// What nodes say to each other, as text: JSON with the role of who says it and one to four values, `{"role":"pir","motion":1}`. In a painlessMesh it
// is the `msg` of a broadcast, by radio the end of a frame (radio-signal.ts). Anyone in the mesh or in range can say anything: a signal is good
// for a light, not for a lock.

import { type JsonBounds, readJsonObject, writeJson } from "../../../core/json.js";
import type { SignalName } from "./role.js";

export interface Signal {
  /** Of who says it, at most MAX_ROLE_LENGTH characters; not one of ours for sure. */
  readonly role: string;
  readonly values: Readonly<Partial<Record<SignalName, number>>>;
}

/** ASCII; with its head it fits a frame. */
export const MAX_SIGNAL_LENGTH = 200;
const MAX_ROLE_LENGTH = 16;
const NAMES: readonly SignalName[] = Object.freeze([
  "motion",
  "button",
  "button2",
  "temperature",
  "humidity",
]);
const BOUNDS: JsonBounds = Object.freeze({ maxDepth: 2, maxValueCount: 8 });

export function writeSignal({ role, values }: Signal): string {
  let text = `{"role":${writeJson(role)}`;
  for (const name of NAMES) if (values[name] !== undefined) text += `,"${name}":${values[name]}`;
  return `${text}}`;
}

/** Undefined: it is none, or says nothing that we know. */
export function readSignal(text: string): Signal | undefined {
  const members = text.length <= MAX_SIGNAL_LENGTH ? readJsonObject(text, BOUNDS) : undefined;
  const role = members?.get("role");
  if (!members || typeof role !== "string" || role.length > MAX_ROLE_LENGTH) return undefined;
  const values: Partial<Record<SignalName, number>> = {};
  let count = 0;
  for (const name of NAMES) {
    const value = members.get(name);
    if (typeof value !== "number") continue;
    values[name] = value;
    count += 1;
  }
  return count > 0 ? { role, values } : undefined;
}

/** For the log: `motion 1`. */
export function describeSignal({ values }: Signal): string {
  return NAMES.flatMap((name) => (values[name] === undefined ? [] : [`${name} ${values[name]}`])).join(", ");
}
