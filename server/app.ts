// The server as a function from request to response: routes over a store and a blob store, with a clock that is handed in. It
// needs no socket (`app.inject`) and no timers, so a simulated world can answer its virtual network with it.

import type { Server } from "node:http";
import multipart from "@fastify/multipart";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type RouteOptions } from "fastify";
import { abilityRoutes } from "./api/ability-routes.js";
import { auditRoutes } from "./api/audit-routes.js";
import { authRoutes } from "./api/auth-routes.js";
import { bulkJobRoutes } from "./api/bulk-job-routes.js";
import { BulkJobRunner } from "./api/bulk-job-runner.js";
import { contentAdminRoutes } from "./api/content-admin-routes.js";
import { contentRoutes } from "./api/content-routes.js";
import { type Context, DEFAULT_SETTINGS, type Settings } from "./api/context.js";
import { deviceAdminRoutes } from "./api/device-admin-routes.js";
import { deviceBulkRoutes } from "./api/device-bulk-routes.js";
import { deviceOrderRoutes } from "./api/device-order-routes.js";
import { countStrangers } from "./api/device-rate.js";
import { checkRoute, deviceRoutes } from "./api/device-routes.js";
import { answerErrors } from "./api/errors.js";
import { fleetRoutes } from "./api/fleet-routes.js";
import { freshnessRoutes } from "./api/freshness-routes.js";
import { guard } from "./api/guard.js";
import { healthRoutes } from "./api/health-routes.js";
import { limitAddresses } from "./api/http/address-limit.js";
import { compressReads } from "./api/http/compression.js";
import { readEmptyBodies } from "./api/http/empty-body.js";
import { securityHeaders } from "./api/http/security-headers.js";
import { describeApi } from "./api/openapi/openapi.js";
import { identityRoutes } from "./api/registration-routes.js";
import { releaseRoutes } from "./api/release-routes.js";
import { removedDeviceRoutes } from "./api/removed-device-routes.js";
import { rolloutRoutes } from "./api/rollout-routes.js";
import { rootRoutes } from "./api/root-routes.js";
import { savedViewRoutes } from "./api/saved-view-routes.js";
import { systemRoutes } from "./api/system-routes.js";
import { tokenRoutes } from "./api/token-routes.js";
import { typeRoutes } from "./api/type-routes.js";
import type { Api } from "./api/typed-app.js";
import { userRoutes } from "./api/user-routes.js";
import { serializeAsJson, validateWithTypeBox } from "./api/validate.js";
import { watchRoutes } from "./api/watch-routes.js";
import { webhookRoutes } from "./api/webhook-routes.js";
import type { Auth } from "./auth/auth.js";
import type { BlobStore } from "./blobs/blobs.js";
import { HotBlobs } from "./blobs/hot.js";
import { storeContent } from "./content/assigned.js";
import { type ContentSource, firstOf } from "./content/content.js";
import { notFoundPageAt } from "./dashboard/page.js";
import { dashboardRoutes } from "./dashboard/routes.js";
import { DeviceLimit } from "./devices/limit.js";
import { expireOrders } from "./devices/orders.js";
import { DeviceRate } from "./devices/rate.js";
import { readingSampler } from "./devices/reading-history.js";
import { sampleFleet } from "./devices/version-history.js";
import { arduinoRoutes } from "./dialects/arduino-routes.js";
import { firmwareRoutes } from "./dialects/firmware-routes.js";
import { hawkbitRoutes } from "./dialects/hawkbit-routes.js";
import { manifestRoutes } from "./dialects/manifest-routes.js";
import { meshRoutes } from "./dialects/mesh-routes.js";
import { registerRoutes } from "./dialects/register-routes.js";
import { Live, type Relay } from "./events/live.js";
import { AccessCache } from "./fast-path/access-cache.js";
import { NO_FAST_PATH, openFastPath } from "./fast-path/fast-path.js";
import { ChunkDigests } from "./releases/chunk-digests.js";
import { RootWatch } from "./releases/root-watch.js";
import { tickRollouts } from "./rollout/evaluate.js";
import { ClockWatch } from "./runtime/clock-watch.js";
import { Connections, type Refusal } from "./runtime/connections.js";
import { besideApp, createHttpServer } from "./runtime/http-server.js";
import { createMetrics } from "./runtime/metrics.js";
import { prefixOf, readPublicUrl, requireFreePrefix, withoutPrefix } from "./runtime/public-url.js";
import { Readiness } from "./runtime/readiness.js";
import { logRequests, OwnLines, requestId } from "./runtime/request-log.js";
import { Gate } from "./runtime/shutdown.js";
import type { TlsPair } from "./runtime/tls.js";
import { readForwardedFor, trustProxies } from "./runtime/trusted-proxies.js";
import { RateLimit } from "./shared/rate.js";
import type { Store } from "./store/store.js";

declare module "fastify" {
  interface FastifyInstance {
    /** What its routes are given. */
    readonly context: Context;
    /** Does what only time brings. The app has no timers: a server calls it every few seconds, a simulated world when it likes. */
    tick(): Promise<void>;
    /** HTTPS beside plain HTTP; absent: the app has one server. */
    readonly tlsServer: Server | undefined;
    /** @throws if the port is taken, or it has no such server */
    listenTls(address: { readonly host: string; readonly port: number }): Promise<void>;
  }
}

interface AppOptions {
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly auth: Auth;
  /** To the other servers that share the store. */
  readonly relay?: Relay | undefined;
  /** What panels show to which nothing is assigned; absent: nothing. */
  readonly content?: ContentSource | undefined;
  /** Absent: nothing is logged. */
  readonly log?: FastifyBaseLogger | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly settings?: Partial<Settings>;
  /** Absent: plain HTTP. */
  readonly tls?: TlsPair | undefined;
  /** Makes a second server with the same routes, for HTTPS beside plain HTTP. */
  readonly tlsBeside?: TlsPair | undefined;
  /** Called for every route. */
  readonly onRoute?: (route: RouteOptions) => void;
}

/** Every group of routes. */
const ROUTES: readonly ((app: Api, context: Context) => void)[] = Object.freeze([
  deviceRoutes,
  registerRoutes,
  contentRoutes,
  arduinoRoutes,
  manifestRoutes,
  firmwareRoutes,
  hawkbitRoutes,
  typeRoutes,
  deviceAdminRoutes,
  deviceBulkRoutes,
  bulkJobRoutes,
  deviceOrderRoutes,
  abilityRoutes,
  savedViewRoutes,
  removedDeviceRoutes,
  systemRoutes,
  rootRoutes,
  freshnessRoutes,
  rolloutRoutes,
  fleetRoutes,
  watchRoutes,
  webhookRoutes,
  healthRoutes,
  authRoutes,
  userRoutes,
  tokenRoutes,
  auditRoutes,
  identityRoutes,
  dashboardRoutes,
]);

/** Those that take files. What reads files costs every request, so it is kept from the others. */
const UPLOAD_ROUTES: typeof ROUTES = Object.freeze([releaseRoutes, contentAdminRoutes, meshRoutes]);

const MAX_BODY_BYTES = 64 * 1024;
const MAX_PARAMETER_LENGTH = 128;

export function createApp(options: AppOptions): FastifyInstance {
  const settings = completeSettings(options.settings);
  const prefix = prefixOf(settings.publicUrl);
  const live = new Live(options.relay);
  const metrics = createMetrics(options.store, live, options.now, settings.onlineMs);
  const { store, blobs, auth, now } = options;
  const hot = new HotBlobs(blobs);
  const newDeviceRate = settings.newDeviceRate && new RateLimit(settings.newDeviceRate);
  const deviceLimit = new DeviceLimit(store, settings.maxDeviceCount, newDeviceRate);
  const refusals = new RateLimit({ burst: 1, perSecond: 1 / 3600 });
  const content = firstOf(storeContent({ store, hot, now }), ...(options.content ? [options.content] : []));
  const readiness = new Readiness(store, blobs, now);
  const rootWatch = new RootWatch();
  const { deviceRate } = settings;
  const route = checkRoute({ now, settings });
  const fastPath = settings.fastPath
    ? openFastPath({ store, live, metrics, log: options.log, now, deviceRate, route })
    : NO_FAST_PATH;
  const context: Context = {
    bulkJobs: { wake: () => bulkJobs.wake() },
    store,
    blobs,
    hot,
    chunkDigests: new ChunkDigests(blobs),
    auth,
    access: new AccessCache({ store, now }),
    content,
    now,
    settings,
    prefix,
    deviceLimit,
    deviceRate: deviceRate && new DeviceRate(deviceRate),
    refusals,
    live,
    metrics,
    readiness,
    fastPath,
  };
  const bulkJobs = new BulkJobRunner(context);
  const isProxy = trustProxies(settings.trustedProxies);
  const clockWatch = new ClockWatch({ store, now, log: options.log });
  const connections = watchConnections(context, isProxy, options.log);
  const gate = new Gate();
  let tlsServer: Server | undefined;

  const app: FastifyInstance = Fastify({
    ...(options.log ? { loggerInstance: options.log } : { logger: false }),
    logController: new OwnLines(),
    bodyLimit: MAX_BODY_BYTES,
    trustProxy: settings.trustedProxies.length > 0 && isProxy,
    genReqId: requestId,
    serverFactory: (routes) => {
      const listener = withoutPrefix(prefix, gate.before(fastPath.before(routes)));
      if (options.tlsBeside) tlsServer = createHttpServer(options.tlsBeside, connections, listener);
      return createHttpServer(options.tls, connections, listener);
    },
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    exposeHeadRoutes: false,
    // Requests that are under way end by themselves, and the gate refuses those that come later, see shutdown.ts.
    return503OnClosing: false,
    forceCloseConnections: "idle",
  });
  app.decorate("context", context);
  gate.join(app, tlsServer ? [app.server, tlsServer] : [app.server]);
  app.decorate("tlsServer", tlsServer);
  const listenTls = tlsServer && besideApp(app, tlsServer);
  app.decorate("listenTls", async (address) => {
    if (!listenTls) throw new Error("the app was made without a certificate for a second server");
    await listenTls(address);
  });
  fastPath.join(app);
  if (options.onRoute) app.addHook("onRoute", options.onRoute);
  // Only JSON and multipart: a page on another site cannot send either without asking first, and it is never allowed.
  app.removeContentTypeParser("text/plain");
  readEmptyBodies(app);
  const sampleReadings = readingSampler(context);
  app.decorate("tick", async () => {
    await clockWatch.tick();
    await sampleFleet(context);
    await rootWatch.tick(context);
    await sampleReadings();
    await tickRollouts(context);
    await expireOrders(context);
    // Of a server that was stopped. It may take minutes: nobody waits for it.
    bulkJobs.wake().catch((err) => options.log?.error({ err }, "a change of many devices waits"));
  });
  app.addHook("onClose", () => bulkJobs.stop());
  validateWithTypeBox(app);
  serializeAsJson(app);
  // Before anything asks for the address of a request.
  app.addHook("onRequest", ({ raw: { headers } }, _reply, done) => {
    const given = headers["x-forwarded-for"];
    if (given !== undefined) headers["x-forwarded-for"] = readForwardedFor(String(given));
    done();
  });
  logRequests(app, metrics);
  clockWatch.join(app);
  answerErrors(app, { notFoundPage: notFoundPageAt(prefix) });
  limitAddresses(app, context);
  countStrangers(app, context);
  guard(app, context);
  app.addHook("onReady", async () => {
    for (const { url } of app.routeAccess) requireFreePrefix(prefix, url);
  });
  securityHeaders(app, context);
  describeApi(app, prefix, async (api) => {
    await compressReads(api);
    for (const routes of ROUTES) routes(api, context);
    api.register(async (uploads) => {
      await uploads.register(multipart, multipartOptions(settings));
      for (const routes of UPLOAD_ROUTES) routes(uploads, context);
    });
  });
  return app;
}

function completeSettings(given: Partial<Settings> = {}): Settings {
  const { publicUrl } = given;
  return {
    ...DEFAULT_SETTINGS,
    ...given,
    publicUrl: publicUrl === undefined ? undefined : readPublicUrl(publicUrl),
  };
}

/** Refused connections are counted, and logged once a minute for each reason. */
function watchConnections(
  { metrics, settings, now }: Context,
  isProxy: (address: string) => boolean,
  log: FastifyBaseLogger | undefined,
): Connections {
  const logged = new RateLimit({ burst: 1, perSecond: 1 / 60 });
  const onRefused = (reason: Refusal, address: string): void => {
    metrics.refusedConnections.inc({ reason });
    if (log && logged.take(reason, now()) === 0)
      log.warn({ reason, address, openCount: connections.count }, "connection refused");
  };
  const connections = new Connections({ limits: settings.connections, isProxy, onRefused });
  metrics.watchConnections(() => connections.count);
  return connections;
}

const multipartOptions = ({ maxImageBytes }: Settings) => ({
  limits: {
    fileSize: maxImageBytes + 1,
    files: 1,
    fields: 20,
    fieldSize: 32 * 1024,
    parts: 21,
    headerPairs: 50,
  },
  throwFileSizeLimit: false,
});
