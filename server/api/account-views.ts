// Users, sessions and tokens as clients see them: without any hash.

import type { Actor } from "../shared/actor.js";
import { time, timeOrNull } from "../shared/iso-time.js";
import type { ApiToken } from "../store/api-tokens.js";
import type { AuditEntry } from "../store/audit.js";
import type { Session, User } from "../store/users.js";

export const viewUser = (user: User) => ({
  name: user.name,
  role: user.role,
  is_active: user.isActive,
  has_password: user.passwordHash !== null,
  created_at: time(user.createdAt),
  last_login_at: timeOrNull(user.lastLoginAt),
});

export const viewActor = (actor: Actor) => ({
  name: actor.name,
  kind: actor.kind,
  role: actor.role,
  scopes: actor.scopes,
  device_types: actor.deviceTypes,
});

export const viewSession = (session: Session, ownId: string | null) => ({
  id: session.id,
  client: session.client,
  address: session.address,
  created_at: time(session.createdAt),
  last_used_at: time(session.lastUsedAt),
  expires_at: time(session.expiresAt),
  is_this_one: session.id === ownId,
});

export const viewToken = (token: ApiToken, owner: string) => ({
  id: token.id,
  name: token.name,
  user: owner,
  scopes: token.scopes,
  device_types: token.deviceTypes,
  created_at: time(token.createdAt),
  expires_at: timeOrNull(token.expiresAt),
  last_used_at: timeOrNull(token.lastUsedAt),
  revoked_at: timeOrNull(token.revokedAt),
});

export const viewAudit = (entry: AuditEntry) => ({
  id: entry.id,
  time: time(entry.time),
  actor: entry.actor,
  actor_kind: entry.actorKind,
  address: entry.address,
  action: entry.action,
  subject: entry.subject,
  before: entry.before,
  after: entry.after,
});

export type UserView = ReturnType<typeof viewUser>;
export type ActorView = ReturnType<typeof viewActor>;
export type TokenView = ReturnType<typeof viewToken>;
export type AuditView = ReturnType<typeof viewAudit>;
