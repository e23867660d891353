// Users, their sessions and one-time links in SQL.

import type { Kysely } from "kysely";
import { AlreadyExists } from "../errors.js";
import type { OneTimeLink, Session, User, UserStore } from "../users.js";
import { countOf } from "./count.js";
import type { SqlDialect } from "./database.js";
import { pageOf } from "./page.js";
import { recordsOf } from "./rows.js";
import type { Tables } from "./tables.js";

const users = recordsOf<User>({ isActive: "flag" });
const sessions = recordsOf<Session>({});
const links = recordsOf<OneTimeLink>({});

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
        return await users.one(
          db
            .insertInto("users")
            .values(
              users.toRow({ name, role, passwordHash, isActive: true, createdAt, updatedAt: createdAt }),
            )
            .returningAll(),
        );
      } catch (error) {
        if (!dialect.isTaken(error)) throw error;
        throw new AlreadyExists(`user ${name} exists already`);
      }
    },

    findUser: (id) => users.first(db.selectFrom("users").selectAll().where("id", "=", id)),

    findUserByName: (name) => users.first(db.selectFrom("users").selectAll().where("name", "=", name)),

    listUsers: (page) => pageOf(db.selectFrom("users").selectAll().orderBy("name"), page, users.toItem),

    countAdmins: () => countOf(db.selectFrom("users").where("role", "=", "admin").where("is_active", "=", 1)),

    changeUser: (id, changes, time) =>
      users.first(
        db
          .updateTable("users")
          .set(users.toRow({ ...changes, updatedAt: time }))
          .where("id", "=", id)
          .returningAll(),
      ),

    addSession: ({ id, userId, address, client, createdAt, expiresAt, refreshHash }) =>
      sessions.one(
        db
          .insertInto("sessions")
          .values(
            sessions.toRow({
              id,
              userId,
              address,
              client,
              createdAt,
              lastUsedAt: createdAt,
              expiresAt,
              refreshHash,
            }),
          )
          .returningAll(),
      ),

    findSession: (id) => sessions.first(db.selectFrom("sessions").selectAll().where("id", "=", id)),

    listSessions: (userId, time) =>
      sessions.all(
        db
          .selectFrom("sessions")
          .selectAll()
          .where("user_id", "=", userId)
          .where("ended_at", "is", null)
          .where("expires_at", ">", time)
          .orderBy("last_used_at", "desc")
          .orderBy("id"),
      ),

    changeSession: (id, changes) =>
      sessions.first(
        db
          .updateTable("sessions")
          .set(sessions.toRow({ id, ...changes }))
          .where("id", "=", id)
          .returningAll(),
      ),

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

    findLink: (hash) => links.first(db.selectFrom("one_time_links").selectAll().where("hash", "=", hash)),

    removeLinks,
  };
}
