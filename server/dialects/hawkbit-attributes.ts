// A hawkBit client's configData: what it does to the attributes that are known. Pure. What is too long is cut and what is too much left out,
// because a client that is refused is asked for its attributes for ever, and some take no update before (swupdate).
//
//   mode       known {a: 1, b: 2}, sent {b: 3, c: 4}
//   merge      {a: 1, b: 3, c: 4}      the default; null removes
//   replace    {b: 3, c: 4}
//   remove     {a: 1}
//
// Source: hawkBit's DdiUpdateMode and JpaControllerManagement.updateControllerAttributes.

import { type Static, Type } from "@sinclair/typebox";
import { literals } from "../api/schemas.js";
import type { Attributes } from "../store/store.js";

const MAX_ATTRIBUTE_COUNT = 64;
const MAX_NAME_LENGTH = 128;
const MAX_VALUE_LENGTH = 512;

/** Clients write numbers as such. */
const Value = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]);
export const ConfigBody = Type.Object({
  mode: Type.Optional(literals(["merge", "replace", "remove"])),
  data: Type.Record(Type.String(), Value),
});

export type AttributeChange = Static<typeof ConfigBody>;

export function changeAttributes(
  known: Attributes | undefined,
  { mode = "merge", data }: AttributeChange,
): Attributes {
  const changed = new Map(mode === "replace" ? [] : Object.entries(known ?? {}));
  for (const [longName, value] of Object.entries(data)) {
    const name = longName.slice(0, MAX_NAME_LENGTH);
    if (mode === "remove" || value === null) changed.delete(name);
    else changed.set(name, `${value}`.slice(0, MAX_VALUE_LENGTH));
  }
  return Object.fromEntries([...changed].slice(0, MAX_ATTRIBUTE_COUNT));
}
