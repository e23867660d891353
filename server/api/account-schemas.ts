// Requests about users, sessions and tokens.

import { Type } from "@sinclair/typebox";
import { USER_NAME_PATTERN } from "../auth/accounts.js";
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH } from "../auth/password.js";
import { ROLES, SCOPE_NAMES, SCOPES } from "../shared/permissions.js";
import { choice, Exactly, Id, Name } from "./schemas.js";

const UserName = Type.String({
  pattern: USER_NAME_PATTERN,
  description: "2 to 64 lower case letters, digits and . _ @ -, such as ada or ada@example.com",
});
const RoleName = choice(ROLES, "viewer reads, operator changes what devices run, admin everything");
/** Only a length limit: the strength is checked together with the user's name. */
const NewPassword = Type.String({
  maxLength: 4 * MAX_PASSWORD_LENGTH,
  description: `${MIN_PASSWORD_LENGTH} to ${MAX_PASSWORD_LENGTH} characters`,
});
const Password = Type.String({ maxLength: 4 * MAX_PASSWORD_LENGTH });
const Secret = (description: string) => Type.String({ pattern: "^[A-Za-z0-9._-]{1,200}$", description });
const Cookie = Type.Optional(
  Type.Boolean({ description: "set HttpOnly cookies instead of answering with tokens: for web pages" }),
);
const DeviceTypes = Type.Array(Name, {
  minItems: 1,
  maxItems: 50,
  description: "device types that it may see and change; absent: all",
});

export const LoginBody = Type.Object(
  { name: Type.String({ maxLength: 128 }), password: Password, cookie: Cookie },
  { description: "A user's name and password" },
);
export const RefreshBody = Type.Object(
  { refresh_token: Type.Optional(Secret("absent: the one in the cookie")) },
  { description: "The refresh token of a session; the answer brings the next one" },
);
export const SessionParams = Type.Object({ id: Type.String({ pattern: "^[0-9a-f-]{36}$" }) });
export const PasswordBody = Type.Object(
  { current_password: Password, new_password: NewPassword },
  { description: "One's own password; every other session of the user ends" },
);
export const LinkBody = Type.Object({ token: Secret("the part of the link behind the #") });
export const UseLinkBody = Type.Object({
  token: Secret("the part of the link behind the #"),
  name: Type.Optional(UserName),
  password: NewPassword,
  cookie: Cookie,
});

export const UserParams = Type.Object({ name: UserName });
export const NewUserBody = Exactly({
  name: UserName,
  role: RoleName,
  password: Type.Optional(NewPassword),
});
export const UserPatch = Exactly({
  role: Type.Optional(RoleName),
  is_active: Type.Optional(Type.Boolean({ description: "false: may do nothing, and is signed out" })),
  password: Type.Optional(NewPassword),
});

export const TokenQuery = Type.Object({
  user: Type.Optional(UserName),
  all: Type.Optional(Type.Boolean({ description: "of every user; for administrators" })),
});
export const NewTokenBody = Exactly({
  name: Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$", description: "for people, such as ci" }),
  scopes: Type.Array(
    choice(
      SCOPE_NAMES,
      Object.entries(SCOPES)
        .map(([name, meaning]) => `${name}: ${meaning}`)
        .join("; "),
    ),
    { minItems: 1, maxItems: SCOPE_NAMES.length, uniqueItems: true },
  ),
  device_types: Type.Optional(DeviceTypes),
  expires_in_days: Type.Optional(
    Type.Union([Type.Integer({ minimum: 1, maximum: 3650 }), Type.Null()], {
      description: "90 if absent; null: never",
    }),
  ),
  user: Type.Optional(UserName),
});

const Time = Type.String({
  description: "such as 2026-11-21 or 2026-11-21T12:00:00Z",
  pattern: "^\\d{4}-\\d\\d-\\d\\d([T ][0-9:.]{4,12}(Z|[+-]\\d\\d:\\d\\d)?)?$",
});
export const AuditQuery = Type.Object({
  actor: Type.Optional(Type.String({ maxLength: 128 })),
  action: Type.Optional(
    Type.String({ maxLength: 64, description: "such as user.added, or user for all of them" }),
  ),
  subject: Type.Optional(
    Type.String({ maxLength: 160, description: "such as user/ada, or user for all of them" }),
  ),
  since: Type.Optional(Time),
  until: Type.Optional(Time),
  before: Type.Optional(Type.Integer({ ...Id, description: "id of the oldest entry that is known already" })),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
});
