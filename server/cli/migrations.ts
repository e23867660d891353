// `skyslot server migrations`: which changes of the tables a database has. It changes nothing, also beside a running server.

import type { Command } from "commander";
import type { MigrationState } from "../store/migrations/migrate.js";
import { databaseUrl } from "./environment.js";
import { printLine, printRows, show, UsageError } from "./output.js";
import { showTimesIn, toSecond } from "./times.js";

interface Flags {
  readonly data: string;
  readonly utc?: boolean;
  readonly json?: boolean;
}

export function addMigrationsCommand(server: Command): void {
  server
    .command("migrations")
    .description("list the changes of the tables that a database has, and those that the next start applies")
    .option("--data <folder>", "data folder of the server, unless DATABASE_URL is set", "data")
    .option("--utc", "show times in UTC, not in the zone of this machine")
    .option("--json", "print one JSON object")
    .action(listAll);
}

async function listAll(flags: Flags): Promise<void> {
  const { access } = await import("node:fs/promises");
  const { join } = await import("node:path");
  const { connect } = await import("../store/open.js");
  const { listMigrations } = await import("../store/migrations/migrate.js");
  showTimesIn(flags.utc ? "UTC" : undefined);
  const url = databaseUrl();
  const file = join(flags.data, "skyslot.db");
  if (url === undefined)
    await access(file).catch(() => {
      throw new UsageError(`${file} does not exist: --data is the data folder of a server`);
    });
  const database = await connect({ databaseUrl: url, file });
  try {
    const migrations = await listMigrations(database);
    await show(flags, { migrations: migrations.map(view), can_be_undone: false }, () => print(migrations));
  } finally {
    await database.db.destroy();
  }
}

const view = ({ name, appliedAt, isKnown }: MigrationState) => ({
  name,
  applied_at: appliedAt ?? null,
  is_known: isKnown,
});

function print(migrations: readonly MigrationState[]): void {
  printRows(migrations, {
    MIGRATION: "name",
    APPLIED: ({ appliedAt }) => toSecond(appliedAt) ?? "at the next start",
    VERSION: ({ isKnown }) => (isKnown ? "this one" : "a newer one"),
  });
  printLine();
  printLine(
    "Migrations cannot be undone: to go back to an older version of Skyslot, restore a backup from before (`skyslot server backup`).",
  );
}
