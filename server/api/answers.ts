// How routes answer, for `schema.response`: by status what it means, and what comes with it. Answers are typed by it (typed-app.ts) and
// described by it (openapi/); none is cut, converted or checked.

import { type TInteger, type TProperties, type TSchema, Type } from "@sinclair/typebox";
import type { Page, Paged } from "../store/page.js";
import { integer, list, named, type TList, text } from "./fields.js";

const json = <Schema extends TSchema>(schema: Schema, description: string) => ({
  description,
  content: { "application/json": { schema } },
});
export const ok = <Schema extends TSchema>(schema: Schema, description = "Done") => ({
  200: json(schema, description),
});
export const created = <Schema extends TSchema>(schema: Schema, description = "Created") => ({
  201: json(schema, description),
});
export const accepted = <Schema extends TSchema>(schema: Schema, description: string) => ({
  202: json(schema, description),
});
export const unavailable = <Schema extends TSchema>(schema: Schema, description: string) => ({
  503: json(schema, description),
});

/** A file has no shape: its media type says what it is. */
const file = (description: string, ...mediaTypes: string[]) => ({
  description,
  content: Object.fromEntries(
    mediaTypes.map((type) => [type, { schema: type.startsWith("text/") ? Type.String() : Type.Unknown() }]),
  ),
});
export const sent = (mediaType: string, description: string) => ({ 200: file(description, mediaType) });
const empty = (description: string) => Type.Unsafe<undefined>({ type: "null", description });
export const removed = { 204: empty("Removed") };
/** To `If-None-Match`. */
export const UNCHANGED = Object.freeze({ 304: empty("Not modified") });
/** An image, whole or in parts. */
export const IMAGE_FILE = Object.freeze({
  ...sent("application/octet-stream", "The whole image"),
  206: file("The requested ranges", "application/octet-stream", "multipart/byteranges"),
  302: empty("The image is at the URL in Location"),
  ...UNCHANGED,
});
export const DIGESTS_FILE = Object.freeze({
  ...sent("application/octet-stream", "32 bytes per chunk, in the order of the chunks"),
  206: file("The requested range", "application/octet-stream"),
  ...UNCHANGED,
});

/** Why a request was not carried out. */
const ErrorAnswer = named("Error", "Why the request failed", {
  error: text("A code for programs, such as ROLLOUT_UNKNOWN"),
  message: text("A sentence for people, with the numbers"),
});
/** Of every route. */
export const ERRORS = Object.freeze({
  "4xx": json(ErrorAnswer, "Refused, and why"),
  "5xx": json(ErrorAnswer, "The server cannot do this now, and why"),
});
/** One device among many that was not changed. */
export const RefusedDevice = named("Refusal", "A device that was not changed, and why", {
  device_id: text(),
  ...ErrorAnswer.properties,
});
/** Of a change of many devices. */
export const resultsOf = <Item extends TSchema>(item: Item) =>
  list(Type.Union([item, RefusedDevice]), "One per device, in the order of the request");

/** A complete list. */
export const listed = <Name extends string, Item extends TSchema>(name: Name, item: Item) =>
  Type.Object({ [name]: list(item) } as Record<Name, TList<Item>>);

const pageFields = {
  total: integer("Total number"),
  limit: integer("Maximum number in this answer"),
  offset: integer("Number skipped before the first"),
};
/** A part of a list. */
export const listOf = <Name extends string, Item extends TSchema, More extends TProperties>(
  name: Name,
  item: Item,
  more?: More,
) => {
  const fields = { [name]: list(item), ...pageFields, ...more };
  return Type.Object(fields as Record<Name, TList<Item>> & Record<keyof typeof pageFields, TInteger> & More);
};

/** What listOf describes, of what the store has found. */
export const page = <Name extends string, Row, View>(
  name: Name,
  { rows, totalCount }: Paged<Row>,
  view: (row: Row) => View,
  { limit, offset }: Page,
) =>
  ({ [name]: rows.map((row) => view(row)), total: totalCount, limit, offset }) as Record<
    Name,
    readonly View[]
  > &
    Record<keyof typeof pageFields, number>;
