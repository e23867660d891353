// PostgreSQL as the store uses it: transactions are serializable, and whoever runs into another begins again (sql/store.ts).

import { type PostgresPool, type PostgresPoolClient, sql } from "kysely";
import pg from "pg";
import type { SqlDialect } from "./dialect.js";

export const postgres: SqlDialect = {
  name: "postgres",
  columns: {
    integer: "bigint",
    real: "double precision",
    text: sql`text collate "C"`,
    flag: "smallint",
    time: "bigint",
    json: "text",
    countUp: (column) => column.generatedByDefaultAsIdentity().primaryKey(),
  },
  isTaken: (error) => codeOf(error) === UNIQUE_VIOLATION,
  isSetBack: (error) => SET_BACK.includes(codeOf(error)),
  // It is the connection's: whatever ends the process gives it back.
  sharedLock: {
    async take(connection, name) {
      await sql`select pg_advisory_lock(${keyOf(name)})`.execute(connection);
    },
    async give(connection, name) {
      await sql`select pg_advisory_unlock(${keyOf(name)})`.execute(connection);
    },
  },
};

// https://www.postgresql.org/docs/15/errcodes-appendix.html
const UNIQUE_VIOLATION = "23505";
/** serialization_failure, deadlock_detected */
const SET_BACK: readonly string[] = ["40001", "40P01"];

const keyOf = (name: string) => sql`hashtextextended(${`skyslot ${name}`}, 0)`;
const codeOf = (error: unknown): string => String((error as { code?: unknown } | undefined)?.code ?? "");

const INT8 = 20;
const NUMERIC = 1700;
const DEFAULT_CONNECTION_COUNT = 10;
/** A database that does not answer for so long is not there. */
const CONNECT_TIMEOUT_MS = 10_000;

export interface PoolOptions {
  readonly maxConnectionCount?: number;
  readonly onLost?: (error: Error) => void;
}

export function openPool(url: string, options: PoolOptions): PostgresPool {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.maxConnectionCount ?? DEFAULT_CONNECTION_COUNT,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    application_name: "skyslot",
    types: { getTypeParser },
  });
  pool.on("error", (error) => options.onLost?.(error));
  return {
    connect: async () => guard(await pool.connect()),
    end: () => pool.end(),
  };
}

/** Counts and times are whole numbers below 2^53: plain numbers, not text. */
const getTypeParser = ((oid: number, format?: "text" | "binary") =>
  oid === INT8 || oid === NUMERIC
    ? Number
    : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser;

const guarded = new WeakMap<pg.PoolClient, PostgresPoolClient>();

/** One wrapper a connection, because Kysely tells connections apart by it. */
function guard(client: pg.PoolClient): PostgresPoolClient {
  const known = guarded.get(client);
  if (known) return known;
  const wrapper = {
    query: (text: string, values: readonly unknown[]) => query(client, text, values),
    release: () => client.release(),
  } as unknown as PostgresPoolClient;
  guarded.set(client, wrapper);
  return wrapper;
}

async function query(client: pg.PoolClient, text: string, values: readonly unknown[]) {
  const result = await client.query(text, values.map(withoutNul));
  // PostgreSQL answers the commit of a transaction in which something failed with a rollback, and calls that no error.
  if (text === "commit" && result.command !== "COMMIT") {
    throw new Error("the transaction was not kept, because one of its statements had failed");
  }
  return result;
}

/** PostgreSQL has no place for U+0000 in a text. */
const withoutNul = (value: unknown): unknown =>
  typeof value === "string" && value.includes("\0") ? value.replaceAll("\0", "\ufffd") : value;
