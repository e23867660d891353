// Writes everything that a server remembers as lines (format.ts): the state of one moment, while servers go on writing. Knows no
// table by its name.

import { sql } from "kysely";
import type { BlobStore } from "../blobs/blobs.js";
import { readTables } from "../store/sql/catalog.js";
import type { SqlDatabase, TableDescription } from "../store/sql/database.js";
import { BLOB_COLUMNS } from "../store/sql/tables.js";
import { type ExportLine, FORMAT_VERSION, type Row } from "./format.js";

const PAGE_COUNT = 500;

interface ExportOptions {
  readonly database: SqlDatabase;
  /** Absent: files stay where they are. */
  readonly blobs: BlobStore | undefined;
  readonly now: () => number;
}

/** Hands one line after the other to `write`. Returns how many rows and files they hold, and which files were missing. */
export async function exportStore(
  { database, blobs, now }: ExportOptions,
  write: (line: ExportLine) => Promise<void> | void,
): Promise<{ readonly rowCount: number; readonly blobCount: number; readonly missing: readonly string[] }> {
  const sha256s = new Set<string>();
  let rowCount = 0;
  await readMoment(database, async (moment) => {
    const migrations = await readMigrations(moment);
    await write({
      skyslot: "export",
      version: FORMAT_VERSION,
      created: new Date(now()).toISOString(),
      migrations,
    });
    for (const table of await readTables(moment)) {
      for await (const row of readRows(moment, table)) {
        await write({ table: table.name, row });
        rowCount++;
        for (const sha256 of blobsOf(table, row)) sha256s.add(sha256);
      }
      const { dialect } = database;
      if (table.isCounted)
        await write({ table: table.name, counter: await dialect.readCounter(moment, table.name) });
    }
  });
  const missing: string[] = [];
  for (const sha256 of blobs ? sha256s : []) {
    if (!(await writeBlob(blobs as BlobStore, sha256, write))) missing.push(sha256);
  }
  const blobCount = blobs ? sha256s.size - missing.length : 0;
  await write({ end: true, rows: rowCount, blobs: blobCount });
  return { rowCount, blobCount, missing };
}

/** What the work reads is of one moment, whatever is written meanwhile. */
function readMoment(database: SqlDatabase, work: (moment: SqlDatabase) => Promise<void>): Promise<void> {
  const transaction = database.db.transaction().setAccessMode("read only");
  const isolated =
    database.dialect.name === "postgres" ? transaction.setIsolationLevel("repeatable read") : transaction;
  return isolated.execute((db) => work({ ...database, db }));
}

export async function readMigrations({ db }: SqlDatabase): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  return rows.map(({ name }) => name);
}

/** In the order of the key, page by page. */
async function* readRows({ db }: SqlDatabase, { name, key }: TableDescription): AsyncGenerator<Row> {
  if (key.length === 0) throw new Error(`table ${name} has no primary key, its rows cannot be exported`);
  const columns = sql.join(key.map((column) => sql.ref(column)));
  const page = async (after: Row | undefined): Promise<readonly Row[]> => {
    const bound = after ? sql`where (${columns}) > (${sql.join(key.map((column) => after[column]))})` : sql``;
    const query = sql<Row>`select * from ${sql.table(name)} ${bound} order by ${columns} limit ${sql.lit(PAGE_COUNT)}`;
    return (await query.execute(db)).rows;
  };
  for (let rows = await page(undefined); rows.length > 0; rows = await page(rows.at(-1))) {
    yield* rows;
    if (rows.length < PAGE_COUNT) return;
  }
}

function blobsOf({ name }: TableDescription, row: Row): readonly string[] {
  const named = BLOB_COLUMNS.filter(([table]) => table === name).map(([, column]) => row[column]);
  return named.filter((sha256) => typeof sha256 === "string");
}

async function writeBlob(
  blobs: BlobStore,
  sha256: string,
  write: (line: ExportLine) => Promise<void> | void,
): Promise<boolean> {
  if (!(await blobs.stat(sha256))) {
    await write({ blob: sha256, end: true, missing: true });
    return false;
  }
  for await (const bytes of blobs.read(sha256)) {
    await write({ blob: sha256, data: (bytes as Buffer).toString("base64") });
  }
  await write({ blob: sha256, end: true });
  return true;
}
