// A store in a new SQLite file, for tests that need many: its tables are created once in a process and copied, which costs less.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteStore } from "../../server/store/sqlite.js";
import type { Store } from "../../server/store/store.js";

let template: Promise<Uint8Array> | undefined;

/** @param file must not exist yet */
export async function openNewSqliteStore(file: string): Promise<Store> {
  template ??= makeTemplate();
  await writeFile(file, await template, { flag: "wx" });
  return openSqliteStore(file);
}

async function makeTemplate(): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), "skyslot-template-"));
  try {
    const file = join(folder, "skyslot.db");
    await (await openSqliteStore(file)).close();
    return await readFile(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}
