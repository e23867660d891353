// Users, sessions, tokens and the audit log as clients see them: without any hash.

import { type Static, Type } from "@sinclair/typebox";
import { ROLES, SCOPE_NAMES } from "../shared/permissions.js";
import type { ApiToken } from "../store/api-tokens.js";
import type { AuditEntry } from "../store/audit.js";
import type { Session, User } from "../store/users.js";
import {
  boolean,
  dateTime,
  dateTimeOrNull,
  integer,
  list,
  named,
  oneOf,
  orNull,
  text,
  textOrNull,
} from "./fields.js";
import { viewer } from "./view.js";

export const role = oneOf(ROLES, "viewer reads, operator changes what devices run, admin everything");
const scopes = list(oneOf(SCOPE_NAMES), "What it allows");
const device_types = orNull(list(Type.String()), "Device types that may be seen and changed; null: all");

export const UserView = named("User", "A person who can sign in", {
  name: text(),
  role,
  is_active: boolean("false: disabled"),
  has_password: boolean("false: none is set yet"),
  created_at: dateTime(),
  last_login_at: dateTimeOrNull(),
});
export type UserView = Static<typeof UserView>;
export const viewUser = viewer(UserView, (user: User) => ({
  ...user,
  hasPassword: user.passwordHash !== null,
}));

const linkFields = {
  link: text("Path of the page that sets a password, with its secret; valid once"),
  link_expires_at: dateTime(),
};
export const LinkView = Type.Object(linkFields);
export const NewUserView = named("NewUser", "A user that was just added", {
  ...UserView.properties,
  link: Type.Optional(linkFields.link),
  link_expires_at: Type.Optional(linkFields.link_expires_at),
});

export const ActorView = named("Actor", "Who makes the request, and what they may do", {
  name: text("Readable, such as ada or ada (token ci)"),
  kind: oneOf(
    ["user", "token", "local", "here"],
    "local: the token in the data folder. here: a read from the server's own machine",
  ),
  role,
  scopes,
  device_types,
});
export type ActorView = Static<typeof ActorView>;
export const viewActor = viewer(ActorView);

export const SessionView = named("Session", "A session of a user", {
  id: text(),
  client: text("The client's User-Agent"),
  address: text(),
  created_at: dateTime(),
  last_used_at: dateTime(),
  expires_at: dateTime(),
  is_this_one: boolean("The session of this request"),
});
export type SessionView = Static<typeof SessionView>;
export const viewSession = viewer(SessionView, (session: Session, ownId: string | null) => ({
  ...session,
  isThisOne: session.id === ownId,
}));

export const TokenView = named("ApiToken", "A token for a program; its secret is shown only once", {
  id: integer(),
  name: text(),
  user: text("Its owner"),
  scopes,
  device_types,
  created_at: dateTime(),
  expires_at: dateTimeOrNull("null: never"),
  last_used_at: dateTimeOrNull(),
  revoked_at: dateTimeOrNull(),
});
export type TokenView = Static<typeof TokenView>;
export const viewToken = viewer(TokenView, (token: ApiToken, user: string) => ({ ...token, user }));

const changedFields = (description: string) =>
  orNull(Type.Unsafe<object>(Type.Record(Type.String(), Type.Unknown())), description);
export const AuditView = named("AuditLine", "A change, and who made it", {
  id: integer(),
  time: dateTime(),
  actor: text("Name of the actor"),
  actor_kind: text("Such as user, token or local"),
  address: text("Where the request came from; may be empty"),
  action: text("Such as firmware.changed"),
  subject: text("Such as firmware/3"),
  before: changedFields("The fields that differ, before; null: it did not exist"),
  after: changedFields("The fields that differ, after; null: it no longer exists"),
  undo: textOrNull(
    "What would be so after POST /api/audit/:id/undo; null: it cannot be undone there, or is not so any more",
  ),
});
export type AuditView = Static<typeof AuditView>;
export const viewAudit = viewer(AuditView, (entry: AuditEntry, undo: string | null) => ({ ...entry, undo }));

export const SignedInView = named(
  "SignedIn",
  "A new session; tokens are in the answer, or in cookies if requested",
  {
    access_token: Type.Optional(text("For Authorization: Bearer")),
    token_type: Type.Optional(Type.Literal("Bearer")),
    expires_in: integer("Seconds until the access token expires"),
    refresh_token: Type.Optional(
      text("Valid once: for POST /api/auth/refresh; absent: the one that was used stays valid"),
    ),
    user: UserView,
  },
);
export type SignedInView = Static<typeof SignedInView>;
