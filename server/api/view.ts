// Makes views of records: a field of the view is the record's field of the same name in camel case, and a time becomes ISO 8601. What a
// record calls otherwise is put beside it: `viewer(DeviceView, (device: Device) => ({ ...device, deviceId: device.id }))`.

import type { Static, TNull, TObject, TProperties, TSchema, TUnion } from "@sinclair/typebox";
import { timeOrNull } from "../shared/iso-time.js";
import type { TDateTime } from "./fields.js";

type Camel<Name> = Name extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : Name;

/** What a record has where its view has this field: milliseconds for a time. */
type SourceOf<Field extends TSchema> = Field extends TDateTime
  ? number
  : Field extends TUnion<[TDateTime, TNull]>
    ? number | null | undefined
    : Static<Field>;

export type RecordOf<Fields extends TProperties> = {
  readonly [Name in keyof Fields as Camel<Name>]: SourceOf<Fields[Name]>;
};

/**
 * @param sourceOf puts beside a record what its view calls otherwise or computes
 * @returns what makes the view of a record, with the fields in the order of the schema
 */
export function viewer<Fields extends TProperties, Given extends readonly unknown[] = [RecordOf<Fields>]>(
  schema: TObject<Fields>,
  sourceOf?: (...given: Given) => RecordOf<Fields>,
) {
  const fields = Object.entries(schema.properties).map(([name, field]) => ({
    name,
    source: name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
    isTime: (field.anyOf?.[0] ?? field).format === "date-time",
  }));
  return (...given: Given): Static<TObject<Fields>> => {
    const values = (sourceOf ? sourceOf(...given) : given[0]) as Readonly<Record<string, unknown>>;
    const view: Record<string, unknown> = {};
    for (const { name, source, isTime } of fields)
      view[name] = isTime ? timeOrNull(values[source] as number | null) : values[source];
    return view as Static<TObject<Fields>>;
  };
}
