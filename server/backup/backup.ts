// Copies a data folder while its server runs: the copy is a data folder itself, of one moment. The files of a running SQLite
// database cannot simply be copied: a checkpoint between one file and the next, or within one, leaves a copy that is neither the old
// nor the new state. So SQLite writes the copy of the database, in one read transaction; the rest is files that never change.

import { chmod, constants, copyFile, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import Database from "better-sqlite3";
import { openPrivateFolder } from "../runtime/private-folder.js";

const DATABASE = "skyslot.db";
/** What belongs to the database, and what was begun and is not finished. */
const LEFT_OUT = [/^skyslot\.db/, /^blobs\/tmp(\/|$)/];

interface Backup {
  /** Files copied now; those that an earlier backup into the same folder has are not copied again. */
  readonly copiedCount: number;
  readonly databaseBytes: number;
}

/** Makes the folder `to`, or brings an earlier backup in it up to date. @throws Error if there is no SQLite database in `from` */
export async function backUp(from: string, to: string): Promise<Backup> {
  const inside = relative(resolve(from), resolve(to));
  if (inside === "" || !inside.startsWith("..")) {
    throw new Error(`${to} is inside the data folder ${from}: choose another one`);
  }
  // Before anything is made.
  await stat(join(from, DATABASE));
  await openPrivateFolder(to);
  const database = join(to, DATABASE);
  const fresh = `${database}.new`;
  await rm(fresh, { force: true });
  copyDatabase(join(from, DATABASE), fresh);
  await sync(fresh);
  // The database comes first: whatever file it names is there already, and stays.
  const copiedCount = await copyFiles(from, to);
  // Left by a process that has opened the earlier backup.
  for (const suffix of ["-wal", "-shm"]) await rm(`${database}${suffix}`, { force: true });
  await rename(fresh, database);
  await sync(to);
  return { copiedCount, databaseBytes: (await stat(database)).size };
}

function copyDatabase(from: string, to: string): void {
  const database = new Database(from, { readonly: true, fileMustExist: true });
  try {
    database.pragma("busy_timeout = 5000");
    database.prepare("vacuum into ?").run(to);
  } finally {
    database.close();
  }
}

async function copyFiles(from: string, to: string): Promise<number> {
  let copiedCount = 0;
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    const path = relative(from, join(entry.parentPath, entry.name));
    if (!entry.isFile() || LEFT_OUT.some((pattern) => pattern.test(path))) continue;
    if (await copyIfNew(join(from, path), join(to, path))) copiedCount++;
  }
  return copiedCount;
}

/** A blob never changes; other files may, and are small. */
async function copyIfNew(from: string, to: string): Promise<boolean> {
  const source = await statIfThere(from);
  // Gone meanwhile: nothing refers to it.
  if (!source) return false;
  const known = await statIfThere(to);
  if (known && known.size === source.size && known.mtimeMs >= source.mtimeMs) return false;
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  const temporary = `${to}.new`;
  await copyFile(from, temporary, constants.COPYFILE_FICLONE);
  // a copy has the mode of what it is a copy of
  await chmod(temporary, 0o600);
  await sync(temporary);
  await rename(temporary, to);
  return true;
}

async function statIfThere(file: string) {
  try {
    return await stat(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
