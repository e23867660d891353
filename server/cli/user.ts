// `skyslot user`: users of a server. For administrators, except for one's own password.

import { type Command, Option } from "commander";
import type { UserView } from "../api/account-views.js";
import { defined } from "../shared/defined.js";
import { ROLES } from "../shared/permissions.js";
import { callServer, commandsOf, type ServerFlags } from "./client.js";
import { printLine, printRows, show } from "./output.js";
import { readSecret, readSecrets } from "./secret-input.js";
import { toMinute } from "./times.js";

interface Flags extends ServerFlags {
  readonly role: string;
  readonly passwordFile?: string;
}
interface LinkAnswer {
  readonly link?: string;
  readonly link_expires_at?: string;
}

export function userCommand(program: Command): void {
  const add = commandsOf(program.command("user").description("add, list and change the users of a server"));
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
  add("link <name>", "print a one-time link with which a user sets a new password").action(
    (name: string, flags: Flags) => show(flags, withLink(flags, `POST ${userPath(name)}/link`), printLink),
  );
  add("password [name]", "change your own password or, as administrator, another user's")
    .option("--password-file <file>", "file with the new password in its first line; not for your own")
    .action(password);
}

async function addUser(name: string, flags: Flags): Promise<void> {
  const { role, passwordFile } = flags;
  const password = passwordFile === undefined ? undefined : await readSecret("", passwordFile);
  await showUser(flags, "POST /api/users", defined({ name, role, password }));
}

const list = (flags: Flags): Promise<void> =>
  show(flags, callServer<{ users: UserView[] }>(flags, "GET /api/users?limit=500"), ({ users }) =>
    printRows(users, {
      NAME: "name",
      ROLE: "role",
      STATE: (user) => (user.is_active ? (user.has_password ? "active" : "no password") : "disabled"),
      "LAST LOGIN": (user) => toMinute(user.last_login_at) ?? "never",
    }),
  );

const change = (name: string, changes: object, flags: Flags): Promise<void> =>
  showUser(flags, `PATCH ${userPath(name)}`, changes);

async function password(name: string | undefined, flags: Flags): Promise<void> {
  if (name !== undefined) {
    const password = await readSecret(`New password of ${name}: `, flags.passwordFile);
    return change(name, { password }, flags);
  }
  const [current_password, new_password] = await readSecrets(["Current password: ", "New password: "]);
  await showUser(flags, "POST /api/auth/password", { current_password, new_password });
}

const showUser = (flags: Flags, line: string, body: object): Promise<void> =>
  show(flags, withLink<UserView & LinkAnswer>(flags, line, body), (user) => {
    printLine(`${user.name}: ${user.role}${user.is_active ? "" : ", disabled"}`);
    printLink(user);
  });

/** The server answers with the path of a link. */
async function withLink<Answer extends LinkAnswer>(
  flags: Flags,
  line: string,
  body?: object,
): Promise<Answer> {
  const answer = await callServer<Answer>(flags, line, body);
  return answer.link ? { ...answer, link: new URL(answer.link, flags.server).href } : answer;
}

function printLink({ link, link_expires_at: end }: LinkAnswer): void {
  if (link !== undefined) printLine(`Valid once, until ${toMinute(end)}: ${link}`);
}

const userPath = (name: string): string => `/api/users/${encodeURIComponent(name)}`;
