// Pictures for panels in SQL.

import type { Generated, Kysely, Selectable } from "kysely";
import type { Windows } from "../../shared/rollout.js";
import type { ContentAssignment, ContentImage, ContentStore, ContentTargetKind } from "../content.js";
import { pageOf } from "./page.js";
import type { Tables } from "./tables.js";

export interface ContentImageTable {
  id: Generated<number>;
  name: string;
  width: number;
  height: number;
  hash: string;
  size_bytes: number;
  created_by: string;
  created_at: number;
}

export interface ContentAssignmentTable {
  id: Generated<number>;
  image_id: number;
  target_kind: string;
  target: string;
  from_time: number | null;
  until_time: number | null;
  windows: string | null;
  created_by: string;
  created_at: number;
}

export function createContentStore(db: Kysely<Tables>): ContentStore {
  return {
    async addContentImage({ name, width, height, hash, sizeBytes, createdBy, createdAt }) {
      const row = await db
        .insertInto("content_images")
        .values({
          name,
          width,
          height,
          hash,
          size_bytes: sizeBytes,
          created_by: createdBy,
          created_at: createdAt,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      return toImage(row);
    },

    async findContentImage(id) {
      const row = await db.selectFrom("content_images").selectAll().where("id", "=", id).executeTakeFirst();
      return row && toImage(row);
    },

    listContentImages(page) {
      return pageOf(db.selectFrom("content_images").selectAll().orderBy("id", "desc"), page, toImage);
    },

    async removeContentImage(id) {
      const row = await db
        .deleteFrom("content_images")
        .where("id", "=", id)
        .returning("id")
        .executeTakeFirst();
      return row !== undefined;
    },

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

    async listContentAssignments({ imageId, target }, page) {
      let query = db.selectFrom("content_assignments");
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
      const row = await db
        .deleteFrom("content_assignments")
        .where("id", "=", id)
        .returning("id")
        .executeTakeFirst();
      return row !== undefined;
    },
  };
}

const toImage = (row: Selectable<ContentImageTable>): ContentImage => ({
  id: row.id,
  name: row.name,
  width: row.width,
  height: row.height,
  hash: row.hash,
  sizeBytes: row.size_bytes,
  createdBy: row.created_by,
  createdAt: row.created_at,
});

const toAssignment = (row: Selectable<ContentAssignmentTable>): ContentAssignment => ({
  id: row.id,
  imageId: row.image_id,
  target: { kind: row.target_kind as ContentTargetKind, name: row.target },
  from: row.from_time,
  until: row.until_time,
  windows: row.windows === null ? null : (JSON.parse(row.windows) as Windows),
  createdBy: row.created_by,
  createdAt: row.created_at,
});
