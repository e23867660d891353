// How routes that devices themselves use answer.

import { Type } from "@sinclair/typebox";
import { Told } from "./devices.js";
import {
  type Answers,
  created,
  DIGESTS_FILE,
  hexSha256,
  IMAGE_FILE,
  named,
  ok,
  oneOf,
  optional,
  text,
  whole,
  yes,
} from "./parts.js";
import { ATTEMPT_STATUSES } from "./releases.js";

const now = whole("The server's time, seconds since 1970");
const pollSeconds = Type.Number({ description: "Until the next check" });
const deviceToken = text("The device's own token: to be shown from now on");

const GivenOrder = named("GivenOrder", "Something to do besides updating", {
  id: whole("To be named in order_results"),
  kind: text("identify, restart, settings; others are to be refused"),
  settings: optional(
    Type.Record(Type.String(), Type.Union([Type.String(), Type.Integer()]), {
      description: "Names and values",
    }),
  ),
});
const answerFields = {
  time: now,
  poll_seconds: optional(pollSeconds),
  poll_is_for_all: optional(yes("It overrides what a device's own user has set")),
  orders: optional(Type.Array(GivenOrder)),
  device_token: optional(deviceToken),
};
const NoUpdate = named("NoUpdate", "There is nothing newer for the device", {
  update_available: Type.Literal(false),
  ...answerFields,
});
const UpdateOffer = named("UpdateOffer", "The device is to install this", {
  update_available: Type.Literal(true),
  ...answerFields,
  firmware_id: whole("To be named in POST /api/ota/status"),
  version: text(),
  build_number: whole(),
  file_size: whole("Bytes"),
  file_hash: hexSha256("SHA-256 of the whole file, hex"),
  download_url: text("Path on this server"),
  digests_url: optional(
    text("Path on this server: the SHA-256 of each chunk, with ranges; where the manifest is of format 2"),
  ),
  release: optional(text("The signed manifest, compact JWS; absent: of a legacy type")),
  md5: optional(text("Of the whole file, hex")),
});
const Registered = named("Registered", "The device as it is known now", {
  ...Told.properties,
  state: oneOf(["pending", "approved", "blocked"]),
  device_token: optional(deviceToken),
  time: now,
});

/** Of devices' own routes. */
export const WIRE_ANSWERS: Answers = Object.freeze({
  "POST /api/ota/check": ok(Type.Union([NoUpdate, UpdateOffer])),
  "POST /api/ota/status": ok(
    Type.Object({ update_id: whole("The attempt"), status: oneOf(ATTEMPT_STATUSES) }),
  ),
  "GET /api/ota/download/:id": IMAGE_FILE,
  "GET /api/ota/download/:id/digests": DIGESTS_FILE,
  "GET /api/ota/files/:sha256": IMAGE_FILE,
  "POST /api/devices/register": {
    ...ok(Registered, "It was known"),
    ...created(Registered, "It is known from now on"),
  },
  "POST /api/devices/:id/heartbeat": ok(Type.Object({ time: now, poll_seconds: optional(pollSeconds) })),
});
