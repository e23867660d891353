// Updates in a mesh in SQL.

import { type Kysely, sql } from "kysely";
import type { MeshNode, MeshStore, MeshUpdate } from "../mesh.js";
import { countOf } from "./count.js";
import { firmwareOf } from "./of-types.js";
import { tableOf } from "./table.js";
import type { Tables } from "./tables.js";

const updates = tableOf<MeshUpdate, "ota_updates">("ota_updates", { isForced: "flag" });
const OPEN: readonly MeshUpdate["status"][] = ["pending", "distributing"];
const nodes = tableOf<MeshNode, "ota_node_status">("ota_node_status", {});

export function createMeshStore(db: Kysely<Tables>): MeshStore {
  return {
    addMeshUpdate: ({ firmwareId, targetNode, isForced, rule = "each", createdAt }) =>
      updates.add(db, {
        firmwareId,
        targetNode,
        isForced,
        rule,
        status: "pending",
        createdAt,
        updatedAt: createdAt,
      }),

    findMeshUpdate: (id) => updates.find(db, { id }),

    listMeshUpdates({ statuses, deviceTypes }, page) {
      const all = updates.select(db);
      const inState = statuses ? all.where("status", "in", statuses) : all;
      const some = deviceTypes ? inState.where("firmware_id", "in", firmwareOf(db, deviceTypes)) : inState;
      return updates.page(some.orderBy("id", "desc"), page);
    },

    async listOpenMeshUpdates({ deviceTypes, limit }) {
      if (deviceTypes?.length === 0) return [];
      const open = db
        .selectFrom("ota_updates as u")
        .innerJoin("firmware as f", "f.id", "u.firmware_id")
        .select("u.id")
        .select(sql<number>`row_number() over (partition by f.device_type order by u.id)`.as("place"))
        .where("u.status", "in", OPEN);
      const some = deviceTypes ? open.where("f.device_type", "in", deviceTypes) : open;
      const first = db.selectFrom(some.as("ranked")).select("ranked.id").where("ranked.place", "<=", limit);
      return updates.list(updates.select(db).where("id", "in", first).orderBy("id"));
    },

    changeMeshUpdate: (id, changes) => updates.change(db, { id }, changes),

    putMeshNode: (node) => nodes.put(db, node, ["updateId", "nodeId"], ["createdAt"]),

    countMeshNodes: (updateId) => countOf(db.selectFrom("ota_node_status").where("update_id", "=", updateId)),

    findMeshNode: (updateId, nodeId) => nodes.find(db, { updateId, nodeId }),

    listMeshNodes: (updateId, limit) =>
      nodes.list(nodes.select(db, { updateId }).orderBy("node_id").limit(limit)),
  };
}
