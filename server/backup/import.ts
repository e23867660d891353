// Fills an empty store from the lines of an export (format.ts). All or nothing: the rows are kept when the last line has come and
// everything is as it says. Files that had come by then stay, and are removed later as unreferenced files.

import { type Kysely, sql } from "kysely";
import { type BlobStore, isSha256 } from "../blobs/blobs.js";
import { migrations } from "../store/migrations/list.js";
import { migrate } from "../store/migrations/migrate.js";
import { readTables } from "../store/sql/catalog.js";
import type { SqlDatabase, TableDescription } from "../store/sql/database.js";
import { readMigrations } from "./export.js";
import { type ExportLine, FORMAT_VERSION, type Row } from "./format.js";

/** Values in one statement; SQLite takes 32 766. */
const MAX_VALUE_COUNT = 5000;

interface ImportOptions {
  readonly database: SqlDatabase;
  readonly blobs: BlobStore;
}

interface Imported {
  readonly rowCount: number;
  readonly blobCount: number;
  /** SHA-256 of the files that the export had not either. */
  readonly missing: readonly string[];
}

/** @throws Error that says what is in the way; then nothing is there that was not there before, except tables. */
export async function importStore(
  { database, blobs }: ImportOptions,
  lines: AsyncIterator<ExportLine>,
): Promise<Imported> {
  const first = await lines.next();
  const head = first.done ? undefined : first.value;
  if (!head || !("skyslot" in head))
    throw new Error("this is no export of Skyslot: its first line says nothing of it");
  if (head.version !== FORMAT_VERSION) {
    throw new Error(`export is of version ${head.version}, this program reads version ${FORMAT_VERSION}`);
  }
  const isNew = await makeTables(database, head.migrations);
  const imported = await database.db.transaction().execute(async (db) => {
    const inside = { ...database, db };
    const tables = await readTables(inside);
    await (isNew ? clear(inside, tables) : refuseRows(inside, tables));
    return new Import(inside, tables, blobs).run(lines);
  });
  await migrate(database);
  return imported;
}

/** Makes the tables as they were where the export comes from. Returns whether there were none before. */
async function makeTables(database: SqlDatabase, wanted: readonly string[]): Promise<boolean> {
  const unknown = wanted.filter((name) => !migrations.some((known) => known.name === name));
  if (unknown.length > 0) {
    throw new Error(
      `export was made by a newer Skyslot, which has ${unknown.join(", ")}: update this one first`,
    );
  }
  const isNew = (await readTables(database)).length === 0;
  if (isNew) await migrate(database, wanted);
  const extra = (await readMigrations(database)).filter((name) => !wanted.includes(name));
  if (extra.length > 0) {
    throw new Error(
      `export was made before ${extra.join(", ")}, which this database has: import into a new database`,
    );
  }
  await migrate(database, wanted);
  return isNew;
}

/** What migrations put into new tables comes with the export as well. */
async function clear({ db }: SqlDatabase, tables: readonly TableDescription[]): Promise<void> {
  for (const { name } of [...tables].reverse()) await sql`delete from ${sql.table(name)}`.execute(db);
}

async function refuseRows({ db }: SqlDatabase, tables: readonly TableDescription[]): Promise<void> {
  for (const { name } of tables) {
    const { rows } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(db);
    if (rows.length > 0)
      throw new Error(`the database is not empty: there are rows in ${name}; import into a new one`);
  }
}

class Import {
  readonly #database: SqlDatabase;
  readonly #tables: ReadonlyMap<string, TableDescription>;
  readonly #blobs: BlobStore;
  readonly #missing: string[] = [];
  #rowCount = 0;
  #blobCount = 0;
  #batch: { readonly table: TableDescription; readonly rows: Row[] } | undefined;

  constructor(database: SqlDatabase, tables: readonly TableDescription[], blobs: BlobStore) {
    this.#database = database;
    this.#tables = new Map(tables.map((table) => [table.name, table]));
    this.#blobs = blobs;
  }

  async run(lines: AsyncIterator<ExportLine>): Promise<Imported> {
    for (;;) {
      const { done, value: line } = await lines.next();
      if (done) throw new Error("export is cut off: its last line is missing");
      if ("skyslot" in line) throw new Error("export begins again in its middle");
      if ("row" in line) await this.#add(line.table, line.row);
      else if ("counter" in line) await this.#count(line.table, line.counter);
      else if ("blob" in line) await this.#takeBlob(line, lines);
      else return this.#end(line);
    }
  }

  async #end({ rows, blobs }: { readonly rows: number; readonly blobs: number }): Promise<Imported> {
    await this.#flush();
    if (rows !== this.#rowCount || blobs !== this.#blobCount) {
      throw new Error(
        `export says it has ${rows} rows and ${blobs} files, it had ${this.#rowCount} and ${this.#blobCount}`,
      );
    }
    return { rowCount: this.#rowCount, blobCount: this.#blobCount, missing: this.#missing };
  }

  async #add(name: string, row: Row): Promise<void> {
    const table = this.#table(name);
    const strange = Object.keys(row).filter((column) => !table.columns.includes(column));
    if (strange.length > 0)
      throw new Error(`export has a column ${strange[0]} of ${name}, which is not known here`);
    if (this.#batch && this.#batch.table !== table) await this.#flush();
    this.#batch ??= { table, rows: [] };
    this.#batch.rows.push(row);
    this.#rowCount++;
    if (this.#batch.rows.length * table.columns.length >= MAX_VALUE_COUNT) await this.#flush();
  }

  async #flush(): Promise<void> {
    if (!this.#batch) return;
    const { table, rows } = this.#batch;
    this.#batch = undefined;
    // Every row has every column; what one leaves out is null.
    const whole = rows.map((row) =>
      Object.fromEntries(table.columns.map((column) => [column, row[column] ?? null])),
    );
    const db = this.#database.db as unknown as Kysely<Record<string, Record<string, unknown>>>;
    await db.insertInto(table.name).values(whole).execute();
  }

  async #count(name: string, value: number): Promise<void> {
    const table = this.#table(name);
    if (!table.isCounted) throw new Error(`export has a counter of ${name}, which is not counted here`);
    await this.#flush();
    await this.#database.dialect.writeCounter(this.#database, name, value);
  }

  /** The pieces of one file, from its first line on. */
  async #takeBlob(
    first: Extract<ExportLine, { readonly blob: string }>,
    lines: AsyncIterator<ExportLine>,
  ): Promise<void> {
    const { blob: sha256 } = first;
    if (!isSha256(sha256))
      throw new Error(`export has a file named "${sha256.slice(0, 70)}", which is no SHA-256`);
    if ("missing" in first) {
      this.#missing.push(sha256);
      return;
    }
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      for (let line: ExportLine = first; ; ) {
        if (!("blob" in line) || line.blob !== sha256)
          throw new Error(`file ${sha256} is cut off in the export`);
        if ("end" in line) return;
        yield Buffer.from(line.data, "base64");
        const next = await lines.next();
        if (next.done) throw new Error(`file ${sha256} is cut off in the export`);
        line = next.value;
      }
    };
    const put = await this.#blobs.put(pieces(), Number.MAX_SAFE_INTEGER);
    if (put.sha256 !== sha256) {
      if (put.isNew) await this.#blobs.remove(put.sha256);
      throw new Error(`file ${sha256} is damaged in the export: its bytes have the SHA-256 ${put.sha256}`);
    }
    this.#blobCount++;
  }

  #table(name: string): TableDescription {
    const table = this.#tables.get(name);
    if (!table) throw new Error(`export has a table ${name}, which is not known here`);
    return table;
  }
}
