// Who may register, how devices prove who they are, and the tokens that let new devices in, as clients see them.

import type { Static } from "@sinclair/typebox";
import {
  boolean,
  dateTime,
  dateTimeOrNull,
  integer,
  integerOrNull,
  named,
  oneOf,
  orNull,
  text,
  textOrNull,
} from "./fields.js";
import { viewer } from "./view.js";

/** Fields that devices and their identities share. */
export const state = oneOf(
  ["pending", "approved", "blocked"],
  "pending: not approved yet. blocked: it is refused",
);
export const usesToken = boolean("It has a token of its own, and must send it");
export const interval = integerOrNull("Seconds between its checks, as it reports");

export const vouchedFields = {
  vouched_how: orNull(
    oneOf(
      ["enrolment", "approval", "token"],
      "enrolment: it came with an enrolment token. approval: a person approved it. token: a person gave it its token",
    ),
    "null: nobody vouched for it; rollouts count it only if it was known before they began",
  ),
  vouched_by: textOrNull("The person, or the enrolment token's name"),
  vouched_at: dateTimeOrNull(),
};

/** As describeIdentity makes it. */
export const IdentityAnswer = named("DeviceIdentity", "How a device proves who it is", {
  device_id: text(),
  device_type: text(),
  state,
  uses_token: usesToken,
  is_rotating: boolean("It gets a new token with its next check"),
  interval_seconds: interval,
  ...vouchedFields,
});

export const REGISTRATIONS = ["open", "enrolment", "approval"] as const;
export const TOKEN_POLICIES = ["optional", "first-use", "required"] as const;
export const PolicyView = named("RegistrationPolicy", "Who may register, and whether devices need tokens", {
  device_type: text("*: every type without a policy of its own"),
  registration: oneOf(
    REGISTRATIONS,
    "open: any device. enrolment: with an enrolment token. approval: nothing is offered before an operator approves",
  ),
  tokens: oneOf(TOKEN_POLICIES, "first-use: required once the device has used its own"),
});
export type PolicyView = Static<typeof PolicyView>;
export const viewPolicy = viewer(PolicyView);

export const EnrolmentView = named("EnrolmentToken", "Lets new devices register", {
  id: integer(),
  name: text(),
  device_type: textOrNull("null: any type"),
  max_use_count: integerOrNull("null: any number of devices"),
  use_count: integer(),
  created_at: dateTime(),
  expires_at: dateTimeOrNull("null: never"),
  revoked_at: dateTimeOrNull(),
});
export type EnrolmentView = Static<typeof EnrolmentView>;
export const viewEnrolment = viewer(EnrolmentView);
