// Trust roots: administrators publish what their holders have signed, devices fetch one version after another. Public, since nobody can do harm
// with them: devices verify each by the one before.

import { Type } from "@sinclair/typebox";
import { MAX_ROOT_LENGTH, ROOTS_PATH } from "../../firmware/core/wire.js";
import type { RootFile } from "../../release/root.js";
import { describeRoot } from "../../release/root-report.js";
import { signersOf } from "../../release/signing.js";
import { recordChange } from "../events/journal.js";
import { namesFreshnessKey } from "../releases/freshness.js";
import { publishRoot, readRoots } from "../releases/trust-roots.js";
import { Refusal } from "../shared/refusal.js";
import type { StoredRoot } from "../store/store.js";
import { created, ok, sent, UNCHANGED } from "./answers.js";
import type { Context } from "./context.js";
import { actorOf } from "./guard.js";
import { hasIt } from "./http/conditions.js";
import { SHORT_CACHING } from "./http/send-image.js";
import { RootsView, RootView, viewRoot, viewRootVersions } from "./root-views.js";
import { route } from "./route.js";
import { Exactly } from "./schemas.js";
import type { Api } from "./typed-app.js";

const LIST_PATH = ROOTS_PATH.slice(0, -1);
const MEDIA_TYPE = "application/jose+json";
const bodyLimit = 4096;
/** Releases that are read at once to count their signers. */
const PAGE_SIZE = 200;

const RootBody = Exactly({ root: Type.String({ maxLength: MAX_ROOT_LENGTH + 2 }) });
const VersionParams = Type.Object({ version: Type.Integer({ minimum: 1, maximum: 0xffffffff }) });

export function rootRoutes(app: Api, context: Context): void {
  const { store, now } = context;
  const { freshnessKey } = context.settings;
  const config = { isOfAllTypes: true };

  app.post(
    LIST_PATH,
    route("settings:write", "Publish the next trust root, or the first one", created(RootView), {
      body: RootBody,
      bodyLimit,
      config,
    }),
    async (request, reply) => {
      const { root, previous } = await recordChange(context, actorOf(request), async (journal) => {
        const [newest] = readRoots(await journal.store.listRoots());
        const published = await publishRoot(journal, request.body.root);
        const { version } = published.root;
        await journal.audit({
          action: "root.published",
          subject: `root/${version}`,
          before: newest && auditOf(newest),
          after: auditOf(published),
        });
        return { root: { ...published, version, createdAt: journal.time }, previous: newest };
      });
      return reply.code(201).send(await view(root, previous));
    },
  );

  app.get(
    LIST_PATH,
    route("read", "List the trust roots, and how many devices have which", ok(RootsView), { config }),
    async () => {
      const roots = readRoots(await store.listRoots());
      const devices = await store.countRootVersions();
      const newest = roots[0]?.version ?? 0;
      const behind = devices.filter(({ rootVersion }) => rootVersion !== null && rootVersion < newest);
      return {
        roots: await Promise.all(roots.map((root, index) => view(root, roots[index + 1]))),
        devices: viewRootVersions(devices),
        behind: behind.reduce((sum, { deviceCount }) => sum + deviceCount, 0),
        frozen: await store.countFrozenDevices(),
        freshness_key: freshnessKey
          ? {
              kid: freshnessKey.kid,
              is_named: roots[0] !== undefined && namesFreshnessKey(roots[0].root, freshnessKey),
            }
          : null,
      };
    },
  );

  app.get(
    `${ROOTS_PATH}:version`,
    route(
      "public",
      "Download a trust root",
      { ...sent(MEDIA_TYPE, "JWS in General JSON Serialization"), ...UNCHANGED },
      { params: VersionParams },
    ),
    async (request, reply) => {
      const { version } = request.params;
      const stored = await store.findRoot(version);
      if (!stored) throw new Refusal("ROOT_UNKNOWN", `there is no trust root ${version} here`);
      const etag = `"${version}-${stored.createdAt}"`;
      reply.header("etag", etag).header("cache-control", SHORT_CACHING);
      if (hasIt(request.headers["if-none-match"], etag)) return reply.code(304).send();
      return reply.type(MEDIA_TYPE).send(Buffer.from(stored.text));
    },
  );

  async function view(root: StoredRoot & RootFile, previous: RootFile | undefined) {
    return viewRoot(root, await describeRoot(root, previous?.root), await countSigned(), now());
  }

  /** Releases by the ids of the keys that signed them. */
  async function countSigned(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (let offset = 0; ; offset += PAGE_SIZE) {
      const { rows, totalCount } = await store.listFirmware({}, { limit: PAGE_SIZE, offset });
      for (const { release } of rows)
        for (const kid of release === null ? [] : signersOf(release))
          counts.set(kid, (counts.get(kid) ?? 0) + 1);
      if (offset + PAGE_SIZE >= totalCount) return counts;
    }
  }
}

const auditOf = ({ root }: RootFile) => ({
  version: root.version,
  expires: new Date(root.expires * 1000).toISOString(),
  threshold: root.threshold,
  release_threshold: root.releaseThreshold,
  key_count: root.keys.length,
});
