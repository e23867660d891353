// An image that a gateway distributes by painlessMesh's protocol, and how far each node has come. A bounded table; sends nothing.
//
//   receiving ─ last part sent ─► restarting ─ it comes back, or asks for nothing more ─► done
//       ▲  │ no request for 5 min ─► failed        │ it asks again from the beginning          │ three times: failed
//       └──┴───────────────────────────────────────┴───────────────────────────────────────────┘

import type { MeshImage } from "./message.js";
import { MAX_NODE_COUNT } from "./tree.js";

export interface NodeProgress {
  readonly nodeId: number;
  readonly phase: "receiving" | "restarting" | "done" | "failed";
  /** The part that it asked for last. */
  readonly part: number;
  /** It waits for that part. */
  readonly isWaiting: boolean;
  /** When it was heard last, ms since the boot. */
  readonly at: number;
  /** How many times it has begun. */
  readonly tryCount: number;
  /** It was gone since it has the last part. */
  readonly wasAway: boolean;
  /** Number of the connection that leads to it. */
  readonly route: number;
}

export interface Distribution {
  readonly image: MeshImage;
  /** The signed manifest, for nodes of ours. */
  readonly release: string | undefined;
  readonly sizeBytes: number;
  readonly partBytes: number;
  /** Where the image begins in the cache. */
  readonly offset: number;
  /** At most MAX_NODE_COUNT. */
  readonly nodes: readonly NodeProgress[];
  /** Each node that asks on is told that there is nothing more. */
  readonly isCancelled: boolean;
  /** The next part that is broadcast; undefined: the nodes ask. */
  readonly leadPart: number | undefined;
}

/** painlessMesh's examples and our server count in these. */
export const PART_BYTES = 1024;
/** After ten requests of 30 s each, with one more as a reserve. */
const SILENT_MS = 330_000;
/** Three announcements go by: a node that wants the image has asked by then. */
const QUIET_MS = 200_000;
const MAX_TRY_COUNT = 3;

export const newDistribution = (options: {
  /** Without the count of parts, which follows from the sizes. */
  readonly image: Omit<MeshImage, "partCount" | "isCompressed">;
  readonly sizeBytes: number;
  readonly release?: string;
  readonly partBytes?: number;
  readonly offset?: number;
}): Distribution => {
  const { sizeBytes, release, partBytes = PART_BYTES, offset = 0 } = options;
  const image = { ...options.image, partCount: Math.ceil(sizeBytes / partBytes), isCompressed: false };
  const leadPart = image.isBroadcast ? 0 : undefined;
  return { image, release, sizeBytes, partBytes, offset, nodes: [], isCancelled: false, leadPart };
};

/** Place and length of a part in the cache. */
export const partPlace = (
  { offset, sizeBytes, partBytes }: Distribution,
  part: number,
): { readonly offset: number; readonly length: number } => ({
  offset: offset + part * partBytes,
  length: Math.min(partBytes, sizeBytes - part * partBytes),
});

/** A node asks for a part. Unchanged if the table is full or the node has failed too often. */
export function requested(
  distribution: Distribution,
  { nodeId, part, route, at }: Pick<NodeProgress, "nodeId" | "part" | "route" | "at">,
): Distribution {
  const known = distribution.nodes.find((node) => node.nodeId === nodeId);
  if (!known && distribution.nodes.length >= MAX_NODE_COUNT) return distribution;
  const isNewTry = !known || known.phase === "restarting" || known.phase === "done";
  const tryCount = (known?.tryCount ?? 0) + (isNewTry ? 1 : 0);
  if (tryCount > MAX_TRY_COUNT) return withNode(distribution, { ...known!, phase: "failed", tryCount, at });
  const node: NodeProgress = {
    nodeId,
    phase: "receiving",
    part,
    isWaiting: true,
    at,
    tryCount,
    wasAway: false,
    route,
  };
  return known ? withNode(distribution, node) : { ...distribution, nodes: [...distribution.nodes, node] };
}

/** The part has left. */
export const delivered = (distribution: Distribution, node: NodeProgress, at: number): Distribution =>
  withNode(distribution, {
    ...node,
    isWaiting: false,
    at,
    phase: node.part + 1 === distribution.image.partCount ? "restarting" : node.phase,
  });

/** What follows from who is in the mesh, and from the time. @param routeOf number of the connection to a node; undefined: it is not there */
export function lookedAt(
  distribution: Distribution,
  routeOf: (nodeId: number) => number | undefined,
  at: number,
): Distribution {
  const nodes = distribution.nodes.map((node) => lookedAtNode(node, routeOf(node.nodeId), at));
  return nodes.every((node, index) => node === distribution.nodes[index])
    ? distribution
    : { ...distribution, nodes };
}

function lookedAtNode(node: NodeProgress, route: number | undefined, at: number): NodeProgress {
  if (node.phase === "receiving") {
    return at - node.at >= SILENT_MS ? { ...node, phase: "failed", isWaiting: false } : node;
  }
  if (node.phase !== "restarting") return node;
  if (route === undefined) return node.wasAway ? node : { ...node, wasAway: true };
  const isBack = node.wasAway || route !== node.route;
  return isBack || at - node.at >= QUIET_MS ? { ...node, phase: "done" } : node;
}

const withNode = (distribution: Distribution, changed: NodeProgress): Distribution => ({
  ...distribution,
  nodes: distribution.nodes.map((node) => (node.nodeId === changed.nodeId ? changed : node)),
});
