// Users, their sessions and one-time links in SQL.

import type { Kysely } from "kysely";
import { AlreadyExists } from "../errors.js";
import type { OneTimeLink, Session, User, UserStore } from "../users.js";
import { countOf } from "./count.js";
import type { SqlDialect } from "./database.js";
import { tableOf } from "./table.js";
import type { Tables } from "./tables.js";

const users = tableOf<User, "users">("users", { isActive: "flag" });
const sessions = tableOf<Session, "sessions">("sessions", {});
const links = tableOf<OneTimeLink, "one_time_links">("one_time_links", {});

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
        return await users.add(db, {
          name,
          role,
          passwordHash,
          isActive: true,
          createdAt,
          updatedAt: createdAt,
        });
      } catch (error) {
        if (!dialect.isTaken(error)) throw error;
        throw new AlreadyExists(`user ${name} exists already`);
      }
    },

    findUser: (id) => users.find(db, { id }),

    findUserByName: (name) => users.find(db, { name }),

    listUsers: (page) => users.page(users.select(db).orderBy("name"), page),

    countAdmins: () => countOf(db.selectFrom("users").where("role", "=", "admin").where("is_active", "=", 1)),

    changeUser: (id, changes, time) => users.change(db, { id }, { ...changes, updatedAt: time }),

    addSession: ({ id, userId, address, client, createdAt, expiresAt, refreshHash, refreshKey }) =>
      sessions.add(db, {
        id,
        userId,
        address,
        client,
        createdAt,
        lastUsedAt: createdAt,
        expiresAt,
        refreshHash,
        refreshKey,
      }),

    findSession: (id) => sessions.find(db, { id }),

    listSessions: (userId, time) =>
      sessions.list(
        sessions
          .select(db, { userId, endedAt: null })
          .where("expires_at", ">", time)
          .orderBy("last_used_at", "desc")
          .orderBy("id"),
      ),

    changeSession: (id, changes) => sessions.change(db, { id }, changes),

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
        .values(links.toRow({ hash, userId, createdAt, expiresAt }))
        .execute();
    },

    findLink: (hash) => links.find(db, { hash }),

    removeLinks,
  };
}
