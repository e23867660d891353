// How routes about who may be a device, how it proves that, and about device types answer.

import { Type } from "@sinclair/typebox";
import type { describeIdentity } from "../../../devices/identity-changes.js";
import type { EnrolmentView, PolicyView } from "../../registration-views.js";
import type { TypeView } from "../../views.js";
import {
  type Answers,
  created,
  listed,
  named,
  ok,
  oneOf,
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

/** Fields that devices and their identities share. */
export const state = oneOf(
  ["pending", "approved", "blocked"],
  "pending: nobody has approved it. blocked: it is refused",
);
export const usesToken = yes("It has a token of its own, and must show it");
export const interval = wholeOrNull("Seconds between its checks, as it says itself");

const Identity = shapeOf<ReturnType<typeof describeIdentity>>()(
  "DeviceIdentity",
  "How a device proves who it is",
  {
    device_id: text(),
    device_type: text(),
    state,
    uses_token: usesToken,
    is_rotating: yes("It is given a new token with its next check"),
    interval_seconds: interval,
  },
);
const Policy = shapeOf<PolicyView>()(
  "RegistrationPolicy",
  "Who may register, and whether devices need tokens",
  {
    device_type: text("*: every type that has no policy of its own"),
    registration: oneOf(
      ["open", "enrolment", "approval"],
      "open: whoever asks. enrolment: with an enrolment token. approval: offered nothing before it is approved",
    ),
    tokens: oneOf(
      ["optional", "first-use", "required"],
      "first-use: from the moment when the device has used its own",
    ),
  },
);
const Enrolment = shapeOf<EnrolmentView>()("EnrolmentToken", "Lets new devices in", {
  id: whole(),
  name: text(),
  device_type: textOrNull("null: of any type"),
  max_use_count: wholeOrNull("null: any number of devices"),
  use_count: whole(),
  created_at: time(),
  expires_at: timeOrNull("null: never"),
  revoked_at: timeOrNull(),
});
const DeviceType = shapeOf<TypeView>()("DeviceType", "Which firmware the devices of a type take", {
  name: text(),
  kind: oneOf(
    ["signed", "legacy"],
    "signed: releases with a trusted manifest only. legacy: its devices know no signatures",
  ),
  created_at: time(),
  updated_at: time(),
});
/** Of types, registration, identities and enrolment. */
export const REGISTRATION_ANSWERS: Answers = Object.freeze({
  "GET /api/types": ok(listed("types", DeviceType)),
  "PUT /api/types/:name": ok(DeviceType),
  "GET /api/registration": ok(Type.Object({ default: Policy, policies: Type.Array(Policy) })),
  "PUT /api/registration/:type": ok(Policy),
  "DELETE /api/registration/:type": ok(Policy, "The policy that holds from now on"),
  "GET /api/device-identities": ok(
    Type.Object({ devices: Type.Array(Identity), total: whole("How many there are in all") }),
  ),
  "POST /api/device-identities/change": ok(Type.Object({ results: resultsOf(Identity) })),
  "POST /api/device-identities/:id/token": created(
    named("NewDeviceToken", "The device and its new token", {
      ...Identity.properties,
      token: text("Shown only now"),
    }),
  ),
  "GET /api/enrolment-tokens": ok(listed("enrolment_tokens", Enrolment)),
  "POST /api/enrolment-tokens": created(
    named("NewEnrolmentToken", "An enrolment token that was just made", {
      ...Enrolment.properties,
      token: text("Shown only now"),
    }),
  ),
  "DELETE /api/enrolment-tokens/:id": ok(Enrolment),
});
