// A connection to a database, and what differs between databases as far as the parts of the store need to know.

import type { ColumnDefinitionBuilder, Expression, Kysely } from "kysely";
import type { Tables } from "./tables.js";

/** Runs work on a database while nothing else in this process uses it. Every statement is a transaction. */
export type Turn = <Result>(work: (db: Kysely<Tables>) => Promise<Result>) => Promise<Result>;

export interface SqlDatabase {
  readonly db: Kysely<Tables>;
  readonly dialect: SqlDialect;
  /** Where the tables lie, on databases that have schemas. */
  readonly schema: string | undefined;
  /** Absent: the database has processes of its own. */
  readonly own?: OwnTurns;
  /**
   * Where all devices are gone through without stopping this thread: it sees what was committed before, and changes nothing. Absent:
   * the database has processes of its own, or cannot be opened twice.
   */
  readonly reader?: Kysely<Tables>;
}

/** Of a database that is a file of this process. */
export interface OwnTurns {
  /** In a thread of its own, where neither its computing nor the disk stops this one. */
  readonly worker: Turn;
  /** Here, and no commit waits for the disk: what is small, and may be lost when the power fails, though not when the process is killed. */
  readonly unsynced: Turn;
}

export interface SqlDialect {
  readonly name: "sqlite" | "postgres";
  readonly columns: ColumnTypes;
  /** A unique key refused the row. */
  isTaken(error: unknown): boolean;
  /** Another transaction was in the way, or the connection ended before anything was kept: the same one, run again, may succeed. */
  isSetBack(error: unknown): boolean;
  /** Every table of the store, and what lies between them. */
  readCatalog(database: SqlDatabase): Promise<readonly TableDescription[]>;
  /** The last number that a counted key was given, also if its row is gone. */
  readCounter(database: SqlDatabase, table: string): Promise<number>;
  writeCounter(database: SqlDatabase, table: string, value: number): Promise<void>;
  /** Absent: only one process has the database open. */
  readonly sharedLock?: {
    take(connection: Kysely<Tables>, name: string): Promise<void>;
    /** @throws DatabaseLost if the connection, and so the lock, is gone */
    confirm(connection: Kysely<Tables>): Promise<void>;
    give(connection: Kysely<Tables>, name: string): Promise<void>;
  };
}

type ColumnType =
  | "integer"
  | "real"
  | "text"
  | "bigint"
  | "double precision"
  | "smallint"
  | Expression<unknown>;

/** Columns of the same meaning on every database. */
export interface ColumnTypes {
  /** A whole number as exact as JavaScript has it. */
  readonly integer: ColumnType;
  /** A number with a fraction. */
  readonly real: ColumnType;
  /** Sorted by its bytes. */
  readonly text: ColumnType;
  /** 0 or 1. */
  readonly flag: ColumnType;
  /** Milliseconds since 1970. */
  readonly time: ColumnType;
  /** JSON, as text: it is read and written whole. */
  readonly json: ColumnType;
  /** Mutex an `integer` column into a key that the database counts up and never uses twice. */
  countUp(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder;
}

export interface TableDescription {
  readonly name: string;
  /** In their order. */
  readonly columns: readonly string[];
  /** Of the primary key. */
  readonly key: readonly string[];
  /** Tables that rows of this one refer to. */
  readonly references: readonly string[];
  /** The key `id` is counted up by the database. */
  readonly isCounted: boolean;
}
