// What differs between the databases, as far as the parts of the store have to know.

import type { ColumnDefinitionBuilder, Expression, Kysely } from "kysely";
import type { TableDescription } from "./catalog.js";
import type { SqlDatabase } from "./database.js";
import type { Tables } from "./tables.js";

export interface SqlDialect {
  readonly name: "sqlite" | "postgres";
  readonly columns: ColumnTypes;
  /** A unique key refused the row. */
  isTaken(error: unknown): boolean;
  /** Another transaction was in the way: the same one, run again, may succeed. */
  isSetBack(error: unknown): boolean;
  /** Every table of the store, and what lies between them. */
  readCatalog(database: SqlDatabase): Promise<readonly TableDescription[]>;
  /** The last number that a counted key was given, also if its row is gone. */
  readCounter(database: SqlDatabase, table: string): Promise<number>;
  writeCounter(database: SqlDatabase, table: string, value: number): Promise<void>;
  /** Absent: only one process has the database open. */
  readonly sharedLock?: {
    take(connection: Kysely<Tables>, name: string): Promise<void>;
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
