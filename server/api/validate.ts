// Validates requests with TypeBox, and says in a sentence what is wrong with them. A request that does not match its schema never reaches
// a handler.

import type { Static, TSchema } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler";
import { Value, type ValueError, ValueErrorType } from "@sinclair/typebox/value";
import type { FastifyInstance } from "fastify";

/** Converts text fields (of a query or a form) to the types of a schema. @returns the value, or a sentence that says what is wrong */
export function parseText<Schema extends TSchema>(schema: Schema, value: unknown): Static<Schema> | string {
  const converted = Value.Default(schema, Value.Convert(schema, Value.Clone(value)));
  const [error] = Value.Errors(schema, converted);
  return error ? describe(error) : (converted as Static<Schema>);
}

/** Answers are sent as the routes return them: their schemas describe, they convert nothing. */
export function serializeAsJson(app: FastifyInstance): void {
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
}

/** Bodies are not converted, and may be absent if they have no required fields; parameters and queries are text and are converted first. */
export function validateWithTypeBox(app: FastifyInstance): void {
  app.setValidatorCompiler<TSchema>(({ schema, httpPart }) => {
    const compiled = compile(schema);
    const mayBeAbsent = compiled.Check({});
    return (data: unknown) => {
      const value =
        httpPart === "body"
          ? (data ?? (mayBeAbsent ? {} : data))
          : Value.Default(schema, Value.Convert(schema, Value.Clone(data)));
      if (compiled.Check(value)) return { value };
      const error = compiled.Errors(value).First();
      const message = error ? describe(error) : "does not have the expected shape";
      return { error: new Error(httpPart === "body" ? message : `${httpPart}: ${message}`) };
    };
  });
}

const checks = new WeakMap<TSchema, TypeCheck<TSchema>>();

/** Once for each schema: several routes share some, and a process may have several servers. */
function compile(schema: TSchema): TypeCheck<TSchema> {
  const check = checks.get(schema) ?? TypeCompiler.Compile(schema);
  checks.set(schema, check);
  return check;
}

/** How a value violates a schema, as a sentence. */
export function findFault(schema: TSchema, value: unknown): string | undefined {
  const [error] = Value.Errors(schema, value);
  return error && describe(error);
}

function describe(outer: ValueError): string {
  const error = innermost(outer);
  const field = error.path.slice(1).replaceAll("/", ".") || "body";
  if (error.type === ValueErrorType.ObjectAdditionalProperties) {
    const { properties = {} } = error.schema as { readonly properties?: object };
    return `${field} is not known; known here: ${Object.keys(properties).join(", ")}`;
  }
  const pattern = (error.schema as { readonly pattern?: string }).pattern;
  return pattern ? `${field} does not match ${pattern}` : `${field}: ${error.message.replace(/^E/, "e")}`;
}

/** The error of a nullable value that is not null. */
function innermost(error: ValueError): ValueError {
  const { anyOf } = error.schema as { readonly anyOf?: readonly TSchema[] };
  const isNullable = anyOf?.length === 2 && anyOf[1]?.type === "null";
  const inner = isNullable && error.value !== null ? error.errors[0]?.First() : undefined;
  return inner ? innermost(inner) : error;
}
