// What the store remembers of updates that a gateway distributes in its mesh (the mesh gateway's API). Nodes are not devices of this
// server: it knows of them what gateways report.

import type { Page, Paged } from "./page.js";

type MeshUpdateStatus = "pending" | "distributing" | "completed" | "failed" | "cancelled";
/** `staged`: the node has the whole image, verified, and waits for the others. */
export type MeshNodeStatus = "pending" | "transferring" | "staged" | "completed" | "failed";
/** `all`: all nodes install it or none does. `each`: as many as can. */
export type MeshRule = "all" | "each";

export interface MeshUpdate {
  readonly id: number;
  readonly firmwareId: number;
  /** One node; `null`: every node of the firmware's type. */
  readonly targetNode: string | null;
  /** Nodes take it although they run the same image. */
  readonly isForced: boolean;
  readonly rule: MeshRule;
  readonly status: MeshUpdateStatus;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** When the first node was reported. */
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** Why it failed. */
  readonly error: string | null;
}

type NewMeshUpdate = Pick<MeshUpdate, "firmwareId" | "targetNode" | "isForced" | "createdAt"> &
  Partial<Pick<MeshUpdate, "rule">>;

export interface MeshNode {
  readonly updateId: number;
  readonly nodeId: string;
  readonly status: MeshNodeStatus;
  /** Parts that the node has. */
  readonly currentPart: number;
  readonly totalParts: number;
  readonly error: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface MeshStore {
  /** Without a rule: `each`. */
  addMeshUpdate(update: NewMeshUpdate): Promise<MeshUpdate>;
  findMeshUpdate(id: number): Promise<MeshUpdate | undefined>;
  /** Newest first. */
  listMeshUpdates(
    filter: { readonly statuses?: readonly MeshUpdateStatus[]; readonly deviceTypes?: readonly string[] },
    page: Page,
  ): Promise<Paged<MeshUpdate>>;
  /** Those that have not ended, the oldest first: at most `limit` of each type, so that none waits behind those of another. */
  listOpenMeshUpdates(filter: {
    readonly deviceTypes: readonly string[] | null;
    readonly limit: number;
  }): Promise<readonly MeshUpdate[]>;
  changeMeshUpdate(
    id: number,
    changes: Pick<MeshUpdate, "status" | "updatedAt"> &
      Partial<Pick<MeshUpdate, "startedAt" | "finishedAt" | "error">>,
  ): Promise<MeshUpdate | undefined>;
  /** Inserts or replaces, but keeps the `createdAt` of a node that is known. */
  putMeshNode(node: MeshNode): Promise<MeshNode>;
  countMeshNodes(updateId: number): Promise<number>;
  findMeshNode(updateId: number, nodeId: string): Promise<MeshNode | undefined>;
  /** By name, at most `limit`. */
  listMeshNodes(updateId: number, limit: number): Promise<readonly MeshNode[]>;
}
