// The life of an update that gateways distribute in a mesh.
//
//   pending ──▶ distributing ──▶ completed | failed     the first and the last as a gateway reports them
//      └─────────────┴─────────▶ cancelled              by an operator, at any time before the end

import type { Journal } from "../events/journal.js";
import { Refusal } from "../shared/refusal.js";
import type { Firmware, MeshNode, MeshNodeStatus, MeshRule, MeshUpdate } from "../store/store.js";

/** Nodes that one update remembers: more than any mesh has. */
const MAX_NODE_COUNT = 1000;

interface NewDistribution {
  readonly firmwareId: number;
  readonly targetNode: string | null;
  readonly isForced: boolean;
  readonly rule: MeshRule;
}

/** @throws Refusal FIRMWARE_UNKNOWN, FIRMWARE_INACTIVE, RULE_NEEDS_SIGNED */
export async function openDistribution(journal: Journal, wanted: NewDistribution): Promise<MeshUpdate> {
  const firmware = await journal.store.findFirmware(wanted.firmwareId);
  if (!firmware) throw new Refusal("FIRMWARE_UNKNOWN", `firmware ${wanted.firmwareId} does not exist`);
  if (!firmware.isActive) throw new Refusal("FIRMWARE_INACTIVE", `firmware ${firmware.id} was deactivated`);
  // Nodes of other makers install what they have received: none of them waits for the others.
  if (wanted.rule === "all" && firmware.release === null)
    throw new Refusal(
      "RULE_NEEDS_SIGNED",
      `firmware ${firmware.id} is not signed, and nodes that take it do not wait for each other: use the rule each`,
    );
  const update = await journal.store.addMeshUpdate({ ...wanted, createdAt: journal.time });
  await log(
    journal,
    update,
    firmware,
    `is to be distributed to ${wanted.targetNode ?? "every node of its type"}`,
  );
  return update;
}

/** @throws Refusal UPDATE_UNKNOWN, UPDATE_CLOSED */
export async function cancelDistribution(journal: Journal, id: number): Promise<MeshUpdate> {
  const { update, firmware } = await findOpen(journal, id);
  return close(journal, update, firmware, "cancelled", null);
}

interface NodeReport {
  readonly nodeId: string;
  readonly status: MeshNodeStatus;
  readonly currentPart: number;
  readonly totalParts: number;
  readonly error: string | null;
}

/** A gateway reports a node's progress. @throws Refusal UPDATE_UNKNOWN, UPDATE_CLOSED, NODE_NOT_TARGETED, NODE_LIMIT */
export async function reportNode(journal: Journal, id: number, report: NodeReport): Promise<MeshNode> {
  const { update, firmware } = await findOpen(journal, id);
  const { store, time } = journal;
  if (update.targetNode !== null && update.targetNode !== report.nodeId) {
    throw new Refusal("NODE_NOT_TARGETED", `update ${id} is for node ${update.targetNode} only`);
  }
  const known = await store.findMeshNode(id, report.nodeId);
  if (!known && (await store.countMeshNodes(id)) >= MAX_NODE_COUNT) {
    throw new Refusal("NODE_LIMIT", `update ${id} has ${MAX_NODE_COUNT} nodes already`);
  }
  if (update.status === "pending")
    await store.changeMeshUpdate(id, { status: "distributing", updatedAt: time, startedAt: time });
  const node = await store.putMeshNode({ ...report, updateId: id, createdAt: time, updatedAt: time });
  if (known?.status !== node.status)
    await log(
      journal,
      update,
      firmware,
      `node ${node.nodeId}: ${node.status}${node.error ? `, ${node.error}` : ""}`,
    );
  if (update.targetNode !== null && (node.status === "completed" || node.status === "failed"))
    await close(journal, update, firmware, node.status, node.error);
  return node;
}

/** A gateway reports that no more nodes need it. @throws Refusal UPDATE_UNKNOWN, UPDATE_CLOSED */
export async function finishDistribution(
  journal: Journal,
  id: number,
  status: "completed" | "failed",
  error: string | null,
): Promise<MeshUpdate> {
  const { update, firmware } = await findOpen(journal, id);
  return close(journal, update, firmware, status, error);
}

async function findOpen(journal: Journal, id: number) {
  const update = await journal.store.findMeshUpdate(id);
  if (!update) throw new Refusal("UPDATE_UNKNOWN", `update ${id} does not exist`);
  if (update.finishedAt !== null) {
    throw new Refusal("UPDATE_CLOSED", `update ${id} is ${update.status} already`);
  }
  const firmware = await journal.store.findFirmware(update.firmwareId);
  return { update, firmware };
}

async function close(
  journal: Journal,
  update: MeshUpdate,
  firmware: Firmware | undefined,
  status: "completed" | "failed" | "cancelled",
  error: string | null,
): Promise<MeshUpdate> {
  const { time, store } = journal;
  const changes = { status, updatedAt: time, finishedAt: time, error };
  const closed = await store.changeMeshUpdate(update.id, changes);
  await log(journal, update, firmware, `distribution ${status}${error ? `, ${error}` : ""}`);
  return closed ?? update;
}

const log = (journal: Journal, update: MeshUpdate, firmware: Firmware | undefined, message: string) =>
  journal.log({
    kind: "mesh.update",
    firmwareId: update.firmwareId,
    message: `${firmware?.deviceType ?? "firmware"} ${firmware?.version ?? update.firmwareId} in the mesh: ${message}`,
    detail: { ota_update_id: update.id },
  });
