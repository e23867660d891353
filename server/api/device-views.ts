// Devices, their orders and what the log says of them, as clients see them: snake_case, times in ISO 8601.

import { type Static, Type } from "@sinclair/typebox";
import type { Readings } from "../../firmware/core/wire.js";
import type { Outcome } from "../devices/changes.js";
import type { Seen } from "../events/live.js";
import type { Device, ReadingSample } from "../store/store.js";
import { AbilitiesView } from "./ability-schemas.js";
import { RefusedDevice } from "./answers.js";
import { ImageView } from "./content-views.js";
import { DEVICE_STATUSES, SLOT_STATES } from "./device-schemas.js";
import {
  boolean,
  dateTime,
  dateTimeOrNull,
  integer,
  integerOrNull,
  list,
  named,
  numberOrNull,
  oneOf,
  orNull,
  text,
  textOrNull,
} from "./fields.js";
import { interval, state, usesToken, vouchedFields } from "./registration-views.js";
import { UpdateView } from "./release-views.js";
import { MemberView } from "./rollout-views.js";
import { viewer } from "./view.js";

const readingFields = {
  temperature_c: numberOrNull("Degrees Celsius"),
  humidity_percent: numberOrNull("Relative"),
  battery_percent: numberOrNull(),
};
/** A device as it described itself in its last check. No answer consists of this alone. */
export const DeviceView = named("ToldDevice", "A device, as it described itself in its last check", {
  device_id: text(),
  device_type: text(),
  hardware: textOrNull("Its board"),
  chip: textOrNull("Such as esp32 or esp32s3"),
  current_version: text("What runs on it"),
  current_build: integer(),
  image_sha256: textOrNull("SHA-256 appended to the running image"),
  slot: textOrNull("Such as ota_0"),
  slot_state: orNull(oneOf(SLOT_STATES), "pending_verify: the image is on trial"),
  boot_count: integerOrNull(),
  reset_reason: textOrNull("Why it started last"),
  free_heap: integerOrNull("Bytes"),
  rssi: integerOrNull("Wi-Fi signal strength, dBm"),
  uptime_seconds: numberOrNull(),
  ...readingFields,
  root_version: integerOrNull("Of the trust root that it has; null: none, or it does not say"),
  is_frozen: boolean("It says that it has had no statement of freshness for two weeks"),
  frozen_since: dateTimeOrNull("Since when it says so; null: it does not"),
  address: textOrNull("In its own network"),
  first_seen: dateTime(),
  last_seen: dateTime(),
});
export type DeviceView = Static<typeof DeviceView>;
export const viewDevice = viewer(DeviceView, (device: Device) => ({
  ...device,
  deviceId: device.id,
  deviceType: device.type,
  isFrozen: device.frozenSince !== null,
  currentVersion: device.version,
  currentBuild: device.build,
  ...readingsOf(device.readings),
}));

const readingsOf = (readings: Readings | null) => ({
  temperatureC: readings?.temperature_c ?? null,
  humidityPercent: readings?.humidity_percent ?? null,
  batteryPercent: readings?.battery_percent ?? null,
});

export const ReadingSampleView = named("ReadingSample", "What the sensors of a device said at a time", {
  time: dateTime(),
  ...readingFields,
  rssi: integerOrNull("dBm"),
});
export type ReadingSampleView = Static<typeof ReadingSampleView>;
export const viewReadingSample = viewer(ReadingSampleView, ({ readings, ...sample }: ReadingSample) => ({
  ...sample,
  ...readingsOf(readings),
}));

/** What a check changes without being an event. */
const SeenView = Type.Object({
  device_id: text(),
  last_seen: dateTime(),
  free_heap: integerOrNull(),
  rssi: integerOrNull(),
  uptime_seconds: numberOrNull(),
  ...readingFields,
});
export type SeenView = Static<typeof SeenView>;
export const viewSeen = viewer(SeenView, (seen: Seen) => ({
  ...seen,
  deviceId: seen.id,
  ...readingsOf(seen.readings),
}));

const labelFields = {
  tags: list(Type.String()),
  group: textOrNull(),
  pin: textOrNull("The only version that it is offered, such as 1.1.0 or 1.1.0+3"),
};
export const LabelsView = named("DeviceLabels", "Tags, group and pin of a device", {
  device_id: text(),
  ...labelFields,
});
export const LabelCountView = named("LabelCount", "A tag or a group", {
  name: text(),
  device_count: integer(),
});
export const viewLabelCount = viewer(LabelCountView);

export const ListedDeviceView = named("Device", "A device, with its labels and its status", {
  ...DeviceView.properties,
  ...labelFields,
  status: oneOf(DEVICE_STATUSES, "By its own check interval"),
  online: boolean("Whether its status is online"),
  state,
  uses_token: usesToken,
  interval_seconds: interval,
  ...vouchedFields,
});

const Reason = Type.Object({
  firmware_id: integer(),
  version: text(),
  rollout_id: integerOrNull("null: the release without a rollout"),
  verdict: text("A code, such as STAGE_AHEAD"),
  sentence: text("For people"),
});
export const ReasonView = named("Reason", "Why a device may have a release or not", {
  ...Reason.properties,
  former_verdict: Type.Optional(text("The code before it was renamed, for one version")),
});
export const viewReason = viewer(Reason);
export const OfferView = named("Offer", "What its next check is offered", {
  firmware_id: integer(),
  wanted_firmware_id: integer("What it leads to: differs if this is an intermediate release"),
  rollout_id: integerOrNull("null: it is offered without a rollout"),
});

export const DeviceDetailView = named("DeviceDetail", "A device, its attempts and what it may have", {
  ...ListedDeviceView.properties,
  trust: Type.Object({
    newest_root: integerOrNull("Version of the newest trust root here; null: there is none"),
    stated_at: dateTimeOrNull("When the last statement of freshness was made for it; null: none was"),
  }),
  attributes: orNull(
    Type.Record(Type.String(), Type.String()),
    "What else a client of another system has said of itself; null: nothing",
  ),
  panel: orNull(
    named("Panel", "The panel of a device", {
      asked_at: dateTime("When it first asked for a picture"),
      etag: textOrNull("Of the picture that it has; null: none was there for it"),
      fetched_at: dateTimeOrNull("null: it had that already when it was asked about"),
      image: orNull(ImageView, "null: it was not uploaded here, or is deleted"),
    }),
    "null: it never asked for a picture",
  ),
  abilities: orNull(AbilitiesView, "null: it has told nothing, and may be ordered anything"),
  attempts: list(UpdateView, "Newest first"),
  rollouts: list(
    named("DeviceRollout", "A rollout that offered it something", {
      rollout_id: integer(),
      ...MemberView.properties,
    }),
  ),
  plan: list(ReasonView, "For every release, whether it may have it"),
});

export type DeviceDetailView = Static<typeof DeviceDetailView>;

export const RemovedDeviceView = named(
  "RemovedDevice",
  "A device that was removed, and whose history is kept",
  {
    device_id: text(),
    device_type: text(),
    version: text("What ran on it last"),
    first_seen: dateTime(),
    last_seen: dateTime(),
    removed_at: dateTime(),
    removed_by: text(),
  },
);
export type RemovedDeviceView = Static<typeof RemovedDeviceView>;
export const viewRemovedDevice = viewer(RemovedDeviceView);
export const RemovedDeviceDetail = named("RemovedDeviceDetail", "A removed device and its attempts", {
  ...RemovedDeviceView.properties,
  attempts: list(UpdateView, "Newest first"),
});

/** As viewEvent makes it. */
export const EventAnswer = named("Event", "A line of the log", {
  id: integer(),
  time: dateTime(),
  kind: text("Such as device.registered or update.failed"),
  device_id: textOrNull(),
  firmware_id: integerOrNull(),
  update_id: integerOrNull("The attempt that it is about"),
  message: text("For people"),
  detail: orNull(Type.Unsafe<object>(Type.Record(Type.String(), Type.Unknown())), "Details, by kind"),
});

export const OrderView = named("Order", "Something that a device is to do besides updating", {
  id: integer("Unique for its device"),
  device_id: text(),
  kind: oneOf(["identify", "restart", "settings"]),
  settings: orNull(
    Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
    "For settings: names and values",
  ),
  state: oneOf(["pending", "done", "refused", "withdrawn", "expired"]),
  reason: textOrNull("Why it was refused, as the device reports it"),
  ordered_by: text(),
  created_at: dateTime(),
  expires_at: dateTime("When a pending order expires"),
  sent_at: dateTimeOrNull("When it was first sent to the device"),
  ended_at: dateTimeOrNull(),
});
export type OrderView = Static<typeof OrderView>;
export const viewOrder = viewer(OrderView);

/** Of a change of many devices: a view of each, in their order, and how many were changed and refused. */
export function viewOutcomes<Result, View>(
  outcomes: readonly Outcome<Result>[],
  view: (result: Result, deviceId: string) => View,
) {
  const views = outcomes.map((one) => ("refusal" in one ? viewRefusal(one) : view(one.result, one.deviceId)));
  const refusedCount = outcomes.filter((one) => "refusal" in one).length;
  return { views, refusedCount, doneCount: views.length - refusedCount };
}
export const viewRefusal = ({ deviceId, refusal }: Extract<Outcome<unknown>, { refusal: unknown }>) => ({
  device_id: deviceId,
  error: refusal.code,
  message: refusal.message,
});

export const BulkAnswer = named("BulkResult", "The outcome of one part of the devices", {
  done: integer("Number of changed devices"),
  refused: list(RefusedDevice),
  next: textOrNull("Continue with this as `after`; null: these were the last"),
});
export type BulkAnswer = Static<typeof BulkAnswer>;
