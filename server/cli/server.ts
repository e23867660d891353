// `skyslot server`: runs the update server until it is told to stop.

import type { Command } from "commander";
import { printLine, UsageError, wholeNumber, yellow } from "./output.js";

interface Flags {
  readonly port: number;
  readonly host: string;
  readonly data: string;
  readonly trust?: readonly string[];
  readonly pollSeconds?: number;
  readonly openReads: boolean;
  readonly logLevel: string;
}

/** What may hold a secret is no option: everybody on a machine sees the options of its processes. */
const ENVIRONMENT = `
Environment:
  DATABASE_URL    postgres://USER:PASSWORD@HOST/DATABASE: the database instead of DATA/skyslot.db; several servers may share it`;

export function serverCommand(program: Command): void {
  program
    .command("server")
    .description("run the update server")
    .option("--port <port>", "port to listen on, 0 for any free one", wholeNumber, 8080)
    .option("--host <address>", "address to listen on; 0.0.0.0 to be reached by devices", "127.0.0.1")
    .option("--data <folder>", "folder for the database, the firmware and the keys", "data")
    .option(
      "--trust <file...>",
      "take only releases signed by one of these public keys (or *.jwk in DATA/trusted)",
    )
    .option("--poll-seconds <n>", "tell devices how long to wait between checks", wholeNumber)
    .option("--no-open-reads", "ask for a token for reads from this machine too")
    .option("--log-level <level>", "silent, error, warn, info or debug", "info")
    .addHelpText("after", ENVIRONMENT)
    .action(runServer);
}

async function runServer(flags: Flags): Promise<void> {
  if (flags.port > 65_535) throw new UsageError(`port ${flags.port} is above 65535`);
  const { readFile } = await import("node:fs/promises");
  const { pino } = await import("pino");
  const { startServer } = await import("../start.js");
  const { isLoopback } = await import("../api/guard.js");
  const isTerminal = process.stdout.isTTY === true;
  const log = pino({
    level: flags.logLevel,
    redact: ["req.headers.authorization", "req.headers.cookie"],
    ...(isTerminal ? { transport: { target: "pino-pretty", options: { ignore: "pid,hostname" } } } : {}),
  });
  const trustedKeys = await Promise.all(
    (flags.trust ?? []).map(async (file) => JSON.parse(await readFile(file, "utf8"))),
  );
  const server = await startServer({
    dataDir: flags.data,
    databaseUrl: process.env.DATABASE_URL || undefined,
    host: flags.host,
    port: flags.port,
    log,
    trustedKeys,
    settings: {
      ...(flags.openReads ? {} : { openReads: false }),
      ...(flags.pollSeconds === undefined ? {} : { pollSeconds: flags.pollSeconds }),
    },
  });
  printLine(`Skyslot listens on ${server.url}; the administrator's token is in ${server.tokenFile}`);
  if (!isLoopback(flags.host)) {
    printLine(
      yellow(
        "Anyone who reaches this address can check and download; put TLS in front of it outside your own network.",
      ),
    );
  }
  const stop = () => {
    process.removeListener("SIGINT", stop);
    process.removeListener("SIGTERM", stop);
    void server.close();
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}
