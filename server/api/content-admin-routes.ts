// Pictures for panels: upload them, and assign them.

import { requireChange, requireChangeOfAll, requireSight, sightOf } from "../auth/require-change.js";
import { findAssignment } from "../content/assigned.js";
import { requirePanel } from "../content/panel.js";
import { recordChange } from "../events/journal.js";
import type { Actor } from "../shared/actor.js";
import { defined } from "../shared/defined.js";
import { Refusal } from "../shared/refusal.js";
import type { ContentSight, ContentTarget, Store } from "../store/store.js";
import { created, listOf, ok, page, sent } from "./answers.js";
import { AssignmentBody, AssignmentQuery, readAssignment } from "./content-schemas.js";
import { takePicture } from "./content-upload.js";
import {
  AssignmentView,
  DeletedView,
  ImageView,
  PICTURE_TYPE,
  ShownView,
  viewAssignment,
  viewImage,
} from "./content-views.js";
import type { Context } from "./context.js";
import { actorOf } from "./guard.js";
import { IMMUTABLE_CACHING } from "./http/send-image.js";
import { route } from "./route.js";
import { DeviceParams, IdParams, PageQuery } from "./schemas.js";
import type { Api } from "./typed-app.js";

/** A device's request reads all assignments of its targets. */
const MAX_PER_TARGET = 100;
/** Changes of pictures and assignments are serialised. */
const ABOUT = Object.freeze({ about: "content" });

export function contentAdminRoutes(app: Api, context: Context): void {
  imageRoutes(app, context);
  assignmentRoutes(app, context);
}

function imageRoutes(app: Api, context: Context): void {
  const { store, hot } = context;

  app.get(
    "/api/content-admin/images",
    route("read", "List pictures for panels, newest first", ok(listOf("images", ImageView)), {
      querystring: PageQuery,
    }),
    async (request) => {
      const { query } = request;
      const found = await store.listContentImages(query, contentSightOf(actorOf(request)));
      return page("images", found, viewImage, query);
    },
  );

  app.post(
    "/api/content-admin/images",
    route("content:write", "Upload a picture for panels", created(ImageView), {
      description: "A form with the parts `name` and `file`: a binary PBM (P4) of the panel's own size.",
      consumes: ["multipart/form-data"],
    }),
    async (request, reply) => reply.code(201).send(viewImage(await takePicture(request, context))),
  );

  app.get(
    "/api/content-admin/images/:id",
    route("read", "A picture as binary PBM", sent(PICTURE_TYPE, "The picture as binary PBM (P4)"), {
      params: IdParams,
    }),
    async (request, reply) => {
      const image = await findImage(store, request.params.id, actorOf(request));
      const pbm = await hot.load(image.hash, image.sizeBytes);
      return reply
        .type(PICTURE_TYPE)
        .header("cache-control", IMMUTABLE_CACHING.replace("public", "private"))
        .send(pbm);
    },
  );

  app.delete(
    "/api/content-admin/images/:id",
    route("content:write", "Delete a picture that is not assigned", ok(DeletedView), { params: IdParams }),
    async (request) => {
      const { id } = request.params;
      await recordChange(
        context,
        actorOf(request),
        async (journal) => {
          const image = await findImage(journal.store, id, actorOf(request));
          const { totalCount } = await journal.store.listContentAssignments({ imageId: id }, FIRST);
          if (totalCount > 0) {
            const uses = totalCount === 1 ? "an assignment shows" : `${totalCount} assignments show`;
            throw new Refusal("IMAGE_IN_USE", `${uses} picture ${id}: delete them first`);
          }
          await journal.store.removeContentImage(id);
          await journal.audit({
            action: "content.deleted",
            subject: `content-image/${id}`,
            before: viewImage(image),
          });
        },
        ABOUT,
      );
      return { id, deleted: true as const };
    },
  );
}

const FIRST = Object.freeze({ limit: 1, offset: 0 });

function assignmentRoutes(app: Api, context: Context): void {
  const { store, now } = context;

  app.get(
    "/api/content-admin/assignments",
    route("read", "List assignments of pictures, newest first", ok(listOf("assignments", AssignmentView)), {
      querystring: AssignmentQuery,
    }),
    async (request) => {
      const { query } = request;
      const filter = { ...defined({ imageId: query.image_id }), ...sightOf(actorOf(request)) };
      const found = await store.listContentAssignments(filter, query);
      return page("assignments", found, (row) => viewAssignment(row, now()), query);
    },
  );

  app.post(
    "/api/content-admin/assignments",
    route("content:write", "Assign a picture", created(AssignmentView), { body: AssignmentBody }),
    async (request, reply) => {
      const actor = actorOf(request);
      const terms = readAssignment(request.body, now());
      if (typeof terms === "string") throw new Refusal("INVALID_REQUEST", terms);
      const assignment = await recordChange(
        context,
        actor,
        async (journal) => {
          await requireTarget(actor, journal.store, terms.target);
          await requirePanel(journal, terms.target, await journal.store.findDevice(terms.target.name));
          await findImage(journal.store, terms.imageId, actor);
          await requireRoom(journal.store, terms.target);
          const added = await journal.store.addContentAssignment({
            ...terms,
            createdBy: actor.name,
            createdAt: journal.time,
          });
          await journal.audit({
            action: "content.assigned",
            subject: `content-assignment/${added.id}`,
            after: viewAssignment(added, journal.time),
          });
          return added;
        },
        ABOUT,
      );
      return reply.code(201).send(viewAssignment(assignment, now()));
    },
  );

  app.delete(
    "/api/content-admin/assignments/:id",
    route("content:write", "Delete an assignment", ok(DeletedView), { params: IdParams }),
    async (request) => {
      const { id } = request.params;
      const actor = actorOf(request);
      await recordChange(
        context,
        actor,
        async (journal) => {
          const assignment = await journal.store.findContentAssignment(id);
          if (!assignment) throw new Refusal("ASSIGNMENT_UNKNOWN", `there is no assignment ${id}`);
          await requireTarget(actor, journal.store, assignment.target);
          await journal.store.removeContentAssignment(id);
          await journal.audit({
            action: "content.unassigned",
            subject: `content-assignment/${id}`,
            before: viewAssignment(assignment, journal.time),
          });
        },
        ABOUT,
      );
      return { id, deleted: true as const };
    },
  );

  app.get(
    "/api/content-admin/devices/:id",
    route("read", "What is assigned to a device now, and by which assignment", ok(ShownView), {
      params: DeviceParams,
    }),
    async (request) => {
      const { id } = request.params;
      const type = (await store.findDevice(id))?.type;
      if (type === undefined) requireChangeOfAll(actorOf(request));
      else requireSight(actorOf(request), { deviceType: type });
      const assignment = await findAssignment(store, { id, type }, now());
      const image = assignment && (await store.findContentImage(assignment.imageId));
      return {
        device_id: id,
        assignment: assignment ? viewAssignment(assignment, now()) : null,
        image: image ? viewImage(image) : null,
      };
    },
  );
}

/** Which pictures an actor sees that is bound to device types: its own, and those of its types. */
const contentSightOf = ({ deviceTypes, name }: Actor): ContentSight | undefined =>
  deviceTypes === null ? undefined : { deviceTypes, createdBy: name };

/** One that the actor may not see is not there for it. @throws Refusal IMAGE_UNKNOWN */
async function findImage(store: Store, id: number, actor: Actor) {
  const sight = contentSightOf(actor);
  const isSeen = sight === undefined || (await store.maySeeContentImage(id, sight));
  const image = isSeen ? await store.findContentImage(id) : undefined;
  if (!image) throw new Refusal("IMAGE_UNKNOWN", `there is no picture ${id}`);
  return image;
}

/** An actor bound to device types may target these types and their devices, but nothing that also reaches others. */
async function requireTarget(actor: Actor, store: Store, { kind, name }: ContentTarget): Promise<void> {
  const deviceType =
    kind === "type" ? name : kind === "device" ? (await store.findDevice(name))?.type : undefined;
  if (deviceType !== undefined) return requireChange(actor, { deviceType });
  if (actor.deviceTypes === null) return;
  const reaches = {
    device: `device ${name}, whose type is not known`,
    group: "groups of any type",
    default: "every panel",
  };
  throw new Refusal(
    "FORBIDDEN",
    `${actor.name} may change ${actor.deviceTypes.join(", ") || "nothing"}, not ${reaches[kind as "device"]}`,
  );
}

/** @throws Refusal ASSIGNMENT_LIMIT */
async function requireRoom(store: Store, target: ContentTarget): Promise<void> {
  const { totalCount } = await store.listContentAssignments({ target }, FIRST);
  if (totalCount < MAX_PER_TARGET) return;
  const whom = target.kind === "default" ? "every panel" : `${target.kind} ${target.name}`;
  throw new Refusal(
    "ASSIGNMENT_LIMIT",
    `${totalCount} assignments already exist for ${whom}: delete expired ones`,
  );
}
