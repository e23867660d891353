// `skyslot type` and `skyslot audit`: device types, and the audit log.

import type { Command } from "commander";
import type { AuditView } from "../api/account-views.js";
import type { TypeView } from "../api/release-views.js";
import { callServer, jsonRequest, type ServerFlags, withServer } from "./client.js";
import { printJson, printLine, printTable, UsageError, wholeNumber } from "./output.js";

interface Flags extends ServerFlags {
  readonly json?: boolean;
}
interface AuditFlags extends Flags {
  readonly actor?: string;
  readonly action?: string;
  readonly subject?: string;
  readonly limit: number;
}
const KINDS: readonly string[] = Object.freeze(["signed", "legacy"]);

export function typeCommands(program: Command): void {
  const type = program
    .command("type")
    .description("list device types, and set whether they require signed releases");
  withServer(type.command("list").description("list configured types; all others are signed"))
    .option("--json", "print JSON")
    .action(async (flags: Flags) => {
      const answer = (await callServer(flags, "/api/types")) as { readonly types: readonly TypeView[] };
      if (flags.json) return printJson(answer);
      printTable(
        ["TYPE", "KIND", "SINCE"],
        answer.types.map(({ name, kind, updated_at }) => [name, kind, shortTime(updated_at)]),
      );
    });
  withServer(
    type
      .command("set <name> <kind>")
      .description("signed: releases need a manifest; legacy: its devices do not check signatures"),
  )
    .option("--json", "print JSON")
    .action(async (name: string, kind: string, flags: Flags) => {
      if (!KINDS.includes(kind)) throw new UsageError(`kind must be ${KINDS.join(" or ")}, not "${kind}"`);
      const answer = await callServer(
        flags,
        `/api/types/${encodeURIComponent(name)}`,
        jsonRequest("PUT", { kind }),
      );
      if (flags.json) printJson(answer);
      else printLine(`type ${name} is ${kind}`);
    });

  withServer(program.command("audit").description("list who changed what, newest first"))
    .option("--actor <name>", "only changes by this user or token")
    .option("--action <name>", "only changes of this kind, such as rollout.start")
    .option("--subject <name>", "only changes of this subject")
    .option("--limit <n>", "maximum number of rows to return", wholeNumber, 50)
    .option("--json", "print JSON")
    .action(listAudit);
}

async function listAudit({ actor, action, subject, limit, ...flags }: AuditFlags): Promise<void> {
  const query = new URLSearchParams({
    limit: `${limit}`,
    ...(actor === undefined ? {} : { actor }),
    ...(action === undefined ? {} : { action }),
    ...(subject === undefined ? {} : { subject }),
  });
  const answer = (await callServer(flags, `/api/audit?${query}`)) as {
    readonly entries: readonly AuditView[];
  };
  if (flags.json) return printJson(answer);
  printTable(
    ["ID", "TIME", "WHO", "WHAT", "OF WHAT"],
    answer.entries.map((entry) => [
      `${entry.id}`,
      shortTime(entry.time),
      entry.actor,
      entry.action,
      entry.subject,
    ]),
  );
}

const shortTime = (iso: string): string => iso.slice(0, 19).replace("T", " ");
