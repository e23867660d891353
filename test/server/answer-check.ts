// Compares every answer that a server of the tests gives with the server's own description of it (OpenAPI): its status, its media type,
// and the shape of JSON, where an undescribed field is an error too.

import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import type { RouteOptions } from "fastify";

type Json = Readonly<Record<string, unknown>>;
interface Outcome {
  readonly description: string;
  readonly content?: Readonly<Record<string, { readonly schema: Json }>>;
}
export interface Operation extends Json {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, Outcome>>;
}
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Json };
}
/** What is wrong with a value; `undefined`: nothing. */
type Validator = (value: unknown) => string | undefined;

/** As the server writes it, to the millisecond. */
const isDateTime = (text: string): boolean =>
  !Number.isNaN(Date.parse(text)) && new Date(text).toISOString() === text;

/** Disallows unnamed fields. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  const isShape = inner.type === "object" && inner.properties !== undefined;
  return isShape && inner.additionalProperties === undefined
    ? { ...inner, additionalProperties: false }
    : inner;
}

/** The description, compiled to validators. */
export class Description {
  readonly #document: ApiDocument;
  readonly #components: unknown;
  readonly #ajv = new Ajv2020({
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    allErrors: false,
    formats: { "date-time": isDateTime, binary: true },
    keywords: ["components"],
  });
  readonly #validators = new Map<string, Validator>();

  constructor(document: ApiDocument) {
    this.#document = document;
    this.#components = closed(document.components);
  }

  /** @param path as routes name it, such as `/api/devices/:id` */
  find(method: string, path: string): Operation | undefined {
    return this.#document.paths[path.replaceAll(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()];
  }

  /** How an answer differs from the description; `undefined`: it does not. */
  validate(operation: Operation, status: number, mediaType: string, body: unknown): string | undefined {
    const { responses } = operation;
    const statusKey = responses[status] ? `${status}` : `${Math.floor(status / 100)}XX`;
    const outcome = responses[statusKey];
    if (!outcome) return `${status} is not described`;
    if (!outcome.content) return body === "" ? undefined : `${status} is described as empty`;
    const media = outcome.content[mediaType];
    if (!media) return `${status} is ${mediaType}, described as ${Object.keys(outcome.content).join(" or ")}`;
    if (mediaType !== "application/json" || typeof body !== "string") return undefined;
    return this.#validatorFor(`${operation.operationId} ${statusKey}`, media.schema)(JSON.parse(body));
  }

  #validatorFor(key: string, schema: Json): Validator {
    const known = this.#validators.get(key);
    if (known) return known;
    const validator = this.compile(schema);
    this.#validators.set(key, validator);
    return validator;
  }

  compile(schema: Json): Validator {
    const check = this.#ajv.compile({ ...(closed(schema) as Json), components: this.#components });
    return (value) => (check(value) ? undefined : check.errors?.map(say).join("; "));
  }
}

const say = ({ instancePath, message, params }: ErrorObject): string =>
  `${instancePath || "the answer"} ${message} ${JSON.stringify(params)}`;

/** All servers describe themselves alike. */
let described: Description | undefined;

/** The answers of one server. */
export class AnswerCheck {
  readonly faults: string[] = [];
  /** Operations that were answered successfully, such as `GET /api/devices/:id`. */
  readonly answered = new Set<string>();

  /** For createApp. */
  readonly onRoute = (route: RouteOptions): void => {
    route.onSend = [
      ...[route.onSend ?? []].flat(),
      (request, reply, payload, done) => {
        described ??= new Description(request.server.swagger() as unknown as ApiDocument);
        const operation = described.find(request.method, route.url);
        if (operation) {
          const key = `${request.method} ${route.url}`;
          const mediaType = `${reply.getHeader("content-type") ?? ""}`.split(";")[0] ?? "";
          const body = request.method === "HEAD" ? "" : (payload ?? "");
          const fault = described.validate(operation, reply.statusCode, mediaType, body);
          if (fault !== undefined) this.faults.push(`${key}: ${fault}`);
          else if (reply.statusCode < 400) this.answered.add(key);
        }
        done(null, payload);
      },
    ];
  };
}
