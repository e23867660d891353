// Answers to devices: to a check, a registration, a heartbeat.

import { type Static, Type } from "@sinclair/typebox";
import { DeviceView } from "./device-views.js";
import { boolean, integer, list, named, number, oneOf, text } from "./fields.js";

export const serverTime = integer("The server's time, seconds since 1970");
export const pollSeconds = number("Until the next check");
const deviceToken = text("A new token for the device, to be sent from now on");

const OrderForDevice = named("GivenOrder", "Something to do besides updating", {
  id: integer("For order_results"),
  kind: text("identify, restart, settings; others are to be refused"),
  settings: Type.Optional(
    Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
      description: "Names and values",
    }),
  ),
});
const commonFields = {
  time: serverTime,
  poll_seconds: Type.Optional(pollSeconds),
  poll_is_for_all: Type.Optional(boolean("It overrides the interval that the device's owner has set")),
  root_url: Type.Optional(text("Where the trust root after the device's own is: path on this server")),
  orders: Type.Optional(list(OrderForDevice)),
  tell_abilities: Type.Optional(
    boolean("What has the digest in its check is not known here: to be sent to POST /api/ota/abilities"),
  ),
  device_token: Type.Optional(deviceToken),
};
export const NoUpdateView = named("NoUpdate", "There is nothing newer for the device", {
  update_available: Type.Literal(false),
  ...commonFields,
});
export const UpdateOfferView = named("UpdateOffer", "The device is to install this", {
  update_available: Type.Literal(true),
  ...commonFields,
  firmware_id: integer("For POST /api/ota/status"),
  version: text(),
  build_number: integer(),
  file_size: integer("Bytes"),
  file_hash: text("SHA-256 of the whole file, hex"),
  download_url: text("Path on this host"),
  digests_url: Type.Optional(
    text("Path on this server: the SHA-256 of each chunk, with ranges; only for manifests of format 2"),
  ),
  release: Type.Optional(text("The signed manifest, compact JWS; absent for legacy types")),
  md5: Type.Optional(text("Of the whole file, hex")),
});
/** Only clients that do not check signatures are offered firmware without one. */
export type CheckAnswer = Static<typeof NoUpdateView> | Static<typeof UpdateOfferView>;

export const RegisteredView = named("Registered", "The device as it is known now", {
  ...DeviceView.properties,
  state: oneOf(["pending", "approved", "blocked"]),
  device_token: Type.Optional(deviceToken),
  time: serverTime,
});
