// Folders with secrets: databases with session keys, tokens, backups of them. Other users of the machine must not read them, whatever the
// umask was when somebody made the folder. A folder that is open is refused, not closed: another program may rely on it.

import { mkdir, stat } from "node:fs/promises";
import { resolve } from "node:path";

const OTHERS = 0o077;

/** Makes the folder, if it is missing. @throws Error if others can enter it, with the command that changes that */
export async function openPrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Windows has no such modes.
  if (process.platform === "win32") return;
  const { mode, uid } = await stat(folder);
  const path = resolve(folder);
  if ((mode & OTHERS) !== 0) {
    const bits = (mode & 0o777).toString(8).padStart(3, "0");
    throw new Error(
      `other users of this machine can enter ${path} (mode ${bits}), where secrets are kept: close it with  chmod -R go= ${quoted(path)}`,
    );
  }
  const ownId = process.getuid?.() ?? uid;
  if (ownId !== 0 && uid !== ownId && uid !== 0) {
    throw new Error(
      `${path} belongs to user ${uid}, who could read the secrets in it; this process is user ${ownId}: change it with  sudo chown -R ${ownId} ${quoted(path)}`,
    );
  }
}

/** What this process makes from now on, others cannot read. Only for commands whose files are all private. */
export const makePrivateFiles = (): void => void process.umask(OTHERS);

/** For a shell. */
const quoted = (path: string): string =>
  /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
