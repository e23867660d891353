// Starts a server on a data folder: opens what lies there, or makes it, and listens.
//
//   data/skyslot.db   what the server remembers                 data/admin.token  the local administrator's token, 0600
//   data/blobs/       firmware files, addressed by content      data/skyslot.db.lock  locked while a server uses the folder
//   data/content/     pictures for panels: DEVICE.pbm, TYPE.pbm, default.pbm
//   data/freshness.jwk  the private key of statements of freshness, 0600, if devices ask for them
//   data/trusted/     public release keys (*.jwk); if there are any, only releases signed by one of them are taken

import { readdir, readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import type { JWK } from "jose";
import { publicPart, readTrustedKey } from "../release/keys.js";
import type { Settings } from "./api/context.js";
import { isLoopback } from "./api/guard.js";
import { createApp } from "./app.js";
import { FIRST_LINK_VALID_MS, makeLink } from "./auth/accounts.js";
import { Auth } from "./auth/auth.js";
import { openLocalToken } from "./auth/local-token.js";
import { type Background, startBackground } from "./background.js";
import { openBlobs } from "./blobs/open.js";
import { firstOf, folderContent, testCard } from "./content/content.js";
import type { LiveFleet } from "./demo/live-fleet.js";
import type { SampleOptions } from "./demo/sample-fleet.js";
import { isTypeName } from "./devices/type-names.js";
import { recordChange } from "./events/journal.js";
import type { Relay } from "./events/live.js";
import type { MqttOptions } from "./events/mqtt.js";
import { setTypeKind } from "./releases/device-type.js";
import { FRESHNESS_FILE, FreshnessKey } from "./releases/freshness.js";
import { type FolderLock, lockFolder } from "./runtime/folder-lock.js";
import { keepNewObjectsYoung } from "./runtime/memory.js";
import { openPrivateFolder } from "./runtime/private-folder.js";
import { DEFAULT_SHUTDOWN, type ShutdownLimits, shutDown } from "./runtime/shutdown.js";
import { Certificate, type TlsFiles } from "./runtime/tls.js";
import type { Actor } from "./shared/actor.js";
import { openStore } from "./store/open.js";
import type { Store } from "./store/store.js";
import { DEFAULT_RETENTION, type Retention, startUpkeep } from "./upkeep.js";

/** How often rollouts are evaluated without a check. */
const TICK_MS = 15_000;

export interface ServerOptions {
  readonly dataDir: string;
  /** `postgres://…`: the database lies there, not in the data folder, and other servers may share it. */
  readonly databaseUrl?: string | undefined;
  /** `s3://BUCKET/PREFIX`: the firmware lies there, not in the data folder. */
  readonly blobStoreUrl?: string | undefined;
  /** How long logs are kept. */
  readonly retention?: Partial<Retention>;
  /** Address to listen on; loopback by default. */
  readonly host?: string;
  /** 0: any free one. */
  readonly port?: number;
  readonly log?: FastifyBaseLogger | undefined;
  /** Absent: plain HTTP. */
  readonly tls?: TlsFiles | undefined;
  /** HTTPS on this port, 0: any free one, and plain HTTP on the other; absent: `tls` is for the only port. */
  readonly tlsPort?: number | undefined;
  /** Absent: nothing is published. */
  readonly mqtt?: MqttOptions | undefined;
  readonly shutdown?: Partial<ShutdownLimits>;
  /** Fills an empty store with sample data, and lets its devices go on; the same seed gives the same fleet. */
  readonly sampleSeed?: string | undefined;
  readonly now?: () => number;
  /** Public release keys beside those in the data folder. */
  readonly trustedKeys?: readonly JWK[];
  /** Signs statements of freshness, JWK; absent: `freshness.jwk` of the data folder, if there is one. */
  readonly freshnessKey?: string | undefined;
  /** Device types that are made legacy. */
  readonly legacyTypes?: readonly string[];
  /** Size of the card for panels to which nothing is assigned; absent: they get none. */
  readonly testCard?: { readonly width: number; readonly height: number } | undefined;
  /** By default reads are open when the server listens on loopback only. */
  readonly settings?: Partial<Omit<Settings, "trustedKeys" | "freshnessKey">>;
}

export interface RunningServer {
  /** Without a slash at its end. */
  readonly url: string;
  /** HTTPS beside it. */
  readonly tlsUrl: string | undefined;
  readonly app: FastifyInstance;
  /** Good for everything: keep it out of logs and URLs. */
  readonly adminToken: string;
  readonly tokenFile: string;
  /** The person who opens it becomes the first administrator; `undefined`: there is one. Good once, and for an hour. */
  readonly setupUrl: string | undefined;
  /** Reads the files of the certificate again. @throws if they are no pair; the old one then stays in use */
  reloadCertificate(): Promise<void>;
  /** Finishes what is under way, see shutdown.ts. */
  close(): Promise<void>;
}

/** Addresses to listen on that no browser can open everywhere. */
const EVERY_ADDRESS: readonly string[] = Object.freeze(["0.0.0.0", "::"]);

/** @throws Error with a sentence for the operator, also if another server uses the folder */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  keepNewObjectsYoung();
  const { dataDir, databaseUrl } = options;
  const certificate = options.tls && (await Certificate.open(options.tls));
  await openPrivateFolder(dataDir);
  const lock = databaseUrl ? undefined : lockFolder(dataDir);
  try {
    return await startInFolder(options, certificate, lock);
  } catch (error) {
    lock?.release();
    throw error;
  }
}

async function startInFolder(
  options: ServerOptions,
  certificate: Certificate | undefined,
  lock: FolderLock | undefined,
): Promise<RunningServer> {
  const { dataDir, host = "127.0.0.1", port = 8080, now = Date.now } = options;
  const { token: adminToken, file: tokenFile } = await openLocalToken(dataDir);
  const trustedKeys = [
    ...(await readTrustedKeys(join(dataDir, "trusted"))),
    ...(options.trustedKeys ?? []),
  ].map(publicPart);
  const freshnessKey =
    options.freshnessKey === undefined
      ? await FreshnessKey.open(join(dataDir, FRESHNESS_FILE))
      : await FreshnessKey.read(options.freshnessKey, "FRESHNESS_KEY");
  const blobs = await openBlobs({ url: options.blobStoreUrl, folder: join(dataDir, "blobs") });
  const { databaseUrl } = options;
  const onTrouble = (err: Error) => options.log?.warn({ err }, "connection to the database lost");
  const store = await openStore({ databaseUrl, file: join(dataDir, "skyslot.db"), onTrouble });
  const relay = databaseUrl ? await openRelay(databaseUrl, onTrouble) : undefined;
  const { sampleSeed } = options;
  if (sampleSeed !== undefined)
    await fillSamples(dataDir, { store, blobs, seed: sampleSeed, endsAt: now() }, relay);
  const auth = new Auth({ store, now, localToken: adminToken });
  const content = firstOf(
    folderContent(join(dataDir, "content"), (name) => isTypeName(store, name)),
    ...(options.testCard ? [testCard(options.testCard.width, options.testCard.height)] : []),
  );
  const hasPlainToo = certificate !== undefined && options.tlsPort !== undefined;
  const settings = {
    openReads: isLoopback(host),
    ...options.settings,
    hasPlainToo,
    trustedKeys,
    freshnessKey,
  };
  const { log } = options;
  const pairs = hasPlainToo ? { tlsBeside: certificate.pair } : { tls: certificate?.pair };
  const app = createApp({ store, blobs, auth, content, relay, now, log, settings, ...pairs });
  let background: Background | undefined;
  let liveFleet: LiveFleet | undefined;
  const endUpkeep = startUpkeep({
    store,
    blobs,
    now,
    retention: { ...DEFAULT_RETENTION, ...options.retention },
    onTrouble: (err) => options.log?.error({ err }, "old records could not be removed"),
  });
  app.addHook("onClose", async () => {
    await liveFleet?.close();
    await background?.close();
    await endUpkeep();
    await relay?.close();
    await store.close();
    await blobs.close();
    lock?.release();
  });
  keepTicking(app);
  try {
    const local = (await auth.identify(adminToken, "")) as Actor;
    for (const name of options.legacyTypes ?? [])
      await recordChange(app.context, local, (journal) => setTypeKind(journal, name, "legacy"));
    await app.listen({ host, port });
    if (options.tlsPort !== undefined && hasPlainToo) await app.listenTls({ host, port: options.tlsPort });
    const tlsServer = app.tlsServer ?? app.server;
    background = startBackground(app.context, { log, mqtt: options.mqtt, certificate, server: tlsServer });
    if (sampleSeed !== undefined) liveFleet = await startSamples(app, store, now, log);
  } catch (error) {
    await app.close();
    throw error;
  }
  const address = app.server.address() as AddressInfo;
  const name = host.includes(":") ? `[${host}]` : host;
  const scheme = certificate && !hasPlainToo ? "https" : "http";
  const tlsAddress = app.tlsServer?.address() as AddressInfo | undefined;
  const url = `${scheme}://${name}:${address.port}`;
  const reachable = EVERY_ADDRESS.includes(host) ? `${scheme}://localhost:${address.port}` : url;
  const setupUrl = await makeSetupUrl(store, app.context.settings.publicUrl ?? reachable, now);
  return {
    url,
    tlsUrl: tlsAddress && `https://${name}:${tlsAddress.port}`,
    app,
    adminToken,
    tokenFile,
    setupUrl,
    reloadCertificate: async () => certificate?.reload(app.tlsServer ?? app.server),
    close: () => shutDown(app, app.context.readiness, { ...DEFAULT_SHUTDOWN, ...options.shutdown }),
  };
}

/** Between the servers that share a database. What only PostgreSQL needs is loaded only then. */
async function openRelay(databaseUrl: string, onTrouble: (error: Error) => void): Promise<Relay> {
  const { openPostgresRelay } = await import("./events/postgres-relay.js");
  return openPostgresRelay(databaseUrl, onTrouble);
}

async function fillSamples(dataDir: string, samples: SampleOptions, relay: Relay | undefined): Promise<void> {
  const { fillSampleFolder } = await import("./demo/sample-folder.js");
  try {
    await fillSampleFolder(dataDir, samples);
  } catch (error) {
    await relay?.close();
    await samples.store.close();
    await samples.blobs.close();
    throw error;
  }
}

async function startSamples(
  app: FastifyInstance,
  store: Store,
  now: () => number,
  log: FastifyBaseLogger | undefined,
): Promise<LiveFleet> {
  const { startLiveFleet } = await import("./demo/live-fleet.js");
  const onTrouble = (err: unknown) => log?.error({ err }, "a sample device has failed");
  return startLiveFleet({ app, store, now, random: Math.random, onTrouble });
}

/** The secret is in the fragment, which a browser does not send, so it is in no log. */
async function makeSetupUrl(store: Store, url: string, now: () => number): Promise<string | undefined> {
  if ((await store.countAdmins()) > 0) return undefined;
  const link = makeLink(null, Math.round(now()), FIRST_LINK_VALID_MS);
  await store.transaction((inside) => inside.putLink(link));
  return `${url}/setup#${link.secret}`;
}

/** One after the other: a tick that lasts does not run into the next. */
function keepTicking(app: FastifyInstance): void {
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let running: Promise<void> = Promise.resolve();
  const tick = async () => {
    await app.tick().catch((error: unknown) => app.log.error({ err: error }, "tick failed"));
    if (!isClosed) wait();
  };
  const wait = () => {
    timer = setTimeout(() => {
      running = tick();
    }, TICK_MS).unref();
  };
  wait();
  // Hooks run in the reverse order: this one before the store is closed.
  app.addHook("onClose", async () => {
    isClosed = true;
    clearTimeout(timer);
    await running;
  });
}

async function readTrustedKeys(folder: string): Promise<JWK[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  const files = names.filter((name) => name.endsWith(".jwk")).map((name) => join(folder, name));
  return Promise.all(files.map(async (file) => readTrustedKey(await readFile(file, "utf8"), file)));
}
