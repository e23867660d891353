// How routes about people, their sessions and tokens, and the audit log answer.

import { Type } from "@sinclair/typebox";
import { ROLES, SCOPE_NAMES } from "../../../shared/permissions.js";
import type { ActorView, AuditView, TokenView, UserView, viewSession } from "../../account-views.js";
import {
  type Answers,
  created,
  listed,
  listOf,
  named,
  ok,
  oneOf,
  optional,
  orNull,
  shapeOf,
  text,
  textOrNull,
  time,
  timeOrNull,
  whole,
  wholeOrNull,
  yes,
} from "./parts.js";

const role = oneOf(ROLES, "viewer reads, operator changes what devices run, admin everything");
const scopes = Type.Array(oneOf(SCOPE_NAMES), { description: "What may be done" });
const deviceTypes = orNull(Type.Array(Type.String()), "Device types that may be changed; null: all");

const User = shapeOf<UserView>()("User", "A person who may sign in", {
  name: text(),
  role,
  is_active: yes("false: may do nothing"),
  has_password: yes("false: none is set so far"),
  created_at: time(),
  last_login_at: timeOrNull(),
});
const link = {
  link: text("Path of the page that sets a password, with its secret; good once"),
  link_expires_at: time(),
};
const NewUser = named("NewUser", "A user that was just added", {
  ...User.properties,
  link: optional(link.link),
  link_expires_at: optional(link.link_expires_at),
});
const Actor = shapeOf<ActorView>()("Actor", "Who asks, and what they may do", {
  name: text("For people, such as ada or ada (token ci)"),
  kind: oneOf(
    ["user", "token", "local", "here"],
    "local: the token in the data folder. here: a read from the server's own machine",
  ),
  role,
  scopes,
  device_types: deviceTypes,
});
const Session = shapeOf<ReturnType<typeof viewSession>>()("Session", "A place where one is signed in", {
  id: text(),
  client: text("What the client calls itself"),
  address: text(),
  created_at: time(),
  last_used_at: time(),
  expires_at: time(),
  is_this_one: yes("The request came with it"),
});
const ApiToken = shapeOf<TokenView>()("ApiToken", "What a program shows; the token itself is told once", {
  id: whole(),
  name: text(),
  user: text("Whose it is"),
  scopes,
  device_types: deviceTypes,
  created_at: time(),
  expires_at: timeOrNull("null: never"),
  last_used_at: timeOrNull(),
  revoked_at: timeOrNull(),
});
const facts = (description: string) => orNull(Type.Record(Type.String(), Type.Unknown()), description);
const AuditLine = shapeOf<AuditView>()("AuditLine", "Who changed what", {
  id: whole(),
  time: time(),
  actor: text("Their name"),
  actor_kind: text("Such as user, token or local"),
  address: text("Where the request came from; may be empty"),
  action: text("Such as firmware.changed"),
  subject: text("Such as firmware/3"),
  before: facts("The fields that differ, as they were; null: it was not there"),
  after: facts("The fields that differ, as they are; null: it is not there any more"),
});
const SignedIn = named(
  "SignedIn",
  "A new session; tokens are in the answer, or in cookies if that was asked for",
  {
    access_token: optional(text("For Authorization: Bearer")),
    token_type: optional(Type.Literal("Bearer")),
    expires_in: whole("Seconds until the access token ends"),
    refresh_token: optional(
      text("Good once: for POST /api/auth/refresh; absent: the one that was used is still good"),
    ),
    user: User,
  },
);

/** Of accounts and the audit log. */
export const ACCOUNT_ANSWERS: Answers = Object.freeze({
  "POST /api/auth/login": ok(SignedIn),
  "POST /api/auth/refresh": ok(SignedIn),
  "POST /api/auth/logout": ok(Type.Object({ signed_in: Type.Literal(false) })),
  "GET /api/auth/session": ok(
    Type.Object({
      actor: orNull(Actor, "null: nobody is signed in"),
      can_refresh: yes("There is a cookie with which POST /api/auth/refresh may help"),
    }),
  ),
  "GET /api/auth/me": ok(Actor),
  "POST /api/auth/password": ok(User),
  "GET /api/auth/sessions": ok(listed("sessions", Session)),
  "DELETE /api/auth/sessions/:id": ok(Type.Object({ ended: Type.Literal(true) })),
  "POST /api/setup/look": ok(
    Type.Object({
      purpose: oneOf(["password", "first-admin"]),
      name: textOrNull("Whose password it sets; null: the first administrator's, who has no name yet"),
      role,
      expires_at: time(),
    }),
  ),
  "POST /api/setup": ok(SignedIn),
  "GET /api/users": ok(listOf("users", User)),
  "POST /api/users": created(NewUser),
  "PATCH /api/users/:name": ok(User),
  "POST /api/users/:name/link": created(Type.Object(link)),
  "GET /api/tokens": ok(listed("tokens", ApiToken)),
  "POST /api/tokens": created(
    named("NewApiToken", "An API token that was just made", {
      ...ApiToken.properties,
      token: text("Shown only now"),
    }),
  ),
  "DELETE /api/tokens/:id": ok(ApiToken),
  "GET /api/audit": ok(
    Type.Object({
      entries: Type.Array(AuditLine, { description: "The newest first" }),
      next_before: wholeOrNull("Where to go on, as `before`; null: there were none"),
    }),
  ),
});
