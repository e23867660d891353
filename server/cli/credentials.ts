// Stores the sessions of `skyslot login`: one file per user, readable by that user only, with an entry per server. Makes no requests:
// client.ts renews expired tokens.

import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

export interface Credentials {
  readonly name: string;
  readonly accessToken: string;
  /** Milliseconds since 1970. */
  readonly accessExpiresAt: number;
  readonly refreshToken: string;
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

/** `refreshToken` is kept if the answer has none. */
export const describeAnswer = (answer: TokenAnswer, refreshToken = ""): Credentials => ({
  name: answer.user.name,
  accessToken: answer.access_token,
  accessExpiresAt: Date.now() + answer.expires_in * 1000,
  refreshToken: answer.refresh_token ?? refreshToken,
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
