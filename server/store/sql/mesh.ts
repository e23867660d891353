// Updates in a mesh in SQL.

import type { Generated, Kysely, Selectable } from "kysely";
import type { MeshNode, MeshNodeStatus, MeshStore, MeshUpdate, MeshUpdateStatus } from "../mesh.js";
import { countOf } from "./count.js";
import { pageOf } from "./page.js";
import type { Tables } from "./tables.js";

export interface MeshUpdateTable {
  id: Generated<number>;
  firmware_id: number;
  target_node: string | null;
  is_forced: number;
  status: string;
  created_at: number;
  updated_at: number;
  finished_at: number | null;
}

export interface MeshNodeTable {
  update_id: number;
  node_id: string;
  status: string;
  current_part: number;
  total_parts: number;
  error: string | null;
  created_at: number;
  updated_at: number;
}

export function createMeshStore(db: Kysely<Tables>): MeshStore {
  return {
    async addMeshUpdate(update) {
      const row = await db
        .insertInto("ota_updates")
        .values({
          firmware_id: update.firmwareId,
          target_node: update.targetNode,
          is_forced: Number(update.isForced),
          status: "pending",
          created_at: update.createdAt,
          updated_at: update.createdAt,
          finished_at: null,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      return toUpdate(row);
    },

    async findMeshUpdate(id) {
      const row = await db.selectFrom("ota_updates").selectAll().where("id", "=", id).executeTakeFirst();
      return row && toUpdate(row);
    },

    async listMeshUpdates(filter, page) {
      let query = db.selectFrom("ota_updates");
      if (filter.statuses) query = query.where("status", "in", filter.statuses);
      return pageOf(query.selectAll().orderBy("id", "desc"), page, toUpdate);
    },

    async setMeshUpdateStatus(id, status, time, finishedAt) {
      const row = await db
        .updateTable("ota_updates")
        .set({ status, updated_at: time, finished_at: finishedAt })
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirst();
      return row && toUpdate(row);
    },

    async putMeshNode(node) {
      const {
        status,
        currentPart: current_part,
        totalParts: total_parts,
        error,
        updatedAt: updated_at,
      } = node;
      const changes = { status, current_part, total_parts, error, updated_at };
      const row = await db
        .insertInto("ota_node_status")
        .values({ update_id: node.updateId, node_id: node.nodeId, created_at: node.createdAt, ...changes })
        .onConflict((conflict) => conflict.columns(["update_id", "node_id"]).doUpdateSet(changes))
        .returningAll()
        .executeTakeFirstOrThrow();
      return toNode(row);
    },

    countMeshNodes: (updateId) => countOf(db.selectFrom("ota_node_status").where("update_id", "=", updateId)),

    async findMeshNode(updateId, nodeId) {
      const row = await db
        .selectFrom("ota_node_status")
        .selectAll()
        .where("update_id", "=", updateId)
        .where("node_id", "=", nodeId)
        .executeTakeFirst();
      return row && toNode(row);
    },

    async listMeshNodes(updateId, limit) {
      const rows = await db
        .selectFrom("ota_node_status")
        .selectAll()
        .where("update_id", "=", updateId)
        .orderBy("node_id")
        .limit(limit)
        .execute();
      return rows.map(toNode);
    },
  };
}

const toUpdate = (row: Selectable<MeshUpdateTable>): MeshUpdate => ({
  id: row.id,
  firmwareId: row.firmware_id,
  targetNode: row.target_node,
  isForced: row.is_forced !== 0,
  status: row.status as MeshUpdateStatus,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  finishedAt: row.finished_at,
});

const toNode = (row: Selectable<MeshNodeTable>): MeshNode => ({
  updateId: row.update_id,
  nodeId: row.node_id,
  status: row.status as MeshNodeStatus,
  currentPart: row.current_part,
  totalParts: row.total_parts,
  error: row.error,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});
