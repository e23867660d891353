// The token of those who may read the data folder: it is in `admin.token` there, readable by its owner only, and may do everything.
// The command line on the same machine uses it. It is compared, never stored anywhere else; to replace it, remove the file and
// start the server again. A token that an older version left there stays good.

import { randomUUID } from "node:crypto";
import { chmod, link, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeSecret } from "./secret.js";

const LOCAL_TOKEN_FILE = "admin.token";
/** Key of older versions' tokens: nothing is signed with it any more. */
const FORMER_KEY_FILE = "jwt.key";
const MIN_TOKEN_LENGTH = 32;

interface LocalToken {
  readonly token: string;
  readonly file: string;
}

/** @param dataDir is there, and private. @throws Error if the file holds no token */
export async function openLocalToken(dataDir: string): Promise<LocalToken> {
  const file = join(dataDir, LOCAL_TOKEN_FILE);
  // Written whole and linked in place: of two servers that start at once, both end up with the same token.
  const temporary = `${file}.${randomUUID()}`;
  await writeFile(temporary, `${makeSecret("local")}\n`, { mode: 0o600 });
  await link(temporary, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  await rm(temporary);
  await rm(join(dataDir, FORMER_KEY_FILE), { force: true });
  await chmod(file, 0o600);
  const token = (await readFile(file, "utf8")).trim();
  if (token.length >= MIN_TOKEN_LENGTH) return { token, file };
  throw new Error(
    `${file} holds ${token.length} characters, a token has ${MIN_TOKEN_LENGTH} at least: remove it to have a new one made`,
  );
}
