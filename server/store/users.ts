// What the store remembers of people: users, where they are signed in, and the one-time links they were sent.

import type { Role } from "../shared/permissions.js";
import type { Page, Paged } from "./page.js";

export interface User {
  readonly id: number;
  /** Lower case, unique. */
  readonly name: string;
  readonly role: Role;
  /** As auth/password.ts writes it; `null`: none is set so far. */
  readonly passwordHash: string | null;
  /** A user who is not active may do nothing. */
  readonly isActive: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly lastLoginAt: number | null;
}

export type NewUser = Pick<User, "name" | "role" | "passwordHash" | "createdAt">;
export type UserChanges = Partial<Pick<User, "role" | "passwordHash" | "isActive" | "lastLoginAt">>;

/** One sign-in of one user in one place. Its refresh token changes with each use, see auth/sessions.ts. */
export interface Session {
  /** Random. */
  readonly id: string;
  readonly userId: number;
  readonly address: string;
  /** What the client calls itself. */
  readonly client: string;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly expiresAt: number;
  /** SHA-256 of the refresh token that was used or given out first. */
  readonly refreshHash: string;
  /** SHA-256 of its successor, given out at `nextAt` and not used so far. */
  readonly nextHash: string | null;
  readonly nextAt: number | null;
  /** Signs its refresh tokens; `null`: it began before there were such keys. */
  readonly refreshKey: string | null;
  /** When and why it ended; `null`: it goes on. */
  readonly endedAt: number | null;
  readonly endReason: string | null;
}

export type NewSession = Omit<Session, "lastUsedAt" | "nextHash" | "nextAt" | "endedAt" | "endReason">;
type SessionChanges = Partial<
  Pick<Session, "lastUsedAt" | "refreshHash" | "nextHash" | "nextAt" | "endedAt" | "endReason">
>;

/** A link whose holder may set a password, once. */
export interface OneTimeLink {
  /** SHA-256 of the secret in it. */
  readonly hash: string;
  /** For this user; `null`: it makes the first administrator. */
  readonly userId: number | null;
  readonly createdAt: number;
  readonly expiresAt: number;
}

export interface UserStore {
  /** @throws AlreadyExists if the name is taken */
  addUser(user: NewUser): Promise<User>;
  findUser(id: number): Promise<User | undefined>;
  findUserByName(name: string): Promise<User | undefined>;
  /** By name. */
  listUsers(page: Page): Promise<Paged<User>>;
  /** Administrators who are active. */
  countAdmins(): Promise<number>;
  changeUser(id: number, changes: UserChanges, time: number): Promise<User | undefined>;

  addSession(session: NewSession): Promise<Session>;
  findSession(id: string): Promise<Session | undefined>;
  /** Those of a user that go on, last used first. */
  listSessions(userId: number, time: number): Promise<readonly Session[]>;
  changeSession(id: string, changes: SessionChanges): Promise<Session | undefined>;
  /** Ends every session of a user but one. */
  endSessions(userId: number, time: number, reason: string, exceptId?: string): Promise<void>;
  /** Forgets those that expired before this time. */
  removeSessions(expiredBefore: number): Promise<void>;

  /** An older link for the same user, or for the first administrator, is forgotten. */
  putLink(link: OneTimeLink): Promise<void>;
  findLink(hash: string): Promise<OneTimeLink | undefined>;
  removeLinks(userId: number | null): Promise<void>;
}
