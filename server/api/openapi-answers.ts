// The shapes of answers, for the description of the API. Never applied to an answer; a test holds real answers against them.

import { type TProperties, type TSchema, Type } from "@sinclair/typebox";
import { ROLLOUT_STATES } from "../rollout/model.js";
import { RolloutBody } from "./rollout-schemas.js";

/** What a person may do with a rollout. */
export const COMMANDS = Object.freeze(["start", "approve", "pause", "resume", "promote", "cancel"] as const);
const Time = Type.String({ format: "date-time" });
const orNull = (schema: TSchema) => Type.Union([schema, Type.Null()]);
const Words = orNull(Type.String());
const Whole = Type.Integer();
const WholeOrNull = orNull(Type.Integer());
const NumberOrNull = orNull(Type.Number());

/** Whatever could not be done. */
export const ErrorAnswer = Type.Object({
  error: Type.String({ description: "A code for programs, such as ROLLOUT_UNKNOWN" }),
  message: Type.String({ description: "A sentence for people, with the numbers" }),
});

const Firmware = Type.Object({
  id: Whole,
  device_type: Type.String(),
  hardware: Type.String(),
  chip: Type.String(),
  version: Type.String(),
  build_number: Whole,
  filename: Type.String(),
  file_size: Type.Integer({ description: "Bytes" }),
  file_hash: Type.String({ description: "SHA-256 of the whole file" }),
  binary_path: Type.String(),
  md5: Words,
  is_signed: Type.Boolean(),
  image_sha256: Type.String({ description: "What a device that runs it reports" }),
  is_stable: Type.Boolean(),
  is_active: Type.Boolean(),
  min_current_version: Words,
  security_version: Whole,
  release_notes: Words,
  expires_at: orNull(Time),
  download_url: Type.String(),
  created_at: Time,
  updated_at: Time,
});
const Attempt = Type.Object({
  id: Whole,
  device_id: Type.String(),
  firmware_id: Whole,
  status: Type.String({ enum: ["pending", "downloading", "installing", "success", "failed"] }),
  outcome: orNull(
    Type.String({ enum: ["validated", "reported", "rolled_back", "failed", "superseded", "withdrawn"] }),
  ),
  step: Words,
  from_version: Words,
  from_build: WholeOrNull,
  bytes_downloaded: Whole,
  error_code: Words,
  error_message: Words,
  created_at: Time,
  updated_at: Time,
  finished_at: orNull(Time),
});
const deviceFields = {
  device_id: Type.String(),
  device_type: Type.String(),
  hardware: Words,
  chip: Words,
  current_version: Type.String(),
  current_build: Whole,
  image_sha256: Words,
  slot: Words,
  slot_state: Words,
  boot_count: WholeOrNull,
  reset_reason: Words,
  free_heap: WholeOrNull,
  rssi: WholeOrNull,
  uptime_seconds: NumberOrNull,
  temperature_c: NumberOrNull,
  humidity_percent: NumberOrNull,
  battery_percent: NumberOrNull,
  address: Words,
  first_seen: Time,
  last_seen: Time,
  tags: Type.Array(Type.String()),
  group: Words,
  pin: Words,
  status: Type.String({ enum: ["online", "late", "offline"] }),
  online: Type.Boolean(),
  state: Type.String({ enum: ["pending", "approved", "blocked"] }),
  uses_token: Type.Boolean(),
  interval_seconds: WholeOrNull,
};
const Reason = Type.Object({
  firmware_id: Whole,
  version: Type.String(),
  rollout_id: WholeOrNull,
  verdict: Type.String({ description: "A code, such as STAGE_AHEAD" }),
  sentence: Type.String(),
});
const Event = Type.Object({
  id: Whole,
  time: Time,
  kind: Type.String(),
  device_id: Words,
  firmware_id: WholeOrNull,
  update_id: WholeOrNull,
  message: Type.String(),
  detail: Type.Unknown(),
});
const User = Type.Object({
  name: Type.String(),
  role: Type.String({ enum: ["viewer", "operator", "admin"] }),
  is_active: Type.Boolean(),
  has_password: Type.Boolean(),
  created_at: Time,
  last_login_at: orNull(Time),
});
const Session = Type.Object({
  access_token: Type.Optional(Type.String()),
  token_type: Type.Optional(Type.Literal("Bearer")),
  expires_in: Type.Integer({ description: "Seconds" }),
  refresh_token: Type.Optional(Type.String({ description: "Good once" })),
  user: User,
});
const Check = Type.Object({
  update_available: Type.Boolean(),
  time: Type.Integer({ description: "Seconds since 1970" }),
  firmware_id: Type.Optional(Whole),
  version: Type.Optional(Type.String()),
  build_number: Type.Optional(Whole),
  file_size: Type.Optional(Type.Integer({ description: "Bytes" })),
  file_hash: Type.Optional(Type.String({ description: "SHA-256 of the whole file" })),
  md5: Type.Optional(Type.String()),
  download_url: Type.Optional(Type.String()),
  poll_seconds: Type.Optional(Type.Number({ description: "Until the next check" })),
  poll_is_for_all: Type.Optional(Type.Boolean()),
  orders: Type.Optional(Type.Array(Type.Unknown())),
  release: Type.Optional(Type.String({ description: "The signed manifest, compact JWS" })),
  device_token: Type.Optional(Type.String({ description: "The device's own, from now on" })),
});
const stageFields = RolloutBody.properties.stages.items.properties;
const rolloutFields = {
  // What a person said, or its default.
  ...Type.Required(RolloutBody).properties,
  target: Type.Object(RolloutBody.properties.target.properties),
  stages: Type.Array(Type.Object({ ...stageFields, device_count: WholeOrNull })),
  windows: orNull(RolloutBody.properties.windows),
  start_at: orNull(Time),
  max_concurrent: WholeOrNull,
  id: Whole,
  revision: Type.Integer({ description: "Counts the changes of its plan: what If-Match names" }),
  state: Type.String({ enum: [...ROLLOUT_STATES] }),
  reason: Type.String({ description: "Why it is in this state, for a person" }),
  stage: Type.Integer({ description: "Index of the newest stage that is open" }),
  stage_since: Time,
  created_by: Type.String(),
  edited_by: Words,
  approved_by: Words,
  created_at: Time,
  updated_at: Time,
  started_at: orNull(Time),
  ended_at: orNull(Time),
};
const Rollout = Type.Object(rolloutFields);
const Progress = Type.Object({
  ...rolloutFields,
  release: Type.String(),
  time: Time,
  tallies: Type.Array(
    Type.Object({
      given: Whole,
      updating: Whole,
      validated: Whole,
      soaked: Whole,
      failed: Whole,
      rolled_back: Whole,
      silent: Whole,
    }),
  ),
  next: Type.Object(
    { kind: Type.String(), reason: Type.String() },
    { description: "What it does now or waits for" },
  ),
});
const Plan = Type.Object({
  seed: Type.String(),
  device_count: Whole,
  excluded_count: Whole,
  bytes: Whole,
  stages: Type.Array(
    Type.Object({ name: Type.String(), device_count: Whole, bytes: Whole, earliest_at: orNull(Time) }),
  ),
  excluded_by: Type.Record(Type.String(), Whole, { description: "How many, by verdict" }),
  devices: Type.Array(
    Type.Object({
      device_id: Type.String(),
      stage: Whole,
      firmware_ids: Type.Array(Whole, { description: "One after the other: stepping stones first" }),
      bytes: Whole,
      earliest_at: orNull(Time),
    }),
  ),
  excluded: Type.Array(
    Type.Object({ device_id: Type.String(), verdict: Type.String(), sentence: Type.String() }),
  ),
  notes: Type.Array(Type.String()),
});
const listOf = (name: string, item: TSchema, more: TProperties = {}) =>
  Type.Object({ [name]: Type.Array(item), total: Whole, limit: Whole, offset: Whole, ...more });

/** Answers by method and path. */
export const ANSWERS: Readonly<Record<string, TSchema>> = Object.freeze({
  "POST /api/ota/check": Check,
  "POST /api/ota/status": Type.Object({ update_id: Whole, status: Type.String() }),
  "POST /api/ota/admin/upload": Firmware,
  "POST /api/ota/admin/firmware": Firmware,
  "GET /api/ota/admin/firmware": listOf("firmware", Firmware),
  "GET /api/ota/admin/firmware/:id": Type.Object({
    ...Firmware.properties,
    release: orNull(Type.String({ description: "The signed manifest, compact JWS" })),
  }),
  "PATCH /api/ota/admin/firmware/:id": Firmware,
  "DELETE /api/ota/admin/firmware/:id": Firmware,
  "GET /api/ota/admin/logs": listOf("logs", Attempt),
  "GET /api/devices": listOf("devices", Type.Object(deviceFields), {
    online_seconds: Type.Number(),
    time: Time,
  }),
  "GET /api/devices/:id": Type.Object({
    ...deviceFields,
    attempts: Type.Array(Attempt),
    rollouts: Type.Array(Type.Object({ rollout_id: Whole })),
    plan: Type.Array(Reason),
  }),
  "GET /api/devices/:id/why": Type.Object({
    device_id: Type.String(),
    summary: Type.String(),
    offer: orNull(Type.Object({ firmware_id: Whole, wanted_firmware_id: Whole, rollout_id: WholeOrNull })),
    answers: Type.Array(Reason),
  }),
  "GET /api/devices/:id/timeline": Type.Object({ device_id: Type.String(), events: Type.Array(Event) }),
  "GET /api/rollouts": listOf("rollouts", Rollout),
  "POST /api/rollouts": Rollout,
  "POST /api/rollouts/plan": Plan,
  "GET /api/rollouts/:id/plan": Plan,
  "POST /api/rollouts/:id/plan": Plan,
  "GET /api/rollouts/:id": Progress,
  "PATCH /api/rollouts/:id": Progress,
  ...Object.fromEntries(COMMANDS.map((kind) => [`POST /api/rollouts/:id/${kind}`, Progress])),
  "GET /api/users": listOf("users", User),
  "PATCH /api/users/:name": User,
  "POST /api/auth/login": Session,
  "POST /api/auth/refresh": Session,
});
