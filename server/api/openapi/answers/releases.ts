// How routes about releases and attempts answer.

import type { FirmwareView, UpdateView } from "../../views.js";
import {
  type Answers,
  created,
  hexSha256,
  listOf,
  named,
  ok,
  oneOf,
  orNull,
  shapeOf,
  text,
  textOrNull,
  time,
  timeOrNull,
  whole,
  yes,
} from "./parts.js";

export const ATTEMPT_STATUSES = Object.freeze([
  "pending",
  "downloading",
  "installing",
  "success",
  "failed",
] as const);

export const Firmware = shapeOf<FirmwareView>()("Firmware", "A release: an image and what is known of it", {
  id: whole(),
  device_type: text(),
  hardware: text("The board that it is for"),
  chip: text("Such as esp32 or esp32s3"),
  version: text(),
  build_number: whole("Tells two builds of one version apart"),
  filename: text(),
  file_size: whole("Bytes"),
  file_hash: hexSha256("SHA-256 of the whole file, hex"),
  binary_path: text("Where the file lies in the blob store"),
  md5: textOrNull("MD5 of the whole file, hex; null: an older server took it"),
  is_signed: yes("false: of a legacy type, whose devices know no signatures"),
  image_sha256: text("SHA-256 appended to the image: what a device that runs it reports; may be empty"),
  is_stable: yes("It may be offered without a rollout"),
  is_active: yes("It may be downloaded"),
  min_current_version: textOrNull("Devices with an older version need a stepping stone first"),
  security_version: whole("Devices refuse one that is lower than their own"),
  release_notes: textOrNull(),
  expires_at: timeOrNull("Its manifest is good until then; null: for good"),
  download_url: text("Path on this server"),
  created_at: time(),
  updated_at: time(),
});
const SignedFirmware = named("FirmwareWithManifest", "A release with its signed manifest", {
  ...Firmware.properties,
  release: textOrNull("The signed manifest, compact JWS; null: it is not signed"),
});

export const Attempt = shapeOf<UpdateView>()("Attempt", "One attempt to bring one release to one device", {
  id: whole(),
  device_id: text(),
  firmware_id: whole(),
  status: oneOf(ATTEMPT_STATUSES, "As the device tells it"),
  outcome: orNull(
    oneOf(["validated", "reported", "rolled_back", "failed", "superseded", "withdrawn"]),
    "How it ended; reported: a legacy device says so of itself; superseded, withdrawn: the server ended it; null: under way",
  ),
  step: textOrNull("The device's own, finer word, such as verified or trial"),
  from_version: text("What ran when it began"),
  from_build: whole(),
  bytes_downloaded: whole(),
  error_code: textOrNull(),
  error_message: textOrNull(),
  created_at: time(),
  updated_at: time(),
  finished_at: timeOrNull("null: under way"),
});

/** Of `/api/ota/admin`. */
export const RELEASE_ANSWERS: Answers = Object.freeze({
  "POST /api/ota/admin/upload": created(Firmware),
  "POST /api/ota/admin/firmware": created(Firmware),
  "GET /api/ota/admin/firmware": ok(listOf("firmware", Firmware)),
  "GET /api/ota/admin/firmware/:id": ok(SignedFirmware),
  "PATCH /api/ota/admin/firmware/:id": ok(Firmware),
  "DELETE /api/ota/admin/firmware/:id": ok(Firmware),
  "GET /api/ota/admin/logs": ok(listOf("logs", Attempt)),
});
