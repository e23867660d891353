// Node sync: two neighbours tell each other who they are and who is behind them, so that every node knows the way to every other.

import type { SyncMessage } from "./message.js";
import {
  logged,
  type Neighbour,
  type NeighboursState,
  type NeighboursStep,
  type NodeEffect,
  telling,
  withNeighbour,
  withoutNeighbour,
} from "./neighbours-state.js";
import { writeSync } from "./write.js";

/** As the library has them. */
export const SYNC_MS = 60_000;
export const FIRST_SYNC_MS = 10_000;
export const SILENT_MS = 10_000;

/** A neighbour has told who it is. A node that has restarted comes anew, and its old connection goes. */
export function synced(
  state: NeighboursState,
  from: Neighbour,
  message: SyncMessage,
  at: number,
): NeighboursStep {
  const { tree } = message;
  const wrong = whyWrong(state, from, tree.ids);
  if (wrong !== undefined) {
    const drop: NodeEffect = { type: "dropMesh", neighbour: from.number };
    return [
      withoutNeighbour(state, from.number, at),
      [logged(`a mesh neighbour is dropped: ${wrong}`), drop],
    ];
  }
  const double = state.list.find((other) => other !== from && other.nodeId === tree.nodeId);
  const kept = double ? withoutNeighbour(state, double.number, at) : state;
  const isChanged = from.tree !== tree.text;
  const known: Neighbour = {
    ...from,
    nodeId: tree.nodeId,
    ids: tree.ids,
    tree: tree.text,
    silentAt: message.kind === "synced" ? Infinity : from.silentAt,
    syncAt: isChanged ? from.syncAt : at + SYNC_MS,
    timeAt: from.nodeId === 0 && state.keepsTime ? at + (from.isOurs ? 0 : FIRST_SYNC_MS) : from.timeAt,
  };
  const told = isChanged ? { ...kept, list: telling(kept.list, at) } : kept;
  const next = withNeighbour(told, known);
  return [
    next,
    [
      ...(double ? [{ type: "dropMesh", neighbour: double.number } as const] : []),
      ...(message.kind === "sync" ? [syncTo(next, known, true)] : []),
    ],
  ];
}

/** A connection that is not what it was, or that leads back here. */
function whyWrong(state: NeighboursState, from: Neighbour, ids: readonly number[]): string | undefined {
  const [nodeId = 0] = ids;
  if (from.nodeId !== 0 && from.nodeId !== nodeId) return `${from.nodeId} says now that it is ${nodeId}`;
  if (ids.includes(state.nodeId)) return `${nodeId} says that this node is behind it`;
  const isBehind = (other: Neighbour) =>
    other !== from && other.nodeId !== nodeId && other.ids.includes(nodeId);
  return state.list.some(isBehind) ? `${nodeId} is behind another neighbour already` : undefined;
}

/** What this node says of itself, and of all but the one that it tells. */
export const syncTo = (
  { nodeId, isRoot, list }: NeighboursState,
  to: Neighbour,
  isReply: boolean,
): NodeEffect => ({
  type: "sendMesh",
  neighbour: to.number,
  text: writeSync({
    isReply,
    from: nodeId,
    dest: to.nodeId,
    isRoot,
    subs: list.flatMap(({ number, tree }) => (number === to.number || tree === "" ? [] : [tree])),
  }),
});
