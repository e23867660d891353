// When an order is over, and how, from how far its nodes are: each for itself, or all of them together. Pure; knows nothing of images and requests.

import { isForNode, type Member, WENT_BACK } from "./job-members.js";
import { isOver, type JobNode } from "./job-nodes.js";
import type { JobOrder } from "./job-order.js";

/** Three announcements go by: a node that wants the image has begun by then. */
const QUIET_MS = 200_000;
/** A node of ours checks every two minutes: all that are there were heard by then. */
const GATHER_MS = 150_000;
/** A node of ours that is silent for so long has gone. */
const SILENT_MS = 900_000;
/** Nobody has asked for the image. */
const UNWANTED_MS = 86_400_000;

/** As the update server is told. */
export interface JobEnd {
  readonly status: "completed" | "failed";
  readonly message: string;
}

/** How the distribution stands; times in ms since the boot. */
interface Distributed {
  readonly nodes: readonly JobNode[];
  readonly members: readonly Member[];
  readonly isCommitted: boolean;
  readonly isTakenBack: boolean;
  readonly beganAt: number;
  /** When a node has moved last. */
  readonly movedAt: number;
}

/** Who fails, or falls silent, does not keep the others. `undefined`: somebody is still at it, or may come. */
export function endOfEach(
  { nodes, beganAt, movedAt }: Distributed,
  { nodeId }: JobOrder,
  at: number,
): JobEnd | undefined {
  if (nodes.length === 0)
    return at - beganAt >= UNWANTED_MS
      ? { status: "failed", message: "no node has asked for it" }
      : undefined;
  const open = nodes.find((node) => !isOver(node) && at - node.at < SILENT_MS);
  if (open || (at - movedAt < QUIET_MS && nodeId === undefined)) return undefined;
  return summary(nodes);
}

function summary(nodes: readonly JobNode[]): JobEnd {
  const doneCount = nodes.filter(({ phase }) => phase === "completed").length;
  const message = `${doneCount} of ${nodes.length} nodes have it`;
  return { status: doneCount > 0 ? "completed" : "failed", message };
}

/** Before the commit one that fails ends it for all; afterwards all others go back. */
export function endOfAll(
  state: Distributed,
  order: JobOrder,
  at: number,
): JobEnd | "commit" | "takeBack" | undefined {
  const { nodes, members, isCommitted, isTakenBack, beganAt, movedAt } = state;
  if (isTakenBack) return endOfReturn(state, at);
  if (isCommitted && nodes.some(({ phase }) => phase === "failed")) return "takeBack";
  if (isCommitted) {
    if (nodes.some((node) => !isOver(node) && at - node.at < SILENT_MS)) return undefined;
    if (nodes.length === 0 || at - movedAt < GATHER_MS) return undefined;
    const end = summary(nodes);
    return nodes.every(({ phase }) => phase === "completed") ? end : { ...end, status: "failed" };
  }
  const failed = nodes.find(({ phase }) => phase === "failed");
  if (failed) return { status: "failed", message: `${failed.id}: ${failed.error}` };
  const concerned = members.filter((member) => isForNode(order, member));
  const silent = concerned.find((member) => at - member.at >= SILENT_MS);
  if (silent) return { status: "failed", message: `${silent.id} has fallen silent` };
  if (concerned.length === 0)
    return at - beganAt >= UNWANTED_MS
      ? { status: "failed", message: "no node has asked for it" }
      : undefined;
  const hasAll = concerned.every(({ id }) =>
    nodes.some((node) => node.id === id && (node.phase === "staged" || node.phase === "completed")),
  );
  return hasAll && at - beganAt >= GATHER_MS ? "commit" : undefined;
}

/** Who has gone back counts as failed. One that is silent does so when it is heard again. */
function endOfReturn({ nodes, movedAt }: Distributed, at: number): JobEnd | undefined {
  if (nodes.some(({ phase, at: heardAt }) => phase !== "failed" && at - heardAt < SILENT_MS))
    return undefined;
  if (at - movedAt < GATHER_MS) return undefined;
  const first = nodes.find(({ phase, error }) => phase === "failed" && error !== WENT_BACK);
  const why = first ? `${first.id}: ${first.error}` : "a node has failed";
  return { status: "failed", message: `${why}; the others have gone back` };
}
