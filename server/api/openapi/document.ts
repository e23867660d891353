// Finishes the document that is generated from the routes' schemas.

import { mayBeLeftOut } from "./bodies.js";
import { nameSchemas } from "./names.js";

type Fields = Readonly<Record<string, unknown>>;
interface Parameter extends Fields {
  readonly required?: boolean;
  readonly schema?: Fields;
}
interface Operation extends Fields {
  readonly responses: Readonly<Record<string, Fields>>;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Fields & { readonly content: Readonly<Record<string, { readonly schema: Fields }>> };
}
/** The parts that are read here. */
export interface Document extends Fields {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: Fields;
}

/** Adds what the routes' schemas do not say: names of operations, and which body is optional. HEAD answers as GET, without a body. */
export function finishDocument({ paths = {}, ...document }: Document): Document {
  const components = new Map<string, Fields>();
  const finished = mapFields(paths, (operations, path) =>
    mapFields(operations, (operation, method) => {
      const whole = finishOperation(method.toUpperCase(), path, operation);
      return nameSchemas(whole, components) as Operation;
    }),
  );
  const schemas = Object.fromEntries([...components].sort());
  return { ...document, paths: finished, components: { ...document.components, schemas } };
}

const mapFields = <Value, Result>(
  fields: Readonly<Record<string, Value>>,
  map: (value: Value, name: string) => Result,
): Record<string, Result> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, map(value, name)]));

function finishOperation(
  method: string,
  path: string,
  { requestBody, parameters, ...operation }: Operation,
): Operation {
  const body = requestBody && Object.values(requestBody.content)[0]?.schema;
  return {
    ...operation,
    operationId: nameOf(method, path),
    ...(parameters ? { parameters: parameters.map(leaveToDefault) } : {}),
    ...(requestBody && body ? { requestBody: { ...requestBody, required: !mayBeLeftOut(body) } } : {}),
    ...(method === "HEAD" ? { responses: mapFields(operation.responses, withoutBody) } : {}),
  };
}

const withoutBody = ({ description }: Fields): Fields => ({ description });

/** A parameter with a default is optional. */
const leaveToDefault = (parameter: Parameter): Parameter =>
  parameter.schema?.default === undefined ? parameter : { ...parameter, required: false };

const nameOf = (method: string, url: string): string =>
  `${method}${url}`.replaceAll(/[^A-Za-z0-9]+/g, "_").replace(/_$/, "");
