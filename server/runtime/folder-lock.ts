// One server for each data folder with a SQLite database: caches, live streams and limits of a second one would not know of the first. The
// lock is one of SQLite's, in a file of its own, so that exports and backups can read the database meanwhile. The operating system frees it
// when the process ends, however that happens; a PID file would stay behind, and name another process later.

import { join, resolve } from "node:path";
import Database from "better-sqlite3";

/** Belongs to the database: a backup leaves it out. It stays empty. */
const FILE = "skyslot.db.lock";

export interface FolderLock {
  /** May be called more than once. */
  release(): void;
}

/** @throws Error if another server, or an import, has the folder */
export function lockFolder(folder: string): FolderLock {
  const file = join(folder, FILE);
  const database = new Database(file, { timeout: 0 });
  try {
    database.exec("begin exclusive");
  } catch (error) {
    database.close();
    if ((error as { readonly code?: string }).code !== "SQLITE_BUSY")
      throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
    throw new Error(
      `another server, or an import, is using the data folder ${resolve(folder)}: stop it, choose another folder with --data, or use PostgreSQL (DATABASE_URL), which several servers may share`,
    );
  }
  return { release: () => void database.close() };
}
