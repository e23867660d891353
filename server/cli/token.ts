// `skyslot token`: tokens for programs, such as a build that uploads its releases.

import { type Command, Option } from "commander";
import type { TokenView } from "../api/account-views.js";
import { SCOPE_NAMES, SCOPES } from "../shared/permissions.js";
import { callServer, jsonRequest, type ServerFlags, withServer } from "./client.js";
import { printJson, printLine, printTable, wholeNumber } from "./output.js";

interface CreateFlags extends ServerFlags {
  readonly scope: readonly string[];
  readonly type?: readonly string[];
  readonly days: number;
  readonly never?: boolean;
  readonly user?: string;
  readonly json?: boolean;
}
interface ListFlags extends ServerFlags {
  readonly user?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

const DEFAULT_DAYS = 90;
const SCOPE_HELP = Object.entries(SCOPES)
  .map(([name, meaning]) => `  ${name.padEnd(16)} ${meaning}`)
  .join("\n");

export function tokenCommand(program: Command): void {
  const token = program.command("token").description("create, list and revoke tokens for programs");
  withServer(token.command("create <name>").description("create a token and print it once"))
    .addOption(new Option("--scope <scope...>", "what it may do").choices(SCOPE_NAMES).makeOptionMandatory())
    .option("--type <type...>", "device types that it may change (default: all)")
    .option("--days <n>", "days until it expires", wholeNumber, DEFAULT_DAYS)
    .option("--never", "it never expires")
    .option("--user <name>", "owner of the token; for administrators")
    .option("--json", "print one JSON object")
    .addHelpText("after", `\nScopes:\n${SCOPE_HELP}`)
    .action(create);
  withServer(token.command("list").description("list your tokens"))
    .option("--user <name>", "of this user; for administrators")
    .option("--all", "of all users; for administrators")
    .option("--json", "print JSON")
    .action(list);
  withServer(token.command("revoke <id>").description("revoke a token immediately"))
    .option("--json", "print one JSON object")
    .action(revoke);
}

async function create(name: string, flags: CreateFlags): Promise<void> {
  const body = {
    name,
    scopes: flags.scope,
    expires_in_days: flags.never ? null : flags.days,
    ...(flags.type ? { device_types: flags.type } : {}),
    ...(flags.user ? { user: flags.user } : {}),
  };
  const made = (await callServer(flags, "/api/tokens", jsonRequest("POST", body))) as TokenView & {
    readonly token: string;
  };
  if (flags.json) return printJson(made);
  printLine(made.token);
  const end = made.expires_at ? `until ${made.expires_at.slice(0, 10)}` : "without expiry";
  process.stderr.write(`token ${made.id} of ${made.user}, valid ${end}; it is not shown again\n`);
}

async function list(flags: ListFlags): Promise<void> {
  const query = new URLSearchParams({
    ...(flags.all ? { all: "true" } : {}),
    ...(flags.user ? { user: flags.user } : {}),
  });
  const answer = (await callServer(flags, `/api/tokens?${query}`)) as {
    readonly tokens: readonly TokenView[];
  };
  if (flags.json) return printJson(answer);
  printTable(
    ["ID", "NAME", "USER", "TYPES", "USED", "EXPIRES", "SCOPES"],
    answer.tokens.map((token) => [
      `${token.id}`,
      token.name,
      token.user,
      token.device_types?.join(",") ?? "all",
      token.last_used_at?.slice(0, 10) ?? "never",
      token.revoked_at ? "revoked" : (token.expires_at?.slice(0, 10) ?? "never"),
      token.scopes.join(","),
    ]),
  );
}

async function revoke(id: string, flags: ListFlags): Promise<void> {
  const revoked = (await callServer(flags, `/api/tokens/${wholeNumber(id)}`, {
    method: "DELETE",
  })) as TokenView;
  if (flags.json) printJson(revoked);
  else printLine(`token ${revoked.id} (${revoked.name}) is revoked`);
}
