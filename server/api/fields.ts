// What schemas are built of: fields by their type. Without a description, the name says it all.

import {
  type Static,
  type TProperties,
  type TSchema,
  type TString,
  type TUnsafe,
  Type,
} from "@sinclair/typebox";
import { defined } from "../shared/defined.js";

const described = (description: string | undefined) => defined({ description });

export const text = (description?: string) => Type.String(described(description));
export const integer = (description?: string) => Type.Integer(described(description));
export const number = (description?: string) => Type.Number(described(description));
export const boolean = (description?: string) => Type.Boolean(described(description));

/** ISO 8601 in UTC, to the millisecond. */
export interface TDateTime extends TString {
  readonly format: "date-time";
}
export const dateTime = (description?: string) =>
  Type.String({ format: "date-time", ...described(description) }) as TDateTime;

/** `description` also says what `null` means. */
export const orNull = <Schema extends TSchema>(schema: Schema, description?: string) =>
  Type.Union([schema, Type.Null()], described(description));
export const textOrNull = (description?: string) => orNull(Type.String(), description);
export const integerOrNull = (description?: string) => orNull(Type.Integer(), description);
export const numberOrNull = (description?: string) => orNull(Type.Number(), description);
export const dateTimeOrNull = (description?: string) => orNull(dateTime(), description);

/** One of these words. The pattern says the same once more, because TypeBox checks no `enum`. */
export const oneOf = <const Value extends string>(values: readonly Value[], description?: string) =>
  Type.Unsafe<Value>(
    Type.String({ enum: [...values], pattern: `^(${values.join("|")})$`, ...described(description) }),
  );

/** A list that its reader does not change. */
export type TList<Item extends TSchema> = TUnsafe<readonly Static<Item>[]>;
export const list = <Item extends TSchema>(item: Item, description?: string): TList<Item> =>
  Type.Unsafe<readonly Static<Item>[]>(Type.Array(item, described(description)));

/** A shape that several answers contain, or that clients want a name for: a component of the OpenAPI document. */
export const named = <Fields extends TProperties>(title: string, description: string, fields: Fields) =>
  Type.Object(fields, { title, description });
