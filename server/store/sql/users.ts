// Users, their sessions and one-time links in SQL.

import type { Generated, Kysely, Selectable } from "kysely";
import type { Role } from "../../shared/permissions.js";
import { AlreadyExists } from "../errors.js";
import type { OneTimeLink, Session, User, UserStore } from "../users.js";
import { countOf } from "./count.js";
import type { SqlDialect } from "./dialect.js";
import { pageOf } from "./page.js";
import type { Tables } from "./tables.js";

export interface UserTable {
  id: Generated<number>;
  name: string;
  role: string;
  password_hash: string | null;
  is_active: number;
  created_at: number;
  updated_at: number;
  last_login_at: number | null;
}

export interface SessionTable {
  id: string;
  user_id: number;
  address: string;
  client: string;
  created_at: number;
  last_used_at: number;
  expires_at: number;
  refresh_hash: string;
  next_hash: string | null;
  next_at: number | null;
  ended_at: number | null;
  end_reason: string | null;
}

export interface LinkTable {
  hash: string;
  user_id: number | null;
  created_at: number;
  expires_at: number;
}

export function createUserStore(db: Kysely<Tables>, dialect: SqlDialect): UserStore {
  const removeLinks = async (userId: number | null) => {
    await db
      .deleteFrom("one_time_links")
      .where("user_id", userId === null ? "is" : "=", userId)
      .execute();
  };

  return {
    async addUser({ name, role, passwordHash, createdAt }) {
      try {
        const row = await db
          .insertInto("users")
          .values({
            name,
            role,
            password_hash: passwordHash,
            is_active: 1,
            created_at: createdAt,
            updated_at: createdAt,
          })
          .returningAll()
          .executeTakeFirstOrThrow();
        return toUser(row);
      } catch (error) {
        if (!dialect.isTaken(error)) throw error;
        throw new AlreadyExists(`user ${name} exists already`);
      }
    },

    async findUser(id) {
      const row = await db.selectFrom("users").selectAll().where("id", "=", id).executeTakeFirst();
      return row && toUser(row);
    },

    async findUserByName(name) {
      const row = await db.selectFrom("users").selectAll().where("name", "=", name).executeTakeFirst();
      return row && toUser(row);
    },

    listUsers(page) {
      return pageOf(db.selectFrom("users").selectAll().orderBy("name"), page, toUser);
    },

    countAdmins() {
      return countOf(db.selectFrom("users").where("role", "=", "admin").where("is_active", "=", 1));
    },

    async changeUser(id, changes, time) {
      const row = await db
        .updateTable("users")
        .set({
          updated_at: time,
          role: changes.role,
          password_hash: changes.passwordHash,
          is_active: changes.isActive === undefined ? undefined : Number(changes.isActive),
          last_login_at: changes.lastLoginAt,
        })
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirst();
      return row && toUser(row);
    },

    async addSession(session) {
      const row = await db
        .insertInto("sessions")
        .values({
          id: session.id,
          user_id: session.userId,
          address: session.address,
          client: session.client,
          created_at: session.createdAt,
          last_used_at: session.createdAt,
          expires_at: session.expiresAt,
          refresh_hash: session.refreshHash,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      return toSession(row);
    },

    async findSession(id) {
      const row = await db.selectFrom("sessions").selectAll().where("id", "=", id).executeTakeFirst();
      return row && toSession(row);
    },

    async listSessions(userId, time) {
      const rows = await db
        .selectFrom("sessions")
        .selectAll()
        .where("user_id", "=", userId)
        .where("ended_at", "is", null)
        .where("expires_at", ">", time)
        .orderBy("last_used_at", "desc")
        .orderBy("id")
        .execute();
      return rows.map(toSession);
    },

    async changeSession(id, changes) {
      const row = await db
        .updateTable("sessions")
        .set({
          id,
          last_used_at: changes.lastUsedAt,
          refresh_hash: changes.refreshHash,
          next_hash: changes.nextHash,
          next_at: changes.nextAt,
          ended_at: changes.endedAt,
          end_reason: changes.endReason,
        })
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirst();
      return row && toSession(row);
    },

    async endSessions(userId, time, reason, exceptId = "") {
      await db
        .updateTable("sessions")
        .set({ ended_at: time, end_reason: reason })
        .where("user_id", "=", userId)
        .where("ended_at", "is", null)
        .where("id", "!=", exceptId)
        .execute();
    },

    async removeSessions(expiredBefore) {
      await db.deleteFrom("sessions").where("expires_at", "<", expiredBefore).execute();
    },

    async putLink({ hash, userId, createdAt, expiresAt }) {
      await removeLinks(userId);
      await db
        .insertInto("one_time_links")
        .values({ hash, user_id: userId, created_at: createdAt, expires_at: expiresAt })
        .execute();
    },

    async findLink(hash) {
      const row = await db
        .selectFrom("one_time_links")
        .selectAll()
        .where("hash", "=", hash)
        .executeTakeFirst();
      return row && toLink(row);
    },

    removeLinks,
  };
}

const toUser = (row: Selectable<UserTable>): User => ({
  id: row.id,
  name: row.name,
  role: row.role as Role,
  passwordHash: row.password_hash,
  isActive: row.is_active !== 0,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  lastLoginAt: row.last_login_at,
});

const toSession = (row: Selectable<SessionTable>): Session => ({
  id: row.id,
  userId: row.user_id,
  address: row.address,
  client: row.client,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
  expiresAt: row.expires_at,
  refreshHash: row.refresh_hash,
  nextHash: row.next_hash,
  nextAt: row.next_at,
  endedAt: row.ended_at,
  endReason: row.end_reason,
});

const toLink = (row: Selectable<LinkTable>): OneTimeLink => ({
  hash: row.hash,
  userId: row.user_id,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
});
