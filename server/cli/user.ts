// `skyslot user`: users of a server. For administrators, except for one's own password.

import { type Command, Option } from "commander";
import type { UserView } from "../api/account-views.js";
import { ROLES } from "../shared/permissions.js";
import { callServer, jsonRequest, type ServerFlags, withServer } from "./client.js";
import { printJson, printLine, printTable } from "./output.js";
import { readSecret, readSecrets } from "./secret-input.js";

interface Flags extends ServerFlags {
  readonly role: string;
  readonly passwordFile?: string;
  readonly json?: boolean;
}
interface LinkAnswer {
  readonly link?: string;
  readonly link_expires_at?: string;
}

export function userCommand(program: Command): void {
  const user = program.command("user").description("add, list and change the users of a server");
  const add = (usage: string, description: string) =>
    withServer(user.command(usage).description(description)).option("--json", "print JSON");
  add("add <name>", "add a user; without a password file, print a link to set the password")
    .addOption(new Option("--role <role>", "role of the user").choices(ROLES).default("viewer"))
    .option("--password-file <file>", "file with their password in its first line")
    .action(addUser);
  add("list", "list users").action(list);
  add("role <name> <role>", `change what a user may do: ${ROLES.join(", ")}`).action(
    (name: string, role: string, flags: Flags) => change(name, { role }, flags),
  );
  add("disable <name>", "sign a user out and refuse further sign-ins").action((name: string, flags: Flags) =>
    change(name, { is_active: false }, flags),
  );
  add("enable <name>", "enable a disabled user").action((name: string, flags: Flags) =>
    change(name, { is_active: true }, flags),
  );
  add("link <name>", "print a one-time link with which a user sets a new password").action(link);
  add("password [name]", "change your own password or, as administrator, another user's")
    .option("--password-file <file>", "file with the new password in its first line; not for your own")
    .action(password);
}

async function addUser(name: string, flags: Flags): Promise<void> {
  const given =
    flags.passwordFile === undefined ? {} : { password: await readSecret("", flags.passwordFile) };
  const added = await callServer(
    flags,
    "/api/users",
    jsonRequest("POST", { name, role: flags.role, ...given }),
  );
  show(added as UserView & LinkAnswer, flags);
}

async function list(flags: Flags): Promise<void> {
  const answer = (await callServer(flags, "/api/users?limit=500")) as { readonly users: readonly UserView[] };
  if (flags.json) return printJson(answer);
  printTable(
    ["NAME", "ROLE", "STATE", "LAST LOGIN"],
    answer.users.map((user) => [
      user.name,
      user.role,
      user.is_active ? (user.has_password ? "active" : "no password") : "disabled",
      user.last_login_at?.slice(0, 16).replace("T", " ") ?? "never",
    ]),
  );
}

async function change(name: string, changes: object, flags: Flags): Promise<void> {
  show((await callServer(flags, userPath(name), jsonRequest("PATCH", changes))) as UserView, flags);
}

async function link(name: string, flags: Flags): Promise<void> {
  const answer = (await callServer(flags, `${userPath(name)}/link`, { method: "POST" })) as LinkAnswer;
  if (flags.json) printJson({ ...answer, link: absolute(answer.link, flags) });
  else printLink(answer, flags);
}

async function password(name: string | undefined, flags: Flags): Promise<void> {
  if (name !== undefined) {
    await change(
      name,
      { password: await readSecret(`New password of ${name}: `, flags.passwordFile) },
      flags,
    );
    return;
  }
  const [current_password, new_password] = await readSecrets(["Current password: ", "New password: "]);
  const body = { current_password, new_password };
  show((await callServer(flags, "/api/auth/password", jsonRequest("POST", body))) as UserView, flags);
}

function show(user: UserView & LinkAnswer, flags: Flags): void {
  if (flags.json) return printJson(user.link ? { ...user, link: absolute(user.link, flags) } : user);
  printLine(`${user.name}: ${user.role}${user.is_active ? "" : ", disabled"}`);
  printLink(user, flags);
}

function printLink({ link, link_expires_at: end }: LinkAnswer, flags: Flags): void {
  if (link !== undefined)
    printLine(`Valid once, until ${end?.slice(0, 16).replace("T", " ")}: ${absolute(link, flags)}`);
}

const absolute = (link: string | undefined, { server }: Flags) => link && new URL(link, server).href;
const userPath = (name: string): string => `/api/users/${encodeURIComponent(name)}`;
