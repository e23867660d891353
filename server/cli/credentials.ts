// Stores the sessions of `skyslot login`: one file per user, readable by that user only, with an entry per server. Makes no requests:
// client.ts renews expired tokens.

import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { defined } from "../shared/defined.js";

export interface Credentials {
  readonly name: string;
  readonly accessToken: string;
  /** Milliseconds since 1970. */
  readonly accessExpiresAt: number;
  readonly refreshToken: string;
  /** When `skyslot login` was run, in milliseconds since 1970; absent: by a version that did not store it. */
  readonly signedInAt?: number;
}

/** What the server answers to a sign-in or a refresh. */
export interface TokenAnswer {
  readonly access_token: string;
  readonly expires_in: number;
  readonly refresh_token?: string;
  readonly user: { readonly name: string; readonly role: string };
}

/** In XDG's folder for settings, `~/.config` by default. */
export const credentialsFile = (env: NodeJS.ProcessEnv = process.env): string =>
  join(env.XDG_CONFIG_HOME || join(homedir(), ".config"), "skyslot", "credentials.json");

export async function loadCredentials(baseUrl: string): Promise<Credentials | undefined> {
  return (await readAll())[baseUrl];
}

/** The server of the newest sign-in that has not been ended; `undefined`: there is none. */
export async function lastSignIn(): Promise<string | undefined> {
  const entries = Object.entries(await readAll());
  return entries.sort(([, one], [, other]) => (other.signedInAt ?? 0) - (one.signedInAt ?? 0))[0]?.[0];
}

/** `undefined` removes the server's entry. */
export async function saveCredentials(baseUrl: string, credentials: Credentials | undefined): Promise<void> {
  const { [baseUrl]: _before, ...others } = await readAll();
  const all = credentials ? { ...others, [baseUrl]: credentials } : others;
  const file = credentialsFile();
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify(all, undefined, 2)}\n`, { mode: 0o600 });
  await rename(temporary, file);
}

/** @param before the session that it renews: what the answer does not have is kept; absent: it is a sign-in */
export const describeAnswer = (answer: TokenAnswer, before?: Credentials): Credentials => ({
  name: answer.user.name,
  accessToken: answer.access_token,
  accessExpiresAt: Date.now() + answer.expires_in * 1000,
  refreshToken: answer.refresh_token ?? before?.refreshToken ?? "",
  ...defined({ signedInAt: before ? before.signedInAt : Date.now() }),
});

async function readAll(): Promise<Record<string, Credentials>> {
  try {
    return JSON.parse(await readFile(credentialsFile(), "utf8")) as Record<string, Credentials>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    if (error instanceof SyntaxError) throw new Error(`${credentialsFile()} is damaged: remove it`);
    throw error;
  }
}
