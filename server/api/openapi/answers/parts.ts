// What descriptions of answers are made of: named shapes that TypeScript holds against the views which make the answers, and the
// ways in which a route answers. They describe only: no answer is ever made, cut or checked by them.

import {
  type Static,
  type TArray,
  type TObject,
  type TProperties,
  type TSchema,
  Type,
} from "@sinclair/typebox";

/** As it is when it comes out of JSON: nothing can be changed, and what is `undefined` is not there. */
type Plain<Value> = Value extends readonly (infer Item)[]
  ? readonly Plain<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value as undefined extends Value[Key] ? never : Key]: Plain<Value[Key]> } & {
        readonly [Key in keyof Value as undefined extends Value[Key] ? Key : never]?: Plain<
          Exclude<Value[Key], undefined>
        >;
      }
    : Value;
type IsSame<A, B> = [Plain<A>] extends [Plain<B>] ? ([Plain<B>] extends [Plain<A>] ? true : false) : false;
/** The fields in which they differ. */
type Differing<A, B> = {
  [Key in keyof A | keyof B]: Key extends keyof A & keyof B
    ? IsSame<Pick<A, Key>, Pick<B, Key>> extends true
      ? never
      : Key
    : Key;
}[keyof A | keyof B];

/** A shape that occurs in many places, or that clients want a name for: a component of the document. */
export const named = <Fields extends TProperties>(title: string, description: string, fields: Fields) =>
  Type.Object(fields, { title, description });

/** A named shape that is exactly what a view makes: where the two drift apart it fails to compile, and names the fields. */
export const shapeOf =
  <View>() =>
  <Fields extends TProperties>(
    title: string,
    description: string,
    fields: Fields & ProofOf<Static<TObject<Fields>>, View>,
  ): TObject<Fields> =>
    named<Fields>(title, description, fields);
type ProofOf<A, B> = IsSame<A, B> extends true ? unknown : { readonly theseDiffer: Differing<A, B> };

/** `description` says what `null` means, too. */
export const orNull = <Schema extends TSchema>(schema: Schema, description?: string) =>
  Type.Union([schema, Type.Null()], description === undefined ? {} : { description });
/** One of these words. */
export const oneOf = <const Value extends string>(values: readonly Value[], description?: string) =>
  Type.Unsafe<Value>(
    Type.String({ enum: [...values], ...(description === undefined ? {} : { description }) }),
  );
/** Fields by their type; absent a description, the name says it all. */
export const text = (description?: string) => Type.String(description === undefined ? {} : { description });
export const textOrNull = (description?: string) => orNull(Type.String(), description);
export const whole = (description?: string) => Type.Integer(description === undefined ? {} : { description });
export const wholeOrNull = (description?: string) => orNull(Type.Integer(), description);
export const numberOrNull = (description?: string) => orNull(Type.Number(), description);
export const yes = (description?: string) => Type.Boolean(description === undefined ? {} : { description });
/** ISO 8601 in UTC. */
export const time = (description?: string) =>
  Type.String({ format: "date-time", ...(description === undefined ? {} : { description }) });
export const timeOrNull = (description?: string) => orNull(Type.String({ format: "date-time" }), description);
export const hexSha256 = (description: string) => Type.String({ description });
export const optional = Type.Optional;

/** A part of a list: `total` is how many there are in all. */
export const listOf = <Item extends TSchema>(name: string, item: Item, more: TProperties = {}) =>
  Type.Object({
    ...listed(name, item).properties,
    total: Type.Integer({ description: "How many there are in all" }),
    limit: Type.Integer({ description: "How many were asked for at most" }),
    offset: Type.Integer({ description: "How many were left out before the first" }),
    ...more,
  });
/** A list that is always whole. */
export const listed = <Item extends TSchema>(
  name: string,
  item: Item,
): TObject<Record<string, TArray<Item>>> => Type.Object({ [name]: Type.Array(item) });

/** What one status means, and what comes with it: JSON of this shape, a file of one of these media types, or nothing. */
export interface Outcome {
  readonly description: string;
  readonly schema?: TSchema;
  readonly mediaTypes?: readonly string[];
}
/** How a route answers when all is well, by status. */
export type Answer = Readonly<Record<number, Outcome>>;
/** By method and path, such as `GET /api/devices/:id`. */
export type Answers = Readonly<Record<string, Answer>>;

export const ok = (schema: TSchema, description = "Done"): Answer => ({ 200: { description, schema } });
export const created = (schema: TSchema, description = "Made"): Answer => ({ 201: { description, schema } });
export const sent = (mediaType: string, description: string): Answer => ({
  200: { description, mediaTypes: [mediaType] },
});
/** To `If-None-Match`. */
export const UNCHANGED: Answer = Object.freeze({
  304: { description: "Unchanged: what is known is still right" },
});
/** An image, whole or in parts. */
export const IMAGE_FILE: Answer = Object.freeze({
  ...sent("application/octet-stream", "The image, whole"),
  206: {
    description: "The ranges that were asked for",
    mediaTypes: ["application/octet-stream", "multipart/byteranges"],
  },
  302: { description: "It is elsewhere: where Location says" },
  ...UNCHANGED,
});

export const DIGESTS_FILE: Answer = Object.freeze({
  ...sent("application/octet-stream", "32 bytes a chunk, in the order of the chunks"),
  206: { description: "The range that was asked for", mediaTypes: ["application/octet-stream"] },
  ...UNCHANGED,
});

export { ErrorAnswer, RefusedDevice as Refusal, resultsOf } from "../../answers.js";
