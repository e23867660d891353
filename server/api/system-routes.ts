// Systems: several devices that are updated as one. Operators upload manifests that were signed elsewhere; the device that leads a system
// polls for the newest one of which every release is here.

import { Type } from "@sinclair/typebox";
import { requireChange, requireSight } from "../auth/require-change.js";
import { recordChange } from "../events/journal.js";
import {
  addSystem,
  changeSystem,
  checkSystem,
  findPublished,
  findSystem,
  typesOf,
  unknownSystem,
} from "../releases/systems.js";

import { findTrust } from "../releases/trust.js";
import { type Actor, mayChange } from "../shared/actor.js";
import { defined } from "../shared/defined.js";
import { Refusal } from "../shared/refusal.js";
import type { StoredSystem } from "../store/store.js";
import { created, listed, ok, sent } from "./answers.js";
import type { Context } from "./context.js";
import { AskingDevice } from "./device-schemas.js";
import { actorOf } from "./guard.js";
import { requireAccess } from "./image-access.js";
import { route } from "./route.js";
import { Exactly, IdParams, Name, Text } from "./schemas.js";
import { findAccessible } from "./system-access.js";
import { describeSystem, Releases, SystemManifest, tellPublished } from "./system-manifest.js";
import { SignedSystemView, SystemView, viewSystem } from "./system-views.js";
import type { Api } from "./typed-app.js";

const PREFIX = "/api/v1/systems";
const bodyLimit = 8 * 1024;
const MAX_SHOWN = 200;

const SystemBody = Exactly({ manifest: Text(bodyLimit) });
const SystemPatch = Exactly({ is_active: Type.Boolean() });
const SystemsQuery = Type.Object({
  name: Type.Optional(Name),
  limit: Type.Integer({ minimum: 1, maximum: MAX_SHOWN, default: 50 }),
});
const NameParams = Type.Object({ name: Name });
const ManifestQuery = Type.Object({ releases: Type.Optional(Releases), ...AskingDevice });

export function systemRoutes(app: Api, context: Context): void {
  const { store } = context;

  app.post(
    PREFIX,
    route("releases:write", "Upload the signed manifest of a system", created(SystemView), {
      body: SystemBody,
      bodyLimit,
    }),
    async (request, reply) => {
      const actor = actorOf(request);
      const trust = await findTrust(store, context.settings.trustedKeys);
      const read = await checkSystem(request.body.manifest, trust);
      for (const deviceType of typesOf(read.system)) requireChange(actor, { deviceType });
      const stored = await recordChange(context, actor, async (journal) => {
        const added = await addSystem(journal, read);
        await journal.audit({
          action: "system.uploaded",
          subject: `system/${added.id}`,
          after: auditOf(added),
        });
        return added;
      });
      return reply.code(201).send(await view(stored));
    },
  );

  app.get(
    PREFIX,
    route("read", "List systems, the last uploaded first", ok(listed("systems", SystemView)), {
      querystring: SystemsQuery,
    }),
    async (request) => {
      const { name, limit } = request.query;
      const { rows } = await store.listSystems(defined({ name }), { limit: MAX_SHOWN, offset: 0 });
      const seen = rows.filter((system) => maySee(actorOf(request), system)).slice(0, limit);
      return { systems: await Promise.all(seen.map(view)) };
    },
  );

  app.get(
    `${PREFIX}/:id`,
    route("read", "Show a system and its signed manifest", ok(SignedSystemView), { params: IdParams }),
    async (request) => {
      const stored = await requireSystem(request.params.id);
      for (const deviceType of stored.deviceTypes) requireSight(actorOf(request), { deviceType });
      return { ...(await view(stored)), manifest: stored.manifest };
    },
  );

  app.patch(
    `${PREFIX}/:id`,
    route("releases:write", "Set whether devices may be told of a system", ok(SystemView), {
      params: IdParams,
      body: SystemPatch,
      bodyLimit,
    }),
    async (request) => view(await change(actorOf(request), request.params.id, request.body.is_active)),
  );

  // Deactivates: the audit log refers to it.
  app.delete(
    `${PREFIX}/:id`,
    route("releases:write", "Deactivate a system: devices are no longer told of it", ok(SystemView), {
      params: IdParams,
    }),
    async (request) => view(await change(actorOf(request), request.params.id, false)),
  );

  app.get(
    `${PREFIX}/:name/manifest`,
    route("device", "Manifest of a system: its newest version with all releases", ok(SystemManifest), {
      params: NameParams,
      querystring: ManifestQuery,
    }),
    async (request, reply) => {
      const { params, query } = request;
      const state = await findPublished(store, { name: params.name }, context.now());
      const own = state && (await findAccessible(request, context, state.deviceTypes, query.device));
      if (!state || own === undefined) throw unknownSystem(params.name);
      const { published, problems } = state;
      if (!published) throw incompleteSystem(problems);
      reply.header("cache-control", "private, no-cache");
      return describeSystem(request, context, tellPublished(published), {
        ...query,
        deviceFor: (type) => (type === own ? query.device : undefined),
      });
    },
  );

  app.get(
    "/api/ota/download/:id/release",
    route("device", "Download the signed manifest of a release", sent("application/jose", "Compact JWS"), {
      params: IdParams,
      querystring: Type.Object(AskingDevice),
    }),
    async (request, reply) => {
      const firmware = await store.findFirmware(request.params.id);
      if (!firmware) throw new Refusal("FIRMWARE_UNKNOWN", `firmware ${request.params.id} does not exist`);
      const { deviceType } = firmware;
      await requireAccess(request, context, { deviceType, deviceId: request.query.device });
      if (!firmware.isActive)
        throw new Refusal("FIRMWARE_INACTIVE", `firmware ${firmware.id} was deactivated`);
      if (firmware.release === null)
        throw new Refusal("RELEASE_UNKNOWN", `firmware ${firmware.id} has no manifest: it is not signed`);
      return reply
        .header("cache-control", "private, no-cache")
        .type("application/jose")
        .send(firmware.release);
    },
  );

  async function requireSystem(id: number): Promise<StoredSystem> {
    const stored = await store.findSystem(id);
    if (!stored) throw unknownSystem(`${id}`);
    return stored;
  }

  async function change(actor: Actor, id: number, isActive: boolean): Promise<StoredSystem> {
    const before = await requireSystem(id);
    for (const deviceType of before.deviceTypes) requireChange(actor, { deviceType });
    return recordChange(context, actor, async (journal) => {
      const after = await changeSystem(journal, id, isActive);
      const action = isActive ? "system.changed" : "system.deactivated";
      await journal.audit({
        action,
        subject: `system/${id}`,
        before: auditOf(before),
        after: auditOf(after),
      });
      return after;
    });
  }

  async function view(stored: StoredSystem): Promise<SystemView> {
    const now = context.now();
    const state = await findPublished(store, { name: stored.name }, now);
    return viewSystem(await findSystem(store, stored, now), state?.published?.current.stored.id);
  }
}

/** A system shows something of each of its types. */
const maySee = (actor: Actor, { deviceTypes }: StoredSystem): boolean =>
  deviceTypes.every((deviceType) => mayChange(actor, { deviceType }));

/** @param problems of its newest version, or of none */
export const incompleteSystem = (problems: readonly string[]): Refusal =>
  new Refusal("SYSTEM_INCOMPLETE", problems.join("; "));

const auditOf = ({ name, version, isActive }: StoredSystem) => ({ name, version, is_active: isActive });
