// `skyslot server`: runs the update server until it is stopped.

import type { Command } from "commander";
import type { MqttOptions } from "../events/mqtt.js";
import { readPublicUrl } from "../runtime/public-url.js";
import type { TlsFiles } from "../runtime/tls.js";
import { defined } from "../shared/defined.js";
import { databaseUrl, fromEnvironment } from "./environment.js";
import { addMigrationsCommand } from "./migrations.js";
import { printJson, printLine, sizeText, UsageError, wholeNumber, yellow } from "./output.js";
import { addPublishCommand } from "./root-server.js";

interface Flags {
  readonly port: number;
  readonly host: string;
  readonly data: string;
  readonly trust?: readonly string[];
  readonly legacyType?: readonly string[];
  readonly pollSeconds?: number;
  readonly pollForAll?: boolean;
  readonly publicUrl?: string;
  readonly trustProxy?: readonly string[];
  readonly testCard?: { readonly width: number; readonly height: number };
  readonly openGateways?: boolean;
  readonly openReads: boolean;
  readonly fastPath: boolean;
  readonly downloadsFrom?: string;
  readonly keepLogDays?: number;
  readonly keepLogLines?: number;
  readonly keepAttemptDays?: number;
  readonly demo?: true | string;
  readonly maxConnections: number;
  readonly maxConnectionsEach: number;
  readonly newDevicesAtOnce: number;
  readonly newDevicesPerMinute: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsPort?: number;
  readonly drainSeconds: number;
  readonly logLevel: string;
}

const DAY_MS = 24 * 60 * 60_000;

/** Values that may contain secrets are not options: every user of a machine can see the options of its processes. */
const ENVIRONMENT = `
Environment:
  DATABASE_URL    postgres://USER:PASSWORD@HOST/DATABASE: the database, instead of DATA/skyslot.db; several servers may share it
  BLOB_STORE      s3://BUCKET/PREFIX: the blob store, instead of DATA/blobs, with AWS's usual variables (AWS_REGION,
                  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY); for other S3 servers AWS_ENDPOINT_URL and ?path-style=true
  MQTT_URL        mqtt://USER:PASSWORD@HOST or mqtts://…: publish events to this broker; or MQTT_USERNAME and
                  MQTT_PASSWORD. MQTT_PREFIX is the first level of the topics (skyslot), MQTT_CLIENT_ID this server's client id
  FRESHNESS_KEY   the private key of statements of freshness (the JSON of \`skyslot keys freshness\`), instead of DATA/freshness.jwk
  NAME_FILE       a file with the value of NAME, for any of these: DATABASE_URL, DATABASE_PASSWORD (put into the URL), MQTT_URL,
                  MQTT_PASSWORD, FRESHNESS_KEY`;

export function serverCommand(program: Command): void {
  const server = program
    .command("server")
    .description("run the update server")
    .option("--port <port>", "port to listen on, 0 for any free port", wholeNumber, 8080)
    .option("--host <address>", "address to listen on; 0.0.0.0 for access from other machines", "127.0.0.1")
    .option("--data <folder>", "folder for the database, the firmware and the keys", "data")
    .option(
      "--trust <file...>",
      "accept only releases signed by one of these public keys (or *.jwk in DATA/trusted)",
    )
    .option(
      "--legacy-type <name...>",
      "make these device types legacy: their devices do not check signatures, and take unsigned firmware",
    )
    .option("--poll-seconds <n>", "check interval of devices without their own checkSeconds", wholeNumber)
    .option(
      "--poll-for-all",
      "for emergencies: --poll-seconds overrides the checkSeconds of every device, as long as this option is set",
    )
    .option(
      "--public-url <url>",
      "public URL of this server, such as https://updates.example.com, or https://example.com/ota behind a proxy",
    )
    .option(
      "--trust-proxy <address...>",
      "trust the forwarded headers of these proxies; addresses or networks",
    )
    .option(
      "--test-card <size>",
      "send a test card of this size to panels without a picture, such as 200x200",
      size,
    )
    .option(
      "--open-gateways",
      "let mesh gateways of the local network (private addresses) find and report updates without a token",
    )
    .option("--no-open-reads", "require a token for reads from this machine, too")
    .option(
      "--no-fast-path",
      "process every check in full, including those that change nothing: slower, for troubleshooting the fast path",
    )
    .option(
      "--downloads-from <url>",
      "redirect clients that follow redirects to this cache or CDN for images; `link`: to S3",
    )
    .option("--keep-log-days <n>", "days to keep lines of the log (default: 365)", wholeNumber)
    .option("--keep-log-lines <n>", "maximum number of lines in the log (default: 1000000)", wholeNumber)
    .option("--keep-attempt-days <n>", "days to keep ended attempts (default: 730)", wholeNumber)
    .option(
      "--demo [seed]",
      "a sample fleet of 200 devices with four weeks of history, which goes on checking and updating",
    )
    .option("--max-connections <n>", "maximum number of open connections", atLeastOne, 10_000)
    .option(
      "--max-connections-each <n>",
      "maximum number of open connections per address, trusted proxies excepted",
      atLeastOne,
      1_000,
    )
    .option(
      "--new-devices-at-once <n>",
      "number of new devices that one address may register at once; devices with an enrolment token are not counted",
      atLeastOne,
      500,
    )
    .option(
      "--new-devices-per-minute <n>",
      "number of new devices per minute and address after that",
      atLeastOne,
      10,
    )
    .option("--tls-cert <file>", "serve HTTPS with this certificate chain (PEM); reloaded when it changes")
    .option("--tls-key <file>", "the private key of the certificate (PEM)")
    .option(
      "--tls-port <port>",
      "serve HTTPS on this port, and plain HTTP on --port, while there are devices without TLS",
      wholeNumber,
    )
    .option(
      "--drain-seconds <n>",
      "at SIGTERM, keep serving this long while /readyz already fails, for load balancers",
      wholeNumber,
      0,
    )
    .option("--log-level <level>", "silent, error, warn, info or debug", "info")
    .addHelpText("after", ENVIRONMENT)
    .action(runServer);
  server
    .command("backup <folder>")
    .description("copy the data folder of a server that may be running; the copy is a data folder itself")
    .option("--data <folder>", "data folder of the server", "data")
    .option("--json", "print one JSON object")
    .action(runBackup);
  addMigrationsCommand(server);
  addPublishCommand(server);
}

async function runBackup(
  folder: string,
  { data, json }: { readonly data: string; readonly json?: boolean },
): Promise<void> {
  if (databaseUrl() !== undefined) {
    throw new UsageError("the database is DATABASE_URL: use pg_dump or `skyslot export`");
  }
  const { backUp } = await import("../backup/backup.js");
  const { makePrivateFiles } = await import("../runtime/private-folder.js");
  makePrivateFiles();
  const { copiedCount, databaseBytes } = await backUp(data, folder);
  if (json) return printJson({ folder, database_bytes: databaseBytes, copied_files: copiedCount });
  const elsewhere = process.env.BLOB_STORE ? "; firmware in BLOB_STORE is not included" : "";
  printLine(
    `${folder} contains a database of ${sizeText(databaseBytes)} and ${copiedCount} new files${elsewhere}`,
  );
}

function size(text: string): { readonly width: number; readonly height: number } {
  const [, width, height] = /^(\d{1,4})x(\d{1,4})$/.exec(text) ?? [];
  if (!Number(width) || !Number(height) || Number(width) > 4096 || Number(height) > 4096)
    throw new UsageError(`"${text}" is not a size such as 200x200, up to 4096x4096`);
  return { width: Number(width), height: Number(height) };
}

/** @throws UsageError */
function typeName(name: string): string {
  if (!/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/.test(name))
    throw new UsageError(`"${name}" is not a device type: letters, digits, ".", "_" and "-", at most 64`);
  return name;
}

function atLeastOne(text: string): number {
  const number = wholeNumber(text);
  if (number === 0) throw new UsageError("0 would refuse every client: use 1 or more");
  return number;
}

async function runServer(flags: Flags): Promise<void> {
  if (flags.port > 65_535) throw new UsageError(`port ${flags.port} is above 65535`);
  const { readFile } = await import("node:fs/promises");
  const { pino } = await import("pino");
  const { readTrustedKey } = await import("../../release/keys.js");
  const { startServer } = await import("../start.js");
  const { isLoopback } = await import("../api/guard.js");
  const { DEFAULT_CONNECTIONS } = await import("../runtime/connections.js");
  const { trustProxies } = await import("../runtime/trusted-proxies.js");
  const { printableLog } = await import("../shared/printable.js");
  const { makePrivateFiles } = await import("../runtime/private-folder.js");
  const { warnIfGitSees } = await import("./git-ignore.js");
  makePrivateFiles();
  // Before anything is opened.
  trustProxies(flags.trustProxy ?? []);
  const isTerminal = process.stdout.isTTY === true;
  const log = pino({
    level: flags.logLevel,
    redact: ["req.headers.authorization", "req.headers.cookie"],
    hooks: { streamWrite: printableLog },
    ...(isTerminal ? { transport: { target: "pino-pretty", options: { ignore: "pid,hostname" } } } : {}),
  });
  const trustedKeys = await Promise.all(
    (flags.trust ?? []).map(async (file) => readTrustedKey(await readFile(file, "utf8"), file)),
  );
  if (flags.demo !== undefined)
    printLine("Creating four weeks of sample data, unless the folder has them; this takes a few seconds");
  const server = await startServer({
    dataDir: flags.data,
    blobStoreUrl: process.env.BLOB_STORE || undefined,
    retention: defined({
      eventMaxAgeMs: flags.keepLogDays && flags.keepLogDays * DAY_MS,
      eventMaxCount: flags.keepLogLines,
      attemptMaxAgeMs: flags.keepAttemptDays && flags.keepAttemptDays * DAY_MS,
    }),
    databaseUrl: databaseUrl(),
    tls: readTls(flags),
    tlsPort: flags.tlsPort,
    sampleSeed: flags.demo === true ? "skyslot" : flags.demo,
    mqtt: readMqtt(),
    shutdown: { drainMs: flags.drainSeconds * 1000 },
    host: flags.host,
    port: flags.port,
    log,
    trustedKeys,
    freshnessKey: fromEnvironment("FRESHNESS_KEY"),
    legacyTypes: (flags.legacyType ?? []).map(typeName),
    testCard: flags.testCard,
    settings: {
      connections: {
        ...DEFAULT_CONNECTIONS,
        maxCount: flags.maxConnections,
        maxCountEach: flags.maxConnectionsEach,
      },
      newDeviceRate: { burst: flags.newDevicesAtOnce, perSecond: flags.newDevicesPerMinute / 60 },
      fastPath: flags.fastPath,
      ...defined({
        openReads: flags.openReads ? undefined : false,
        openGateways: flags.openGateways,
        downloadsFrom: flags.downloadsFrom === undefined ? undefined : readPlace(flags.downloadsFrom),
        publicUrl: flags.publicUrl === undefined ? undefined : publicUrl(flags.publicUrl),
        trustedProxies: flags.trustProxy,
        pollSeconds: flags.pollSeconds,
        pollIsForAll: flags.pollForAll,
      }),
    },
  });
  await warnIfGitSees(flags.data, "the folder of secrets");
  const urls = server.tlsUrl === undefined ? server.url : `${server.tlsUrl} and ${server.url}`;
  printLine(`Skyslot listens on ${urls}; the administrator's token is in ${server.tokenFile}`);
  if (server.setupUrl !== undefined) {
    printLine(
      `There is no administrator yet. Create one within an hour, with this one-time link: ${server.setupUrl}`,
    );
  }
  if (flags.demo !== undefined)
    printLine("Its devices check every two minutes. base 1.3.0 waits: plan its rollout, and watch it.");
  if (!isLoopback(flags.host) && (flags.tlsCert === undefined || flags.tlsPort !== undefined)) {
    printLine(
      yellow("Anyone who can reach this address can check and download; use TLS outside your own network."),
    );
  }
  if (flags.tlsCert !== undefined) {
    process.on("SIGHUP", () => {
      server.reloadCertificate().catch((err) => log.error({ err }, "the old certificate stays in use"));
    });
  }
  const stop = () => {
    process.removeListener("SIGINT", stop);
    process.removeListener("SIGTERM", stop);
    void server.close();
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}

function readPlace(text: string): string {
  if (text === "link" || (/^https?:\/\//.test(text) && URL.canParse(text))) return text;
  throw new UsageError(`--downloads-from is "${text}", it must be \`link\` or begin with https://`);
}

function publicUrl(text: string): string {
  try {
    return readPublicUrl(text);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function readTls({ tlsCert, tlsKey, tlsPort }: Flags): TlsFiles | undefined {
  if (tlsPort !== undefined && tlsCert === undefined)
    throw new UsageError("--tls-port needs --tls-cert and --tls-key");
  if (tlsPort !== undefined && tlsPort > 65_535) throw new UsageError(`port ${tlsPort} is above 65535`);
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined)
    throw new UsageError("--tls-cert and --tls-key go together");
  return { cert: tlsCert, key: tlsKey };
}

function readMqtt(): MqttOptions | undefined {
  const url = fromEnvironment("MQTT_URL");
  if (url === undefined) return undefined;
  return {
    url,
    username: process.env.MQTT_USERNAME || undefined,
    password: fromEnvironment("MQTT_PASSWORD"),
    prefix: process.env.MQTT_PREFIX || undefined,
    clientId: process.env.MQTT_CLIENT_ID || undefined,
  };
}
