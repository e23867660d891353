// Pictures for panels in SQL.

import type { ExpressionBuilder, Kysely, Selectable } from "kysely";
import type { Windows } from "../../shared/rollout.js";
import type {
  ContentAssignment,
  ContentImage,
  ContentSight,
  ContentStore,
  ContentTargetKind,
} from "../content.js";
import { devicesOf } from "./of-types.js";
import { pageOf } from "./page.js";
import { tableOf } from "./table.js";
import type { Tables } from "./tables.js";

const images = tableOf<ContentImage, "content_images">("content_images", {});

export function createContentStore(db: Kysely<Tables>): ContentStore {
  return {
    addContentImage: (image) => images.add(db, image),

    findContentImage: (id) => images.find(db, { id }),

    findContentImageByHash: (start) =>
      images.first(
        images
          .select(db)
          .where("hash", ">=", start)
          .where("hash", "<", `${start}g`)
          .orderBy("id", "desc")
          .limit(1),
      ),

    listContentImages(page, sight) {
      const all = images.select(db);
      const some = sight ? all.where((where) => seen(where, db, sight)) : all;
      return images.page(some.orderBy("id", "desc"), page);
    },

    async maySeeContentImage(id, sight) {
      const query = images.select(db, { id }).where((where) => seen(where, db, sight));
      return (await query.executeTakeFirst()) !== undefined;
    },

    removeContentImage: (id) => images.remove(db, { id }),

    async addContentAssignment(assignment) {
      const row = await db
        .insertInto("content_assignments")
        .values({
          image_id: assignment.imageId,
          target_kind: assignment.target.kind,
          target: assignment.target.name,
          from_time: assignment.from,
          until_time: assignment.until,
          windows: assignment.windows && JSON.stringify(assignment.windows),
          created_by: assignment.createdBy,
          created_at: assignment.createdAt,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      return toAssignment(row);
    },

    async findContentAssignment(id) {
      const row = await db
        .selectFrom("content_assignments")
        .selectAll()
        .where("id", "=", id)
        .executeTakeFirst();
      return row && toAssignment(row);
    },

    async listContentAssignments({ imageId, target, deviceTypes }, page) {
      let query = db.selectFrom("content_assignments");
      if (deviceTypes !== undefined) query = query.where((where) => aboutTypes(where, db, deviceTypes));
      if (imageId !== undefined) query = query.where("image_id", "=", imageId);
      if (target) query = query.where("target_kind", "=", target.kind).where("target", "=", target.name);
      return pageOf(query.selectAll().orderBy("id", "desc"), page, toAssignment);
    },

    async findContentAssignmentsFor({ deviceId, type, group }) {
      const targets: (readonly [kind: ContentTargetKind, target: string])[] = [
        ["device", deviceId],
        ["default", ""],
      ];
      if (type !== undefined) targets.push(["type", type]);
      if (group !== null) targets.push(["group", group]);
      const rows = await db
        .selectFrom("content_assignments")
        .selectAll()
        .where(({ or, and }) => or(targets.map(([target_kind, target]) => and({ target_kind, target }))))
        .execute();
      return rows.map(toAssignment);
    },

    async removeContentAssignment(id) {
      const query = db.deleteFrom("content_assignments").where("id", "=", id);
      return (await query.executeTakeFirst()).numDeletedRows > 0n;
    },
  };
}

/** Assignments to these device types, or to devices of them. */
const aboutTypes = (
  { or, and, eb }: ExpressionBuilder<Tables, "content_assignments">,
  db: Kysely<Tables>,
  deviceTypes: readonly string[],
) =>
  or([
    and([eb("target_kind", "=", "type"), eb("target", "in", deviceTypes)]),
    and([eb("target_kind", "=", "device"), eb("target", "in", devicesOf(db, deviceTypes))]),
  ]);

function seen(
  { or, eb }: ExpressionBuilder<Tables, "content_images">,
  db: Kysely<Tables>,
  { deviceTypes, createdBy }: ContentSight,
) {
  const assigned = db
    .selectFrom("content_assignments")
    .select("image_id")
    .where((where) => aboutTypes(where, db, deviceTypes));
  return or([eb("created_by", "=", createdBy), eb("id", "in", assigned)]);
}

const toAssignment = (row: Selectable<Tables["content_assignments"]>): ContentAssignment => ({
  id: row.id,
  imageId: row.image_id,
  target: { kind: row.target_kind as ContentTargetKind, name: row.target },
  from: row.from_time,
  until: row.until_time,
  windows: row.windows === null ? null : (JSON.parse(row.windows) as Windows),
  createdBy: row.created_by,
  createdAt: row.created_at,
});
