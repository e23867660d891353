// Prepares the schemas of the document for client generators: a schema with a title becomes a component, so that generators make one
// type of it however often it occurs.

type Json = unknown;
type Fields = Readonly<Record<string, Json>>;

const isFields = (value: Json): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Replaces titled schemas by references. @returns the part without them, and adds them to `components` */
export function nameSchemas(part: Json, components: Map<string, Fields>): Json {
  if (Array.isArray(part)) return part.map((item) => nameSchemas(item, components));
  if (!isFields(part)) return part;
  const inner = simplify(
    Object.fromEntries(Object.entries(part).map(([key, value]) => [key, nameSchemas(value, components)])),
  );
  const { title, ...schema } = inner;
  if (typeof title !== "string" || schema.type !== "object") return inner;
  const known = components.get(title);
  if (known && JSON.stringify(known) !== JSON.stringify(schema))
    throw new Error(`two different schemas of the API are called ${title}`);
  components.set(title, schema);
  return { $ref: `#/components/schemas/${title}` };
}

/** Writes a union of words as an enum, and a nullable schema as a type with null: generators handle these better than anyOf. */
function simplify(schema: Fields): Fields {
  const { anyOf, ...rest } = schema;
  if (!Array.isArray(anyOf)) return schema;
  const words = anyOf.flatMap((each) => each.enum ?? [each.const]);
  if (words.every((word) => typeof word === "string")) return { ...rest, type: "string", enum: words };
  const { type, enum: values, ...first } = anyOf[0] as Fields;
  if (anyOf.length !== 2 || anyOf[1].type !== "null" || typeof type !== "string") return schema;
  const orNull = { ...first, ...rest, type: [type, "null"] };
  return Array.isArray(values) ? { ...orNull, enum: [...values, null] } : orNull;
}
