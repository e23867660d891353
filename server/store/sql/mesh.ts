// Updates in a mesh in SQL.

import type { Kysely } from "kysely";
import type { MeshNode, MeshStore, MeshUpdate } from "../mesh.js";
import { countOf } from "./count.js";
import { pageOf } from "./page.js";
import { recordsOf } from "./rows.js";
import type { Tables } from "./tables.js";

const updates = recordsOf<MeshUpdate>({ isForced: "flag" });
const nodes = recordsOf<MeshNode>({});

export function createMeshStore(db: Kysely<Tables>): MeshStore {
  return {
    addMeshUpdate: ({ firmwareId, targetNode, isForced, createdAt }) =>
      updates.one(
        db
          .insertInto("ota_updates")
          .values(
            updates.toRow({
              firmwareId,
              targetNode,
              isForced,
              status: "pending",
              createdAt,
              updatedAt: createdAt,
            }),
          )
          .returningAll(),
      ),

    findMeshUpdate: (id) => updates.first(db.selectFrom("ota_updates").selectAll().where("id", "=", id)),

    async listMeshUpdates(filter, page) {
      let query = db.selectFrom("ota_updates");
      if (filter.statuses) query = query.where("status", "in", filter.statuses);
      return pageOf(query.selectAll().orderBy("id", "desc"), page, updates.toItem);
    },

    setMeshUpdateStatus: (id, status, time, finishedAt) =>
      updates.first(
        db
          .updateTable("ota_updates")
          .set({ status, updated_at: time, finished_at: finishedAt })
          .where("id", "=", id)
          .returningAll(),
      ),

    async putMeshNode(node) {
      const { updateId: _updateId, nodeId: _nodeId, createdAt: _createdAt, ...changing } = node;
      return nodes.one(
        db
          .insertInto("ota_node_status")
          .values(nodes.toRow(node))
          .onConflict((conflict) =>
            conflict.columns(["update_id", "node_id"]).doUpdateSet(nodes.toRow(changing)),
          )
          .returningAll(),
      );
    },

    countMeshNodes: (updateId) => countOf(db.selectFrom("ota_node_status").where("update_id", "=", updateId)),

    findMeshNode: (updateId, nodeId) =>
      nodes.first(
        db
          .selectFrom("ota_node_status")
          .selectAll()
          .where("update_id", "=", updateId)
          .where("node_id", "=", nodeId),
      ),

    listMeshNodes: (updateId, limit) =>
      nodes.all(
        db
          .selectFrom("ota_node_status")
          .selectAll()
          .where("update_id", "=", updateId)
          .orderBy("node_id")
          .limit(limit),
      ),
  };
}
