// Releases, attempts and device types as clients see them: snake_case, times in ISO 8601.

import type { Static } from "@sinclair/typebox";
import type { Firmware, Update } from "../store/store.js";
import type { Context } from "./context.js";
import { UPDATE_STATUSES } from "./device-schemas.js";
import {
  boolean,
  dateTime,
  dateTimeOrNull,
  integer,
  named,
  oneOf,
  orNull,
  text,
  textOrNull,
} from "./fields.js";
import { viewer } from "./view.js";

export const FirmwareView = named("Firmware", "A release: an image and its metadata", {
  id: integer(),
  device_type: text(),
  hardware: text("The board that it is for"),
  chip: text("Such as esp32 or esp32s3"),
  version: text(),
  build_number: integer("Distinguishes builds of one version"),
  filename: text(),
  file_size: integer("Bytes"),
  file_hash: text("SHA-256 of the whole file, hex"),
  binary_path: text("Path of the file in the blob store"),
  md5: textOrNull("MD5 of the whole file, hex; null: it was uploaded to an older server"),
  is_signed: boolean("false: of a legacy type, whose devices do not check signatures"),
  image_sha256: text("SHA-256 appended to the image: what a device that runs it reports; may be empty"),
  is_stable: boolean("It may be offered without a rollout"),
  is_active: boolean("It may be downloaded"),
  min_current_version: textOrNull("Devices with an older version need an intermediate release first"),
  security_version: integer("Devices refuse one that is lower than their own"),
  release_notes: textOrNull(),
  expires_at: dateTimeOrNull("When its manifest expires; null: never"),
  download_url: text("Path on this host"),
  created_at: dateTime(),
  updated_at: dateTime(),
});
export type FirmwareView = Static<typeof FirmwareView>;
export const viewFirmware = viewer(FirmwareView, (firmware: Firmware, place: Place) => ({
  ...firmware,
  isSigned: firmware.release !== null,
  releaseNotes: firmware.notes,
  downloadUrl: downloadPath(place, firmware.id),
}));

export const SignedFirmwareView = named("FirmwareWithManifest", "A release with its signed manifest", {
  ...FirmwareView.properties,
  release: textOrNull("The signed manifest, compact JWS; null: not signed"),
});

/** How an attempt ended: `failed` on the wire may also mean that the server ended it, and `success` that a legacy device reported it. */
const ATTEMPT_OUTCOMES = [
  "validated",
  "reported",
  "rolled_back",
  "failed",
  "superseded",
  "withdrawn",
] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

export const UpdateView = named("Attempt", "One attempt to bring one release to one device", {
  id: integer(),
  device_id: text(),
  firmware_id: integer(),
  status: oneOf(UPDATE_STATUSES, "As the device reports it"),
  outcome: orNull(
    oneOf(ATTEMPT_OUTCOMES),
    "How it ended; reported: by a legacy device, unverified; superseded, withdrawn: the server ended it; null: in progress",
  ),
  step: textOrNull("The device's own, more detailed state, such as verified or trial"),
  from_version: text("What ran when it began"),
  from_build: integer(),
  bytes_downloaded: integer(),
  error_code: textOrNull(),
  error_message: textOrNull(),
  created_at: dateTime(),
  updated_at: dateTime(),
  finished_at: dateTimeOrNull("null: in progress"),
});
export type UpdateView = Static<typeof UpdateView>;
export const viewUpdate = viewer(UpdateView, (update: Update) => ({ ...update, outcome: outcomeOf(update) }));

function outcomeOf({ status, step, errorCode }: Update): AttemptOutcome | null {
  if (status === "success") return step === "reported" ? "reported" : "validated";
  if (status !== "failed") return null;
  if (errorCode === "ROLLED_BACK") return "rolled_back";
  if (errorCode === "SUPERSEDED") return "superseded";
  return errorCode === "WITHDRAWN" ? "withdrawn" : "failed";
}

export const TypeView = named("DeviceType", "Which firmware the devices of a type accept", {
  name: text(),
  kind: oneOf(
    ["signed", "legacy"],
    "signed: only releases with a trusted manifest. legacy: its devices do not check signatures",
  ),
  created_at: dateTime(),
  updated_at: dateTime(),
});
export type TypeView = Static<typeof TypeView>;
export const viewType = viewer(TypeView);

/** Where the server is on its host. */
export type Place = Pick<Context, "prefix">;

/** Where an image is. A device of a closed type names itself there; its credential goes in a header. */
export const downloadPath = ({ prefix }: Place, firmwareId: number, deviceId?: string): string =>
  `${prefix}/api/ota/download/${firmwareId}${deviceQuery(deviceId)}`;

/** Where the digests of its chunks are. */
export const digestsPath = ({ prefix }: Place, firmwareId: number, deviceId?: string): string =>
  `${prefix}/api/ota/download/${firmwareId}/digests${deviceQuery(deviceId)}`;

/** Where its signed manifest is. */
export const releasePath = ({ prefix }: Place, firmwareId: number, deviceId?: string): string =>
  `${prefix}/api/ota/download/${firmwareId}/release${deviceQuery(deviceId)}`;

const deviceQuery = (deviceId: string | undefined): string =>
  deviceId === undefined ? "" : `?device=${encodeURIComponent(deviceId)}`;
