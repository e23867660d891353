// `skyslot type` and `skyslot audit`: device types, and the audit log.

import type { Command } from "commander";
import type { AuditView } from "../api/account-views.js";
import type { TypeView } from "../api/release-views.js";
import { callServer, commandsOf, query, type ServerFlags } from "./client.js";
import { printRows, show, UsageError, wholeNumber } from "./output.js";
import { toSecond } from "./times.js";

interface AuditFlags extends ServerFlags {
  readonly actor?: string;
  readonly action?: string;
  readonly subject?: string;
  readonly limit: number;
}
const KINDS: readonly string[] = Object.freeze(["signed", "legacy"]);

export function typeCommands(program: Command): void {
  const add = commandsOf(
    program.command("type").description("list device types, and set whether they require signed releases"),
  );
  add("list", "list configured types; all others are signed").action((flags: ServerFlags) =>
    show(flags, callServer<{ types: TypeView[] }>(flags, "GET /api/types"), ({ types }) =>
      printRows(types, { TYPE: "name", KIND: "kind", SINCE: (type) => toSecond(type.updated_at) }),
    ),
  );
  add(
    "set <name> <kind>",
    "signed: releases need a manifest; legacy: its devices do not check signatures",
  ).action((name: string, kind: string, flags: ServerFlags) => {
    if (!KINDS.includes(kind)) throw new UsageError(`kind must be ${KINDS.join(" or ")}, not "${kind}"`);
    const answer = callServer(flags, `PUT /api/types/${encodeURIComponent(name)}`, { kind });
    return show(flags, answer, () => `type ${name} is ${kind}`);
  });

  const audit = commandsOf(program)("audit", "list who changed what, newest first")
    .option("--actor <name>", "only changes by this user or token")
    .option("--action <name>", "only changes of this kind, such as rollout.start")
    .option("--subject <name>", "only changes of this subject")
    .option("--limit <n>", "maximum number of rows to return", wholeNumber, 50)
    .action(listAudit);
  commandsOf(audit)(
    "undo <id>",
    "take back a change that gave devices or people more than they had, by its id in `skyslot audit`",
  ).action((id: string, flags: ServerFlags) =>
    show(
      flags,
      callServer<{ readonly outcome: string }>(flags, `POST /api/audit/${wholeNumber(id)}/undo`),
      ({ outcome }) => outcome,
    ),
  );
}

function listAudit({ actor, action, subject, limit, ...flags }: AuditFlags): Promise<void> {
  const path = `/api/audit${query({ limit, actor, action, subject })}`;
  return show(flags, callServer<{ entries: AuditView[] }>(flags, `GET ${path}`), ({ entries }) =>
    printRows(entries, {
      ID: "id",
      TIME: (entry) => toSecond(entry.time),
      WHO: "actor",
      WHAT: "action",
      "OF WHAT": "subject",
      UNDO: ({ undo }) => undo !== null,
    }),
  );
}
