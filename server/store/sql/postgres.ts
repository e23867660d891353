// PostgreSQL as the store uses it: transactions are serializable, and one that conflicts is run again (sql/store.ts).

import { type PostgresPool, type PostgresPoolClient, sql } from "kysely";
import pg from "pg";
import { DatabaseLost } from "../errors.js";
import type { SqlDialect, TableDescription } from "./database.js";

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
  isSetBack: (error) =>
    SET_BACK.includes(codeOf(error)) || (error instanceof DatabaseLost && !error.mayBeKept),
  async readCatalog({ db, schema }) {
    // One line a table; `key` and `references` from the constraints (p: primary key, f: foreign key).
    const { rows } = await sql<TableDescription>`
      select t.relname as name,
        (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
          where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped) as columns,
        coalesce((select array_agg(a.attname::text order by k.n)
          from pg_constraint c, unnest(c.conkey) with ordinality as k(attnum, n), pg_attribute a
          where c.conrelid = t.oid and c.contype = 'p' and a.attrelid = t.oid and a.attnum = k.attnum), '{}') as key,
        coalesce((select array_agg(distinct f.relname::text) from pg_constraint c, pg_class f
          where c.conrelid = t.oid and c.contype = 'f' and f.oid = c.confrelid), '{}') as "references",
        exists(select from pg_attribute a where a.attrelid = t.oid and a.attidentity <> '') as "isCounted"
      from pg_class t, pg_namespace n
      where t.relnamespace = n.oid and n.nspname = ${schema} and t.relkind = 'r' and t.relname not like 'kysely\\_%'`.execute(
      db,
    );
    return rows;
  },
  async readCounter({ db }, table) {
    const { rows } = await sql<{ value: number | null }>`
      select pg_sequence_last_value(pg_get_serial_sequence(quote_ident(${table}), 'id')::regclass) as value`.execute(
      db,
    );
    return rows[0]?.value ?? 0;
  },
  async writeCounter({ db }, table, value) {
    if (value === 0) return;
    await sql`select setval(pg_get_serial_sequence(quote_ident(${table}), 'id'), ${value})`.execute(db);
  },
  // It is the connection's: whatever ends the connection, or the process, gives it back.
  sharedLock: {
    async take(connection, name) {
      await sql`select pg_advisory_lock(${keyOf(name)})`.execute(connection);
    },
    async confirm(connection) {
      await sql`select 1`.execute(connection);
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
/** A database that does not answer within this is taken for unreachable. */
const CONNECT_TIMEOUT_MS = 10_000;

interface PoolOptions {
  readonly maxConnectionCount?: number;
  readonly onLost?: (error: Error) => void;
}

export function openPool(url: string, options: PoolOptions): PostgresPool {
  const onLost = options.onLost ?? (() => {});
  const pool = new pg.Pool({
    connectionString: url,
    max: options.maxConnectionCount ?? DEFAULT_CONNECTION_COUNT,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    application_name: "skyslot",
    types: { getTypeParser },
  });
  // the pool tells of connections that wait for their next use only; each connection tells of itself, whatever it is doing
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", onLost));
  return {
    connect: async () => guard(await connect(pool)),
    end: () => pool.end(),
  };
}

async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw isLoss(error) ? new DatabaseLost(error, false) : error;
  }
}

/** Counts and times are whole numbers below 2^53: plain numbers, not text. */
const getTypeParser = ((oid: number, format?: "text" | "binary") =>
  oid === INT8 || oid === NUMERIC
    ? Number
    : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser;

const guarded = new WeakMap<pg.PoolClient, PostgresPoolClient>();

/** One wrapper per connection, because Kysely distinguishes connections by it. */
function guard(client: pg.PoolClient): PostgresPoolClient {
  const known = guarded.get(client);
  if (known) return known;
  const connection = new Connection(client);
  const wrapper = {
    query: (text: string, values: readonly unknown[]) => connection.query(text, values),
    release: () => client.release(connection.isLost),
  } as unknown as PostgresPoolClient;
  guarded.set(client, wrapper);
  return wrapper;
}

class Connection {
  readonly #client: pg.PoolClient;
  isLost = false;
  #isInTransaction = false;

  constructor(client: pg.PoolClient) {
    this.#client = client;
    client.on("error", () => {
      this.isLost = true;
    });
  }

  async query(text: string, values: readonly unknown[]): Promise<pg.QueryResult> {
    // The server has rolled back. An error here would hide the one that ended the transaction.
    if (text === "rollback" && this.isLost) return NO_ROWS;
    const isLast = text === "commit" || text === "rollback";
    try {
      const result = await this.#client.query(text, values.map(withoutNul));
      // PostgreSQL answers the commit of a transaction in which something failed with a rollback, and calls that no error.
      if (text === "commit" && result.command !== "COMMIT") {
        throw new Error("the transaction was not kept, because one of its statements had failed");
      }
      this.#isInTransaction = !isLast && (this.#isInTransaction || TRANSACTION_BEGINS.test(text));
      return result;
    } catch (error) {
      if (isLoss(error)) this.isLost = true;
      if (!this.isLost) throw error;
      if (text === "rollback") return NO_ROWS;
      // a statement outside a transaction commits by itself
      const commits = text === "commit" || !(this.#isInTransaction || TRANSACTION_BEGINS.test(text));
      throw new DatabaseLost(error, commits);
    }
  }
}

const TRANSACTION_BEGINS = /^(begin|start transaction)\b/;
const NO_ROWS = Object.freeze({
  rows: [],
  rowCount: 0,
  command: "ROLLBACK",
  oid: 0,
  fields: [],
}) as pg.QueryResult;

/** Whether an error says that there is no connection, or no longer one. */
function isLoss(error: unknown): boolean {
  const code = codeOf(error);
  if (code !== "") return code.startsWith(CONNECTION_EXCEPTION) || LOST.includes(code);
  // node-postgres has no codes for its own
  return error instanceof Error && OWN_WORDS.test(error.message);
}

/** Class 08 of the same page. */
const CONNECTION_EXCEPTION = "08";
const LOST: readonly string[] = [
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now
  "53300", // too_many_connections
  ...[
    "ECONNREFUSED",
    "ECONNRESET",
    "EPIPE",
    "ENOENT",
    "ETIMEDOUT",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "EAI_AGAIN",
    "ENOTFOUND",
  ],
];
const OWN_WORDS =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|Client was closed)/;

/** PostgreSQL has no place for U+0000 in a text. */
const withoutNul = (value: unknown): unknown =>
  typeof value === "string" && value.includes("\0") ? value.replaceAll("\0", "\ufffd") : value;
