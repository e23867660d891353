// `skyslot login`, `logout` and `whoami`: a session at a server, stored in the user's configuration folder.

import type { Command } from "commander";
import type { ActorView } from "../api/account-views.js";
import { callServer, type ServerFlags, withServer } from "./client.js";
import {
  credentialsFile,
  describeAnswer,
  loadCredentials,
  saveCredentials,
  type TokenAnswer,
} from "./credentials.js";
import { printJson, printLine } from "./output.js";
import { readLineFrom, readSecret } from "./secret-input.js";

interface LoginFlags extends ServerFlags {
  readonly name?: string;
  readonly passwordFile?: string;
  readonly json?: boolean;
}

export function loginCommands(program: Command): void {
  withServer(
    program
      .command("login")
      .description("sign in to a server; the password is prompted for, or read from a pipe"),
  )
    .option("--name <name>", "user name")
    .option("--password-file <file>", "file with the password in its first line")
    .option("--json", "print one JSON object")
    .action(login);
  withServer(program.command("logout").description("sign out of a server"))
    .option("--json", "print one JSON object")
    .action(logout);
  withServer(program.command("whoami").description("show your user and permissions at a server"))
    .option("--json", "print one JSON object")
    .action(whoami);
}

async function login(flags: LoginFlags): Promise<void> {
  const { origin } = new URL(flags.server);
  const name = flags.name ?? (await readLineFrom(`Name at ${origin}: `, "give --name"));
  const password = await readSecret(`Password of ${name}: `, flags.passwordFile);
  const answer = (await callServer({ ...flags, isAnonymous: true }, "/api/auth/login", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name, password }),
  })) as TokenAnswer;
  await saveCredentials(origin, describeAnswer(answer));
  const { role } = answer.user;
  if (flags.json) printJson({ server: origin, name: answer.user.name, role, file: credentialsFile() });
  else
    printLine(
      `${answer.user.name} (${role}) is signed in at ${origin}; the session is stored in ${credentialsFile()}`,
    );
}

async function logout(flags: LoginFlags): Promise<void> {
  const { origin } = new URL(flags.server);
  const known = await loadCredentials(origin);
  if (!known) {
    if (flags.json) printJson({ server: origin, signed_in: false });
    else printLine(`not signed in at ${origin}`);
    return;
  }
  // Removed here in any case, even if the server cannot be reached.
  await saveCredentials(origin, undefined);
  await callServer({ ...flags, isAnonymous: true }, "/api/auth/logout", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ refresh_token: known.refreshToken }),
  });
  if (flags.json) printJson({ server: origin, signed_in: false });
  else printLine(`${known.name} is signed out at ${origin}`);
}

async function whoami(flags: LoginFlags): Promise<void> {
  const actor = (await callServer(flags, "/api/auth/me")) as ActorView;
  if (flags.json) return printJson(actor);
  printLine(`${actor.name}, ${actor.role}, may: ${actor.scopes.join(", ")}`);
  if (actor.device_types) printLine(`changes only ${actor.device_types.join(", ")}`);
}
