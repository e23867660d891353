// The shapes of every request, as TypeBox schemas: what is not of such a shape never reaches a handler. Unknown fields of devices are
// allowed and ignored, so that newer ones can talk to an older server.

import { type ObjectOptions, type Static, type TProperties, type TSchema, Type } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { Value, type ValueError, ValueErrorType } from "@sinclair/typebox/value";
import type { FastifyInstance } from "fastify";
import {
  type CheckRequest,
  MAX_ORDER_COUNT,
  MAX_ORDER_REASON_LENGTH,
  type StatusRequest,
} from "../../firmware/core/wire.js";

/**
 * What people and their programs say: a field that is not known here is a slip of the pen, and left out in silence it could send an
 * update to everybody. Devices, and clients of other systems, may send more than is known.
 */
export const Exactly = <Fields extends TProperties>(fields: Fields, options: ObjectOptions = {}) =>
  Type.Object(fields, { ...options, additionalProperties: false });

export const DeviceId = Type.String({ pattern: "^[A-Za-z0-9._:-]{1,64}$" });
export const Name = Type.String({ pattern: "^[A-Za-z0-9._-]{1,64}$" });
/** Semantic, if it can be; firmware with any other version is older than every release. */
export const VersionText = Type.String({ pattern: "^[A-Za-z0-9.+_-]{1,48}$" });
/** Tags and groups: words of any language, without commas, so that they can be listed. */
export const Label = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[^\\s,\\u0000-\\u001f]([^,\\u0000-\\u001f]*[^\\s,\\u0000-\\u001f])?$",
});
const Count = Type.Integer({ minimum: 0, maximum: 0xffffffff });
/** Empty: the running image has no appended hash. */
const Sha256OrNone = Type.String({ pattern: "^([0-9a-fA-F]{64})?$" });
const Sha256 = Type.String({ pattern: "^[0-9a-f]{64}$" });
export const Text = (maxLength: number) => Type.String({ maxLength });
const SlotState = Type.Union(
  (["new", "pending_verify", "valid", "invalid", "aborted", "undefined", "factory"] as const).map((state) =>
    Type.Literal(state),
  ),
);
export const Status = Type.Union(
  (["pending", "downloading", "installing", "success", "failed"] as const).map((status) =>
    Type.Literal(status),
  ),
);

export const CheckBody = Type.Object({
  device_id: DeviceId,
  device_type: Name,
  current_version: VersionText,
  current_build: Count,
  hardware: Type.Optional(Name),
  chip: Type.Optional(Name),
  image_sha256: Type.Optional(Sha256OrNone),
  slot: Type.Optional(Name),
  slot_state: Type.Optional(SlotState),
  boot_count: Type.Optional(Count),
  reset_reason: Type.Optional(Text(32)),
  free_heap: Type.Optional(Count),
  rssi: Type.Optional(Type.Integer({ minimum: -200, maximum: 100 })),
  uptime_seconds: Type.Optional(Type.Number({ minimum: 0, maximum: 0xffffffff })),
  address: Type.Optional(Type.String({ pattern: "^[0-9A-Fa-f.:]{0,45}$" })),
  keeps_token: Type.Optional(
    Type.Boolean({
      description: "the device keeps a token that the answer brings, and sends it from then on",
    }),
  ),
  check_seconds: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 31_536_000, description: "how often it checks: by that it is late" }),
  ),
  temperature_c: Type.Optional(Type.Number({ minimum: -273.15, maximum: 1000 })),
  humidity_percent: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
  order_results: Type.Optional(
    Type.Array(
      Type.Object({
        id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
        result: Type.Union([Type.Literal("done"), Type.Literal("refused")]),
        reason: Type.Optional(Text(MAX_ORDER_REASON_LENGTH)),
      }),
      { maxItems: MAX_ORDER_COUNT, description: "what became of orders that an answer has brought" },
    ),
  ),
  battery_percent: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
});

export const StatusBody = Type.Object({
  device_id: DeviceId,
  firmware_id: Count,
  status: Status,
  bytes_downloaded: Type.Optional(Count),
  error_code: Type.Optional(Type.String({ pattern: "^[A-Z0-9_]{1,48}$" })),
  error_message: Type.Optional(Text(500)),
  image_sha256: Type.Optional(Sha256OrNone),
  slot_state: Type.Optional(SlotState),
  step: Type.Optional(Text(32)),
});

/** The largest integer that JavaScript and the databases represent exactly. */
export const MAX_SAFE_ID = Number.MAX_SAFE_INTEGER;
export const Id = Type.Integer({ minimum: 1, maximum: MAX_SAFE_ID });
export const IdParams = Type.Object({ id: Id });
/** What stands in the address of an image or a manifest: which device asks. Its token never does. */
export const AskingDevice = { device: Type.Optional(DeviceId) };
/** `direct`: the server itself sends the image, wherever others are sent. */
export const DownloadQuery = Type.Object({ direct: Type.Optional(Text(8)), ...AskingDevice });
export const FileQuery = Type.Object(AskingDevice);
export const ContentParams = Type.Object({ sha256: Sha256 });
export const DeviceParams = Type.Object({ id: DeviceId });

/** Fields of a query for a list: which part of it. */
export const Page = {
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 50 }),
  offset: Type.Integer({ minimum: 0, maximum: 1_000_000_000, default: 0 }),
};
export const PageQuery = Type.Object(Page);
/** Which devices. */
export const DeviceFilterFields = {
  type: Type.Optional(Name),
  version: Type.Optional(VersionText),
  tag: Type.Optional(Text(64)),
  group: Type.Optional(Text(64)),
  status: Type.Optional(Type.Union((["online", "late", "offline"] as const).map((one) => Type.Literal(one)))),
  search: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: "Part of the id" })),
};
export const DeviceQuery = Type.Object({
  ...DeviceFilterFields,
  order: Type.Optional(
    Type.Union([Type.Literal("seen"), Type.Literal("id")], {
      description: "seen: last seen first, the default; id: stays while one pages",
    }),
  ),
  ...Page,
});
export const FirmwareQuery = Type.Object({
  device_type: Type.Optional(Name),
  is_active: Type.Optional(Type.Boolean()),
  is_stable: Type.Optional(Type.Boolean()),
  ...Page,
});
export const LogsQuery = Type.Object({
  device_id: Type.Optional(DeviceId),
  firmware_id: Type.Optional(Id),
  status: Type.Optional(Status),
  ...Page,
});
export const EventsQuery = Type.Object({
  device_id: Type.Optional(DeviceId),
  kind: Type.Optional(Text(32)),
  before: Type.Optional(Id),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
});

/** What may be said about a firmware beside its manifest. Fields that the manifest tells too must agree with it. */
const firmwareFields = {
  device_type: Type.Optional(Name),
  hardware: Type.Optional(Name),
  chip: Type.Optional(Name),
  version: Type.Optional(VersionText),
  build_number: Type.Optional(Count),
  filename: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9._+-]{1,128}$" })),
  min_current_version: Type.Optional(VersionText),
  is_stable: Type.Optional(Type.Boolean()),
  is_active: Type.Optional(Type.Boolean()),
  release_notes: Type.Optional(Text(4000)),
};
export const RegisterBody = Type.Object({
  release: Type.Optional(Text(32 * 1024)),
  file_hash: Type.Optional(Sha256),
  ...firmwareFields,
});
export const UploadFields = Type.Object({ release: Type.Optional(Text(32 * 1024)), ...firmwareFields });
export const FirmwarePatch = Type.Object({
  is_stable: Type.Optional(Type.Boolean()),
  is_active: Type.Optional(Type.Boolean()),
  min_current_version: Type.Optional(Type.Union([VersionText, Type.Null()])),
  release_notes: Type.Optional(Type.Union([Text(4000), Type.Null()])),
});

/** Reads text fields (a query, a form) as the types that a schema wants. @returns the value or a sentence that says what is wrong */
export function parseText<Schema extends TSchema>(schema: Schema, value: unknown): Static<Schema> | string {
  const converted = Value.Default(schema, Value.Convert(schema, Value.Clone(value)));
  const [error] = Value.Errors(schema, converted);
  return error ? describe(error) : (converted as Static<Schema>);
}

/** Answers are sent as the routes return them: their schemas describe, they convert nothing. */
export function serializeAsJson(app: FastifyInstance): void {
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
}

/** Bodies are taken as they are, and one in which nothing has to be may be left out; parameters and queries are text and are converted first. */
export function validateWithTypeBox(app: FastifyInstance): void {
  app.setValidatorCompiler<TSchema>(({ schema, httpPart }) => {
    const compiled = TypeCompiler.Compile(schema);
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

/** What of a value is not of a schema, as a sentence. */
export function findFault(schema: TSchema, value: unknown): string | undefined {
  const [error] = Value.Errors(schema, value);
  return error && describe(error);
}

function describe(told: ValueError): string {
  const error = innermost(told);
  const field = error.path.slice(1).replaceAll("/", ".") || "body";
  if (error.type === ValueErrorType.ObjectAdditionalProperties) {
    const { properties = {} } = error.schema as { readonly properties?: object };
    return `${field} is not known; known here: ${Object.keys(properties).join(", ")}`;
  }
  const pattern = (error.schema as { readonly pattern?: string }).pattern;
  return pattern ? `${field} does not match ${pattern}` : `${field}: ${error.message.replace(/^E/, "e")}`;
}

/** Of a value that may also be null, what is wrong with it if it is not. */
function innermost(error: ValueError): ValueError {
  const { anyOf } = error.schema as { readonly anyOf?: readonly TSchema[] };
  const isNullable = anyOf?.length === 2 && anyOf[1]?.type === "null";
  const inner = isNullable && error.value !== null ? error.errors[0]?.First() : undefined;
  return inner ? innermost(inner) : error;
}

// The schemas are what the device's side calls these shapes: this line fails to compile when the two drift apart.
type Agree<Ours extends Theirs, Theirs> = Ours;
export type CheckInput = Agree<Static<typeof CheckBody>, CheckRequest>;
export type StatusInput = Agree<Static<typeof StatusBody>, StatusRequest>;
