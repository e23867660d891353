// `skyslot login`, `logout` and `whoami`: a session at a server, stored in the user's configuration folder.

import type { Command } from "commander";
import type { ActorView } from "../api/account-views.js";
import { baseUrlOf, callServer, commandsOf, type ServerFlags } from "./client.js";
import {
  credentialsFile,
  describeAnswer,
  loadCredentials,
  saveCredentials,
  type TokenAnswer,
} from "./credentials.js";
import { printLine, show } from "./output.js";
import { readLineFrom, readSecret } from "./secret-input.js";

interface LoginFlags extends ServerFlags {
  readonly name?: string;
  readonly passwordFile?: string;
}

export function loginCommands(program: Command): void {
  const add = commandsOf(program);
  add("login", "sign in to a server; the password is prompted for, or read from a pipe")
    .option("--name <name>", "user name")
    .option("--password-file <file>", "file with the password in its first line")
    .action(login);
  add("logout", "sign out of a server").action(logout);
  add("whoami", "show your user and permissions at a server").action(whoami);
}

async function login(flags: LoginFlags): Promise<void> {
  const baseUrl = baseUrlOf(flags.server);
  const name = flags.name ?? (await readLineFrom(`Name at ${baseUrl}: `, "give --name"));
  const password = await readSecret(`Password of ${name}: `, flags.passwordFile);
  const anonymous = { ...flags, isAnonymous: true };
  const answer = await callServer<TokenAnswer>(anonymous, "POST /api/auth/login", { name, password });
  await saveCredentials(baseUrl, describeAnswer(answer));
  const { user } = answer;
  const signedIn = { server: baseUrl, name: user.name, role: user.role, file: credentialsFile() };
  await show(
    flags,
    signedIn,
    ({ file }) => `${user.name} (${user.role}) is signed in at ${baseUrl}; the session is stored in ${file}`,
  );
}

async function logout(flags: LoginFlags): Promise<void> {
  const baseUrl = baseUrlOf(flags.server);
  const signedOut = { server: baseUrl, signed_in: false };
  const known = await loadCredentials(baseUrl);
  if (!known) return show(flags, signedOut, () => `not signed in at ${baseUrl}`);
  // Removed here in any case, even if the server cannot be reached.
  await saveCredentials(baseUrl, undefined);
  const body = { refresh_token: known.refreshToken };
  await callServer({ ...flags, isAnonymous: true }, "POST /api/auth/logout", body);
  await show(flags, signedOut, () => `${known.name} is signed out at ${baseUrl}`);
}

const whoami = (flags: LoginFlags): Promise<void> =>
  show(flags, callServer<ActorView>(flags, "GET /api/auth/me"), (actor) => {
    printLine(`${actor.name}, ${actor.role}, may: ${actor.scopes.join(", ")}`);
    if (actor.device_types) printLine(`sees and changes only ${actor.device_types.join(", ")}`);
  });
