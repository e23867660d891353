// Updates in a mesh in SQL.

import type { Kysely } from "kysely";
import type { MeshNode, MeshStore, MeshUpdate } from "../mesh.js";
import { countOf } from "./count.js";
import { tableOf } from "./table.js";
import type { Tables } from "./tables.js";

const updates = tableOf<MeshUpdate, "ota_updates">("ota_updates", { isForced: "flag" });
const nodes = tableOf<MeshNode, "ota_node_status">("ota_node_status", {});

export function createMeshStore(db: Kysely<Tables>): MeshStore {
  return {
    addMeshUpdate: ({ firmwareId, targetNode, isForced, createdAt }) =>
      updates.add(db, {
        firmwareId,
        targetNode,
        isForced,
        status: "pending",
        createdAt,
        updatedAt: createdAt,
      }),

    findMeshUpdate: (id) => updates.find(db, { id }),

    listMeshUpdates({ statuses }, page) {
      const all = updates.select(db);
      const some = statuses ? all.where("status", "in", statuses) : all;
      return updates.page(some.orderBy("id", "desc"), page);
    },

    setMeshUpdateStatus: (id, status, time, finishedAt) =>
      updates.change(db, { id }, { status, updatedAt: time, finishedAt }),

    putMeshNode: (node) => nodes.put(db, node, ["updateId", "nodeId"], ["createdAt"]),

    countMeshNodes: (updateId) => countOf(db.selectFrom("ota_node_status").where("update_id", "=", updateId)),

    findMeshNode: (updateId, nodeId) => nodes.find(db, { updateId, nodeId }),

    listMeshNodes: (updateId, limit) =>
      nodes.list(nodes.select(db, { updateId }).orderBy("node_id").limit(limit)),
  };
}
