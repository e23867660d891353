// `skyslot token`: tokens for programs, such as a build that uploads its releases.

import { type Command, Option } from "commander";
import type { TokenView } from "../api/account-views.js";
import { defined } from "../shared/defined.js";
import { SCOPE_NAMES, SCOPES } from "../shared/permissions.js";
import { callServer, commandsOf, query, type ServerFlags } from "./client.js";
import { printRows, printSecret, show, wholeNumber } from "./output.js";
import { toDay } from "./times.js";

interface CreateFlags extends ServerFlags {
  readonly scope: readonly string[];
  readonly type?: readonly string[];
  readonly days: number;
  readonly never?: boolean;
  readonly user?: string;
}
interface ListFlags extends ServerFlags {
  readonly user?: string;
  readonly all?: boolean;
}

const DEFAULT_DAYS = 90;
const SCOPE_HELP = Object.entries(SCOPES)
  .map(([name, meaning]) => `  ${name.padEnd(16)} ${meaning}`)
  .join("\n");

export function tokenCommand(program: Command): void {
  const add = commandsOf(program.command("token").description("create, list and revoke tokens for programs"));
  add("create <name>", "create a token and print it once")
    .addOption(new Option("--scope <scope...>", "what it may do").choices(SCOPE_NAMES).makeOptionMandatory())
    .option("--type <type...>", "device types that it may see and change (default: all)")
    .option("--days <n>", "days until it expires", wholeNumber, DEFAULT_DAYS)
    .option("--never", "it never expires")
    .option("--user <name>", "owner of the token; for administrators")
    .addHelpText("after", `\nScopes:\n${SCOPE_HELP}`)
    .action(create);
  add("list", "list your tokens")
    .option("--user <name>", "of this user; for administrators")
    .option("--all", "of all users; for administrators")
    .action(list);
  add("revoke <id>", "revoke a token immediately").action((id: string, flags: ServerFlags) =>
    show(
      flags,
      callServer<TokenView>(flags, `DELETE /api/tokens/${wholeNumber(id)}`),
      (token) => `token ${token.id} (${token.name}) is revoked`,
    ),
  );
}

function create(name: string, flags: CreateFlags): Promise<void> {
  const { scope: scopes, type: device_types, user } = flags;
  const expires_in_days = flags.never ? null : flags.days;
  const body = defined({ name, scopes, expires_in_days, device_types, user });
  const created = callServer<TokenView & { token: string }>(flags, "POST /api/tokens", body);
  return show(flags, created, (made) => {
    const end = made.expires_at ? `until ${toDay(made.expires_at)}` : "without expiry";
    printSecret(made.token, `token ${made.id} of ${made.user}, valid ${end}`);
  });
}

function list(flags: ListFlags): Promise<void> {
  const path = `/api/tokens${query({ all: flags.all ? "true" : undefined, user: flags.user })}`;
  return show(flags, callServer<{ tokens: TokenView[] }>(flags, `GET ${path}`), ({ tokens }) =>
    printRows(tokens, {
      ID: "id",
      NAME: "name",
      USER: "user",
      TYPES: (token) => token.device_types?.join(",") ?? "all",
      USED: (token) => toDay(token.last_used_at) ?? "never",
      EXPIRES: (token) => (token.revoked_at ? "revoked" : (toDay(token.expires_at) ?? "never")),
      SCOPES: (token) => token.scopes.join(","),
    }),
  );
}
