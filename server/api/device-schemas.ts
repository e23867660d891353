// What devices send, and what operators send about devices. Unknown fields of devices are allowed and ignored.

import { type Static, Type } from "@sinclair/typebox";
import {
  type CheckRequest,
  MAX_ORDER_COUNT,
  MAX_ORDER_REASON_LENGTH,
  MAX_ROOT_REFUSED_LENGTH,
  type StatusRequest,
} from "../../firmware/core/wire.js";
import { MAX_TAG_COUNT } from "../devices/labels.js";
import { oneOf } from "./fields.js";
import {
  Count,
  DeviceId,
  Exactly,
  Id,
  Label,
  literals,
  Name,
  Page,
  Sha256,
  Text,
  VersionText,
} from "./schemas.js";

export const SLOT_STATES = [
  "new",
  "pending_verify",
  "valid",
  "invalid",
  "aborted",
  "undefined",
  "factory",
] as const;
export const UPDATE_STATUSES = ["pending", "downloading", "installing", "success", "failed"] as const;
export const DEVICE_STATUSES = ["online", "late", "offline"] as const;
const MAX_DEVICE_COUNT = 1000;

const SlotState = literals(SLOT_STATES);
export const Status = literals(UPDATE_STATUSES);
/** Empty: the running image has no appended hash. */
const Sha256OrNone = Type.String({ pattern: "^([0-9a-fA-F]{64})?$" });

const ReportingDevice = Type.String({ ...DeviceId, description: "an integer is read as its text" });

export const CheckBody = Type.Object({
  device_id: ReportingDevice,
  device_type: Name,
  current_version: VersionText,
  current_build: Type.Integer({ ...Count, description: "0 where it is left out" }),
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
  staged_sha256: Type.Optional(
    Type.String({
      ...Sha256OrNone,
      description: "of the image that is staged: complete, and started at a later word",
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
  abilities_digest: Type.Optional(
    Type.String({
      pattern: "^[A-Za-z0-9_-]{1,64}$",
      description: "of what POST /api/ota/abilities tells: another one when that has changed",
    }),
  ),
  root_version: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 0xffffffff, description: "of the trust root that the device has" }),
  ),
  root_refused: Type.Optional(
    Type.String({
      maxLength: MAX_ROOT_REFUSED_LENGTH,
      description: "why it has refused the trust root that the last answer named",
    }),
  ),
  frozen: Type.Optional(Type.Boolean({ description: "it has had no statement of freshness for two weeks" })),
});

export const StatusBody = Type.Object({
  device_id: ReportingDevice,
  firmware_id: Count,
  status: Status,
  bytes_downloaded: Type.Optional(Count),
  error_code: Type.Optional(Type.String({ pattern: "^[A-Z0-9_]{1,48}$" })),
  error_message: Type.Optional(Text(500)),
  image_sha256: Type.Optional(Sha256OrNone),
  slot_state: Type.Optional(SlotState),
  step: Type.Optional(Text(32)),
});

// Fails to compile where a schema and the type that the firmware uses for it differ.
type Agree<Ours extends Theirs, Theirs> = Ours;
export type CheckInput = Agree<Static<typeof CheckBody>, CheckRequest>;
/** @public only compared by the compiler */
export type StatusInput = Agree<Static<typeof StatusBody>, StatusRequest>;

/** Which device asks, in the URL of an image or a manifest. Its token never stands there. */
export const AskingDevice = { device: Type.Optional(DeviceId) };
/** `direct`: the server sends the image itself, without a redirect. */
export const DownloadQuery = Type.Object({ direct: Type.Optional(Text(8)), ...AskingDevice });
export const FileQuery = Type.Object(AskingDevice);
export const ContentParams = Type.Object({ sha256: Sha256 });

export const DeviceFilterFields = {
  type: Type.Optional(Name),
  version: Type.Optional(VersionText),
  tag: Type.Optional(Text(64)),
  group: Type.Optional(Text(64)),
  status: Type.Optional(literals(DEVICE_STATUSES)),
  vouched: Type.Optional(
    Type.Union([Type.Literal("yes"), Type.Literal("no")], {
      description: "no: devices that nobody vouched for",
    }),
  ),
  root: Type.Optional(
    oneOf(
      ["behind", "frozen"],
      "behind: devices whose trust root is older than the newest; frozen: those that say that they have had no statement of freshness for two weeks",
    ),
  ),
  search: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 64,
      description: "Part of the id, the address, the group or a tag",
    }),
  ),
};
export const DeviceQuery = Type.Object({
  ...DeviceFilterFields,
  order: Type.Optional(
    oneOf(
      ["seen", "id", "type", "version", "group", "battery", "signal"],
      "seen: last seen first, the default; id: stable while paging; version: the oldest first, by number; group: those in none last; battery, signal: the weakest first, those without last",
    ),
  ),
  ...Page,
});
const beforeEvent = {
  before: Type.Optional(Type.Integer({ ...Id, description: "Only events older than this one" })),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
};
export const TimelineQuery = Type.Object(beforeEvent);
export const EventsQuery = Type.Object({
  device_id: Type.Optional(DeviceId),
  kind: Type.Optional(Text(32)),
  ...beforeEvent,
});

const Tags = (description: string) =>
  Type.Optional(Type.Array(Label, { maxItems: MAX_TAG_COUNT, description }));
const labelChanges = {
  tags: Tags("Replaces all its tags"),
  add_tags: Tags("Added to its tags"),
  remove_tags: Tags("Removed from its tags"),
  group: Type.Optional(Type.Union([Label, Type.Null()])),
  pin: Type.Optional(
    Type.Union([
      Type.String({
        maxLength: 48,
        description: "The only version that it is offered; null removes the pin",
      }),
      Type.Null(),
    ]),
  ),
};
export const DevicePatch = Exactly(labelChanges, { description: "Tags, group and pin of a device" });
export const DevicesPatch = Exactly(
  { devices: Type.Array(DeviceId, { minItems: 1, maxItems: MAX_DEVICE_COUNT }), ...labelChanges },
  { description: "The same for many devices; each is changed or refused separately" },
);
