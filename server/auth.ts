// Who may administer: JSON Web Tokens (RFC 7519, HS256) that this server made itself. The key and the administrator's token lie
// in the data folder, readable by the server's user only. Tokens appear in no log and no URL.

import { randomBytes, randomUUID } from "node:crypto";
import { chmod, link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { jwtVerify, SignJWT } from "jose";

export interface Auth {
  /** The holder's name, or `undefined` if the token is not one of ours or has expired. */
  verify(token: string): Promise<string | undefined>;
  issue(subject: string, validMs: number): Promise<string>;
}

const ISSUER = "skyslot";
const KEY_BYTES = 32;
const DAY_MS = 24 * 60 * 60_000;
/** The administrator's token is renewed at a start in the last month of its year. */
const TOKEN_VALID_MS = 365 * DAY_MS;
const TOKEN_RENEW_MS = 30 * DAY_MS;

/** Tokens under one key. `now` is milliseconds since 1970. The MAC is compared in constant time by the platform's WebCrypto. */
export function createAuth(key: Uint8Array, now: () => number): Auth {
  if (key.length < KEY_BYTES) throw new RangeError(`key is ${key.length} bytes, HS256 needs ${KEY_BYTES}`);
  return {
    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: ["HS256"],
          issuer: ISSUER,
          requiredClaims: ["sub", "exp"],
          currentDate: new Date(now()),
        });
        return payload.sub;
      } catch {
        return undefined;
      }
    },
    issue: (subject, validMs) =>
      new SignJWT({})
        .setProtectedHeader({ alg: "HS256", typ: "JWT" })
        .setIssuer(ISSUER)
        .setSubject(subject)
        .setIssuedAt(Math.floor(now() / 1000))
        .setExpirationTime(Math.floor((now() + validMs) / 1000))
        .sign(key),
  };
}

/** The key of a data folder, made at the first start, and an administrator's token beside it that is good for a month at least. */
export async function openAuth(
  dataDir: string,
  now: () => number,
): Promise<{ readonly auth: Auth; readonly tokenFile: string; readonly adminToken: string }> {
  await mkdir(dataDir, { recursive: true });
  const auth = createAuth(await openKey(join(dataDir, "jwt.key")), now);
  const inAMonth = createAuth(await openKey(join(dataDir, "jwt.key")), () => now() + TOKEN_RENEW_MS);
  const tokenFile = join(dataDir, "admin.token");
  const known = await readIfThere(tokenFile);
  if (known !== undefined && (await inAMonth.verify(known.trim()))) {
    await chmod(tokenFile, 0o600);
    return { auth, tokenFile, adminToken: known.trim() };
  }
  const adminToken = await auth.issue("admin", TOKEN_VALID_MS);
  const temporary = `${tokenFile}.${randomUUID()}`;
  await writeFile(temporary, `${adminToken}\n`, { mode: 0o600 });
  await rename(temporary, tokenFile);
  return { auth, tokenFile, adminToken };
}

async function openKey(file: string): Promise<Uint8Array> {
  const known = await readIfThere(file);
  if (known === undefined) {
    // Written whole and linked in place: of two servers that start at once, both end up with the same key.
    const temporary = `${file}.${randomUUID()}`;
    await writeFile(temporary, randomBytes(KEY_BYTES).toString("base64url"), { mode: 0o600 });
    await link(temporary, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    await rm(temporary);
    return openKey(file);
  }
  await chmod(file, 0o600);
  const key = Buffer.from(known.trim(), "base64url");
  if (key.length < KEY_BYTES) {
    throw new Error(
      `${file} holds ${key.length} bytes, a key is ${KEY_BYTES}: remove it to have a new one made`,
    );
  }
  return key;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
