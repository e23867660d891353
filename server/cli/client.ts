// Calls an update server. The token comes from a file, the environment, the session of `skyslot login`, or the data folder of a server on
// this machine. The commands of `skyslot firmware` take one on the command line, too, as scripts for other servers give it there, although
// other users of the machine can read it.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { isLoopback } from "../api/guard.js";
import { defined } from "../shared/defined.js";
import {
  describeAnswer,
  lastSignIn,
  loadCredentials,
  saveCredentials,
  type TokenAnswer,
} from "./credentials.js";
import { readServerOption, serverUrl } from "./server-url.js";
import { showTimesIn } from "./times.js";

const DEFAULT_SERVER_URL = "http://127.0.0.1:8080";
/** How long before its expiry an access token is renewed: requests take time, and clocks differ. */
const RENEW_BEFORE_MS = 60_000;
/** No access token is valid for longer: one that seems to be was stored while the clock was ahead. */
const LONGEST_VALID_MS = 24 * 60 * 60_000;

export interface ServerFlags {
  readonly server: string;
  readonly tokenFile?: string;
  /** The token itself. */
  readonly token?: string;
  /** Data folder of a server on this machine; `data` by default. */
  readonly data?: string;
  /** Send no token. */
  readonly isAnonymous?: boolean;
  readonly json?: boolean;
}

/** Adds a command that talks to a server to a group. */
export type AddCommand = (usage: string, description: string) => Command;
export const commandsOf =
  (group: Command): AddCommand =>
  (usage, description) =>
    group
      .command(usage)
      .description(description)
      .option(
        "--server <url>",
        `the update server (default: SKYSLOT_SERVER in the environment, or that of the last \`skyslot login\`, or ${DEFAULT_SERVER_URL})`,
        readServerOption,
      )
      .option(
        "--token-file <file>",
        "file with an API token (default: SKYSLOT_TOKEN in the environment, or the session of `skyslot login`)",
      )
      .option("--data <folder>", "data folder of a server on this machine, for its token", "data")
      .option("--utc", "show times in UTC, not in the zone of this machine")
      .option("--json", "print JSON")
      .hook("preAction", async (_, command) => {
        const { server, utc } = command.opts<{ readonly server?: string; readonly utc?: boolean }>();
        if (server === undefined) command.setOptionValue("server", await findServer());
        showTimesIn(utc ? "UTC" : undefined);
      });

/** Where a command goes that names no server. @throws UsageError if SKYSLOT_SERVER is no URL */
async function findServer(): Promise<string> {
  const { SKYSLOT_SERVER } = process.env;
  if (SKYSLOT_SERVER) return serverUrl(SKYSLOT_SERVER, "SKYSLOT_SERVER");
  return (await lastSignIn()) ?? DEFAULT_SERVER_URL;
}

/** An error answer of the server. */
export class AnswerError extends Error {
  override readonly name = "AnswerError";
  /** Such as `REVISION_CHANGED`. */
  readonly code: string | undefined;

  constructor(message: string, code: string | undefined) {
    super(message);
    this.code = code;
  }
}

/**
 * Makes one request.
 * @param line such as `GET /api/fleet`
 * @param body a form, or anything else to send as JSON
 * @throws AnswerError with the server's message for answers other than 2xx
 */
export async function callServer<Answer>(
  flags: ServerFlags,
  line: string,
  body?: object,
  more: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const [method = "GET", path = "/"] = line.split(" ");
  const url = new URL(`${baseUrlOf(flags.server)}${path}`);
  const token = flags.isAnonymous ? undefined : await findToken(flags);
  const headers = new Headers(more);
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  const response = await send(url, method, body, headers);
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer as Answer;
  const { error, message } = (answer ?? {}) as { readonly error?: string; readonly message?: string };
  throw new AnswerError(
    `${baseUrlOf(flags.server)} answers ${response.status}${error ? ` ${error}` : ""}${message ? `: ${message}` : ""}`,
    error,
  );
}

/**
 * The URL of a server without a slash at its end: `https://example.com`, or `https://example.com/ota` behind a proxy. Sessions are
 * stored by it. @throws TypeError if it is no URL
 */
export function baseUrlOf(server: string): string {
  const { origin, pathname } = new URL(server);
  return `${origin}${pathname.replace(/\/+$/, "")}`;
}

/** The query of a path; what is `undefined` is left out. */
export const query = (fields: Readonly<Record<string, string | number | undefined>>): string =>
  `?${new URLSearchParams(defined(fields) as Record<string, string>)}`;

function send(url: URL, method: string, body?: object, headers = new Headers()): Promise<Response> {
  const isForm = body instanceof FormData;
  if (body && !isForm) headers.set("content-type", "application/json");
  const content = isForm ? body : JSON.stringify(body);
  return fetch(url, { method, headers, redirect: "error", ...defined({ body: content }) }).catch(
    (error: unknown) => {
      const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
      throw new Error(`${url.origin} does not answer (${code ?? message})`);
    },
  );
}

async function findToken({
  server,
  token,
  tokenFile,
  data = "data",
}: ServerFlags): Promise<string | undefined> {
  if (token !== undefined) return token;
  if (tokenFile !== undefined) return (await readFile(tokenFile, "utf8")).trim();
  const fromEnvironment = process.env.SKYSLOT_TOKEN;
  if (fromEnvironment) return fromEnvironment;
  const fromSession = await freshToken(baseUrlOf(server));
  if (fromSession !== undefined || !isLoopback(new URL(server).hostname)) return fromSession;
  return readFile(join(data, "admin.token"), "utf8").then(
    (text) => text.trim(),
    () => undefined,
  );
}

/** The access token of the session at a server: the stored one, or a new one. @throws Error if the session has ended */
async function freshToken(baseUrl: string): Promise<string | undefined> {
  const known = await loadCredentials(baseUrl);
  if (!known) return undefined;
  const validMs = known.accessExpiresAt - Date.now();
  if (validMs > RENEW_BEFORE_MS && validMs <= LONGEST_VALID_MS) return known.accessToken;
  const body = { refresh_token: known.refreshToken };
  const response = await send(new URL(`${baseUrl}/api/auth/refresh`), "POST", body);
  if (response.status === 401)
    throw new Error(`the session of ${known.name} has ended: run \`skyslot login --server ${baseUrl}\``);
  if (!response.ok) throw new Error(`${baseUrl} answers ${response.status} to the renewal of the session`);
  const renewed = describeAnswer((await response.json()) as TokenAnswer, known);
  await saveCredentials(baseUrl, renewed);
  return renewed.accessToken;
}
