// Talks to an update server as an administrator. The token is taken from where only its owner can put it: the environment, a
// file, or the data folder of a server on this machine; never from the command line, which others can see.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { isLoopback } from "../api/guard.js";

export const DEFAULT_SERVER_URL = "http://127.0.0.1:8080";

export interface ServerFlags {
  readonly server: string;
  readonly tokenFile?: string;
  /** Data folder of a server on this machine; `data` by default. */
  readonly data?: string;
}

/** The options of every command that talks to a server. */
export const withServer = (command: Command): Command =>
  command
    .option("--server <url>", "the update server", DEFAULT_SERVER_URL)
    .option(
      "--token-file <file>",
      "file with the administrator's token (or SKYSLOT_TOKEN in the environment)",
    )
    .option("--data <folder>", "data folder of a server on this machine, for its token", "data");

/** One request; answers other than 2xx throw with the server's own sentence. */
export async function callServer(flags: ServerFlags, path: string, init: RequestInit = {}): Promise<unknown> {
  const url = new URL(path, flags.server);
  const token = await findToken(flags, url);
  const headers = new Headers(init.headers);
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  const response = await fetch(url, { ...init, headers, redirect: "error" }).catch((error: unknown) => {
    const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
    throw new Error(`${url.origin} does not answer (${code ?? message})`);
  });
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok) return body;
  const { error, message } = (body ?? {}) as { readonly error?: string; readonly message?: string };
  throw new Error(
    `${url.origin} answers ${response.status}${error ? ` ${error}` : ""}${message ? `: ${message}` : ""}`,
  );
}

async function findToken({ tokenFile, data = "data" }: ServerFlags, url: URL): Promise<string | undefined> {
  if (tokenFile !== undefined) return (await readFile(tokenFile, "utf8")).trim();
  const fromEnvironment = process.env.SKYSLOT_TOKEN;
  if (fromEnvironment) return fromEnvironment;
  if (!isLoopback(url.hostname)) return undefined;
  return readFile(join(data, "admin.token"), "utf8").then(
    (text) => text.trim(),
    () => undefined,
  );
}
