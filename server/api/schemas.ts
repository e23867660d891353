// What the schemas of several subjects share: names, ids, pages of lists.

import { type ObjectOptions, type TProperties, Type } from "@sinclair/typebox";
import { defined } from "../shared/defined.js";

/**
 * For what operators and their programs send: an unknown field is a typing error, and ignored it could send an update to every device.
 * Devices, and clients of other systems, may send more than is known here: so newer ones can talk to an older server.
 */
export const Exactly = <Fields extends TProperties>(fields: Fields, options: ObjectOptions = {}) =>
  Type.Object(fields, { ...options, additionalProperties: false });

/** One of these words, in a request: enum for its description, pattern for its validation. */
export const choice = <const Value extends string>(values: readonly Value[], description?: string) =>
  Type.Unsafe<Value>(
    Type.String({
      enum: [...values],
      pattern: `^(${values.join("|")})$`,
      ...defined({ description }),
    }),
  );
export const literals = <const Value extends string>(values: readonly Value[]) =>
  Type.Union(values.map((value) => Type.Literal(value)));

/** Names are parts of paths, where `.` and `..` mean something else: no client could ask for what is called so. */
export const DeviceId = Type.String({ pattern: "^(?!\\.{1,2}$)[A-Za-z0-9._:-]{1,64}$" });
export const Name = Type.String({ pattern: "^(?!\\.{1,2}$)[A-Za-z0-9._-]{1,64}$" });
/** A semantic version where possible; any other version counts as older than every release. */
export const VersionText = Type.String({ pattern: "^[A-Za-z0-9.+_-]{1,48}$" });
/** Tags and groups: words of any language, without commas, so that they can be listed. */
export const Label = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[^\\s,\\u0000-\\u001f]([^,\\u0000-\\u001f]*[^\\s,\\u0000-\\u001f])?$",
});
export const Count = Type.Integer({ minimum: 0, maximum: 0xffffffff });
export const Sha256 = Type.String({ pattern: "^[0-9a-f]{64}$" });
export const Text = (maxLength: number) => Type.String({ maxLength });

/** The largest integer that JavaScript and the databases represent exactly. */
const MAX_SAFE_ID = Number.MAX_SAFE_INTEGER;
export const Id = Type.Integer({ minimum: 1, maximum: MAX_SAFE_ID });
export const IdParams = Type.Object({ id: Id });
export const DeviceParams = Type.Object({ id: DeviceId });

/** Fields of a query for a list: which part of it. */
export const Page = {
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 50 }),
  offset: Type.Integer({ minimum: 0, maximum: 1_000_000_000, default: 0 }),
};
export const PageQuery = Type.Object(Page);
