// SQLite as the store uses it. Stricter than Kysely's own dialect: a transaction takes the one lock for writers when it begins,
// not when it first writes (then SQLite would refuse it, because another process has written since it began to read), unless it
// only reads; changes of tables are part of the transaction; and a transaction in which a statement failed is not kept, as on
// PostgreSQL.

import { setTimeout as sleep } from "node:timers/promises";
import {
  CompiledQuery,
  type DatabaseConnection,
  type DialectAdapter,
  type Driver,
  type QueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteDialect,
  type SqliteDialectConfig,
  SqliteDriver,
  sql,
  type TransactionSettings,
} from "kysely";
import type { SqlDialect } from "./database.js";

export const sqlite: SqlDialect = {
  name: "sqlite",
  columns: {
    integer: "integer",
    real: "real",
    text: "text",
    flag: "integer",
    time: "integer",
    json: "text",
    countUp: (column) => column.primaryKey().autoIncrement(),
  },
  isTaken: (error) => /^SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY)$/.test(codeOf(error)),
  async readCatalog({ db }) {
    const { rows } = await sql<{ name: string; sql: string }>`
      select name, sql from sqlite_master where type = 'table' and name not like 'sqlite_%' and name not like 'kysely_%'`.execute(
      db,
    );
    return Promise.all(
      rows.map(async ({ name, sql: text }) => {
        const columns = await sql<{
          name: string;
          pk: number;
        }>`select name, pk from pragma_table_info(${name})`.execute(db);
        const references = await sql<{
          table: string;
        }>`select distinct "table" from pragma_foreign_key_list(${name})`.execute(db);
        return {
          name,
          columns: columns.rows.map((column) => column.name),
          key: columns.rows
            .filter(({ pk }) => pk > 0)
            .sort((a, b) => a.pk - b.pk)
            .map((column) => column.name),
          references: references.rows.map(({ table }) => table),
          isCounted: /\bautoincrement\b/i.test(text),
        };
      }),
    );
  },
  async readCounter({ db }, table) {
    const { rows } = await sql<{
      seq: number;
    }>`select seq from sqlite_sequence where name = ${table}`.execute(db);
    return rows[0]?.seq ?? 0;
  },
  async writeCounter({ db }, table, value) {
    await sql`delete from sqlite_sequence where name = ${table}`.execute(db);
    await sql`insert into sqlite_sequence (name, seq) values (${table}, ${value})`.execute(db);
  },
  // One writer at a time: no transaction that has begun is ever set back.
  isSetBack: () => false,
};

const codeOf = (error: unknown): string => String((error as { code?: unknown } | undefined)?.code ?? "");
const isBusy = (error: unknown): boolean => codeOf(error).startsWith("SQLITE_BUSY");

interface StrictSqliteConfig extends SqliteDialectConfig {
  readonly beforeClose?: () => Promise<void>;
}

export class StrictSqliteDialect extends SqliteDialect {
  readonly #config: StrictSqliteConfig;

  constructor(config: StrictSqliteConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): Driver {
    return new StrictSqliteDriver(this.#config);
  }

  override createAdapter(): DialectAdapter {
    return new TransactionalAdapter();
  }
}

class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class StrictSqliteDriver extends SqliteDriver {
  readonly #beforeClose: StrictSqliteConfig["beforeClose"];
  #watched: WatchedConnection | undefined;

  constructor(config: StrictSqliteConfig) {
    super(config);
    this.#beforeClose = config.beforeClose;
  }

  override async destroy(): Promise<void> {
    await this.#beforeClose?.();
    await super.destroy();
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection();
    this.#watched ??= new WatchedConnection(connection);
    return this.#watched;
  }

  override async beginTransaction(
    connection: WatchedConnection,
    settings?: TransactionSettings,
  ): Promise<void> {
    const isReader = settings?.accessMode === "read only";
    await connection.executeQuery(CompiledQuery.raw(isReader ? "begin" : "begin immediate"));
    connection.firstFailure = undefined;
  }

  override async savepoint(
    connection: WatchedConnection,
    name: string,
    compileQuery: QueryCompiler["compileQuery"],
  ): Promise<void> {
    await super.savepoint(connection, name, compileQuery);
    connection.firstFailure = undefined;
  }

  override async rollbackToSavepoint(
    connection: WatchedConnection,
    name: string,
    compileQuery: QueryCompiler["compileQuery"],
  ): Promise<void> {
    connection.firstFailure = undefined;
    await super.rollbackToSavepoint(connection, name, compileQuery);
  }

  override async releaseSavepoint(
    connection: WatchedConnection,
    name: string,
    compileQuery: QueryCompiler["compileQuery"],
  ): Promise<void> {
    const { firstFailure } = connection;
    if (firstFailure !== undefined) throw firstFailure;
    await super.releaseSavepoint(connection, name, compileQuery);
  }

  override async commitTransaction(connection: WatchedConnection): Promise<void> {
    const { firstFailure } = connection;
    if (firstFailure !== undefined) throw firstFailure;
    await super.commitTransaction(connection);
  }
}

/** How long another process may keep the lock for writers. */
const MAX_WAIT_MS = 10_000;
const PAUSE_MS = 10;

/** Waits while another process writes, without keeping this one from its other work; remembers the first statement that failed. */
class WatchedConnection implements DatabaseConnection {
  readonly #connection: DatabaseConnection;
  firstFailure: unknown;

  constructor(connection: DatabaseConnection) {
    this.#connection = connection;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    for (let waitedMs = 0; ; waitedMs += PAUSE_MS) {
      try {
        return await this.#connection.executeQuery<Row>(query);
      } catch (error) {
        if (!isBusy(error) || waitedMs >= MAX_WAIT_MS) {
          this.firstFailure ??= error;
          throw error;
        }
      }
      await sleep(PAUSE_MS);
    }
  }

  streamQuery<Row>(query: CompiledQuery, chunkSize?: number): AsyncIterableIterator<QueryResult<Row>> {
    return this.#connection.streamQuery<Row>(query, chunkSize as number);
  }
}
