// What operators send about releases and attempts.

import { Type } from "@sinclair/typebox";
import { Status } from "./device-schemas.js";
import { Count, DeviceId, Id, Name, Page, Sha256, Text, VersionText } from "./schemas.js";

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

/** A name, and never a path, nor a file that is hidden or loses its end where it is saved. */
export const FILE_NAME = /^(?!\.)[A-Za-z0-9._+-]{1,128}(?<!\.)$/;

/** Fields beside the manifest. Those that the manifest contains too must agree with it. */
const firmwareFields = {
  device_type: Type.Optional(Name),
  hardware: Type.Optional(Name),
  chip: Type.Optional(Name),
  version: Type.Optional(VersionText),
  build_number: Type.Optional(Count),
  filename: Type.Optional(Type.String({ pattern: FILE_NAME.source })),
  min_current_version: Type.Optional(VersionText),
  is_stable: Type.Optional(Type.Boolean()),
  is_active: Type.Optional(Type.Boolean()),
  release_notes: Type.Optional(Text(4000)),
};
const legacy = Type.Optional(
  Type.Boolean({
    description:
      "true: make the device type legacy, so that it takes firmware without a manifest; needs settings:write",
  }),
);
export const RegisterBody = Type.Object({
  release: Type.Optional(Text(32 * 1024)),
  file_hash: Type.Optional(Sha256),
  file_size: Type.Optional(Type.Integer({ ...Count, description: "bytes; compared with the stored file" })),
  legacy,
  ...firmwareFields,
});
export const UploadFields = Type.Object({
  release: Type.Optional(Text(32 * 1024)),
  legacy,
  ...firmwareFields,
});
export const DeletionQuery = Type.Object({
  permanently: Type.Optional(Type.Boolean({ description: "true: it cannot be undone" })),
});
export const FirmwarePatch = Type.Object({
  is_stable: Type.Optional(Type.Boolean()),
  is_active: Type.Optional(Type.Boolean()),
  min_current_version: Type.Optional(Type.Union([VersionText, Type.Null()])),
  release_notes: Type.Optional(Type.Union([Text(4000), Type.Null()])),
});
