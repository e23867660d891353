// How routes about devices answer operators.

import { Type } from "@sinclair/typebox";
import type { EventView } from "../../../events/event-view.js";
import type { BulkAnswer } from "../../../shared/bulk-run.js";
import type { OrderView } from "../../device-order-routes.js";
import { MemberView as Member } from "../../rollout-views.js";
import type { DeviceView } from "../../views.js";
import {
  type Answers,
  created,
  listOf,
  named,
  numberOrNull,
  ok,
  oneOf,
  orNull,
  Refusal,
  resultsOf,
  shapeOf,
  text,
  textOrNull,
  time,
  timeOrNull,
  whole,
  wholeOrNull,
  yes,
} from "./parts.js";
import { interval, state, usesToken } from "./registration.js";
import { Attempt } from "./releases.js";

const SLOT_STATES = Object.freeze([
  "new",
  "pending_verify",
  "valid",
  "invalid",
  "aborted",
  "undefined",
  "factory",
] as const);
const labelFields = {
  tags: Type.Array(Type.String()),
  group: textOrNull(),
  pin: textOrNull("The only version that it is offered, such as 1.1.0 or 1.1.0+3"),
};
/** A device as it told of itself in its last check. Nothing answers with this alone. */
export const Told = shapeOf<DeviceView>()("ToldDevice", "A device, as it told of itself in its last check", {
  device_id: text(),
  device_type: text(),
  hardware: textOrNull("Its board"),
  chip: textOrNull("Such as esp32 or esp32s3"),
  current_version: text("What runs on it"),
  current_build: whole(),
  image_sha256: textOrNull("SHA-256 appended to the image that runs"),
  slot: textOrNull("Such as ota_0"),
  slot_state: orNull(oneOf(SLOT_STATES), "pending_verify: the image is on trial"),
  boot_count: wholeOrNull(),
  reset_reason: textOrNull("Why it started last"),
  free_heap: wholeOrNull("Bytes"),
  rssi: wholeOrNull("Signal of its Wi-Fi, dBm"),
  uptime_seconds: numberOrNull(),
  temperature_c: numberOrNull("Degrees Celsius"),
  humidity_percent: numberOrNull("Relative"),
  battery_percent: numberOrNull(),
  address: textOrNull("In its own network"),
  first_seen: time(),
  last_seen: time(),
});
const listedFields = {
  ...Told.properties,
  ...labelFields,
  status: oneOf(["online", "late", "offline"], "Judged by its own interval"),
  online: yes("Whether its status is online"),
  state,
  uses_token: usesToken,
  interval_seconds: interval,
};
const Device = named("Device", "A device, and what operators say of it", listedFields);
const Reason = named("Reason", "Why a device may have a release or not", {
  firmware_id: whole(),
  version: text(),
  rollout_id: wholeOrNull("null: the release alone is meant"),
  verdict: text("A code, such as STAGE_AHEAD"),
  sentence: text("For people"),
});
const Offer = named("Offer", "What its next check is offered", {
  firmware_id: whole(),
  wanted_firmware_id: whole("What it leads to: another one if this is a stepping stone"),
  rollout_id: wholeOrNull("null: it is offered without a rollout"),
});
const DeviceLabels = named("DeviceLabels", "What operators say of a device", {
  device_id: text(),
  ...labelFields,
});
const LabelCount = named("LabelCount", "A tag or a group", { name: text(), device_count: whole() });

export const Event = shapeOf<EventView>()("Event", "A line of the log", {
  id: whole(),
  time: time(),
  kind: text("Such as device.registered or update.failed"),
  device_id: textOrNull(),
  firmware_id: wholeOrNull(),
  update_id: wholeOrNull("The attempt that it is about"),
  message: text("For people"),
  detail: orNull(Type.Record(Type.String(), Type.Unknown()), "What there is to it, by kind"),
});

const Order = shapeOf<OrderView>()("Order", "Something that a device is to do besides updating", {
  id: whole("Of its device"),
  device_id: text(),
  kind: oneOf(["identify", "restart", "settings"]),
  settings: orNull(
    Type.Record(Type.String(), Type.Union([Type.String(), Type.Integer()])),
    "Of the kind settings: names and values",
  ),
  state: oneOf(["pending", "done", "refused", "withdrawn", "expired"]),
  reason: textOrNull("Why it was refused, in the device's words"),
  ordered_by: text(),
  created_at: time(),
  expires_at: time("Pending until then at most"),
  sent_at: timeOrNull("When an answer to the device brought it first"),
  ended_at: timeOrNull(),
});

const BulkResult = shapeOf<BulkAnswer>()("BulkResult", "What became of a part of the devices", {
  done: whole("Devices"),
  refused: Type.Array(Refusal),
  next: textOrNull("Where to go on, as `after`; null: these were the last"),
});

/** Of `/api/devices`. */
export const DEVICE_ANSWERS: Answers = Object.freeze({
  "GET /api/devices": ok(
    listOf("devices", Device, {
      online_seconds: Type.Number({
        description: "How long a device that tells no interval counts as online",
      }),
      time: time("The server's"),
    }),
  ),
  "GET /api/devices/labels": ok(
    Type.Object({ tags: Type.Array(LabelCount), groups: Type.Array(LabelCount) }),
  ),
  "POST /api/devices/labels": ok(
    Type.Object({
      changed: whole("Devices"),
      failed: whole("Devices"),
      devices: resultsOf(DeviceLabels),
    }),
  ),
  "GET /api/devices/:id": ok(
    named("DeviceDetail", "A device, its attempts and what it may have", {
      ...listedFields,
      attempts: Type.Array(Attempt, { description: "The newest first" }),
      rollouts: Type.Array(
        named("DeviceRollout", "A rollout that offered it something", {
          rollout_id: whole(),
          ...Member.properties,
        }),
      ),
      plan: Type.Array(Reason, { description: "Of every release, whether it may have it" }),
    }),
  ),
  "PATCH /api/devices/:id": ok(DeviceLabels),
  "GET /api/devices/:id/why": ok(
    Type.Object({
      device_id: text(),
      summary: text("For people"),
      offer: orNull(Offer, "null: it is offered nothing"),
      answers: Type.Array(Reason),
    }),
  ),
  "GET /api/devices/:id/timeline": ok(Type.Object({ device_id: text(), events: Type.Array(Event) })),
  "POST /api/devices/bulk": ok(BulkResult),
  "GET /api/devices/:id/orders": ok(Type.Object({ device_id: text(), orders: Type.Array(Order) })),
  "POST /api/devices/:id/orders": created(Order),
  "DELETE /api/devices/:id/orders/:order": ok(Order),
  "POST /api/devices/orders": ok(
    Type.Object({ ordered: whole("Devices"), failed: whole("Devices"), devices: resultsOf(Order) }),
  ),
});
