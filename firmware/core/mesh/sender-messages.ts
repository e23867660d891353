// The messages of a gateway that distributes an image, to whom they go. Decides nothing about when.

import type { Distribution } from "./distribution.js";
import { type NeighboursState, type NodeEffect, reachable, routeTo } from "./neighbours-state.js";
import { writeAnnounce, writePart } from "./write.js";

export function announceToAll(
  { image, release }: Distribution,
  mesh: NeighboursState,
): readonly NodeEffect[] {
  const text = writeAnnounce(mesh.nodeId, image, { release });
  return mesh.list
    .filter(({ nodeId }) => nodeId !== 0)
    .map(({ number }) => ({ type: "sendMesh", neighbour: number, text }));
}

/**
 * Once more. What is forced would be taken by everyone who hears it, again and again, so it is told one by one to
 * nodes that have not begun.
 */
export function announceAgain(distribution: Distribution, mesh: NeighboursState): readonly NodeEffect[] {
  const { image, release, nodes } = distribution;
  if (!image.isForced) return announceToAll(distribution, mesh);
  return reachable(mesh).flatMap((nodeId) => {
    const route = routeTo(mesh, nodeId);
    if (!route || nodes.some((node) => node.nodeId === nodeId)) return [];
    const text = writeAnnounce(mesh.nodeId, image, { release, dest: nodeId });
    return [{ type: "sendMesh", neighbour: route.number, text }];
  });
}

export function partTo(
  { image }: Distribution,
  nodeId: number,
  part: number,
  bytes: Uint8Array,
  neighbour: number,
  mesh: NeighboursState,
): NodeEffect {
  const { text, tail } = writePart(mesh.nodeId, nodeId, image, part);
  return { type: "sendMesh", neighbour, text, part: { bytes, tail } };
}

/** A part for all, sent to each neighbour, which passes it on. */
export const partToAll = (
  distribution: Distribution,
  part: number,
  bytes: Uint8Array,
  mesh: NeighboursState,
): readonly NodeEffect[] =>
  mesh.list
    .filter(({ nodeId }) => nodeId !== 0)
    .map(({ nodeId, number }) => partTo(distribution, nodeId, part, bytes, number, mesh));

/** An empty part that says that it is the last. */
export function endOf(
  { image }: Distribution,
  nodeId: number,
  part: number,
  neighbour: number,
  mesh: NeighboursState,
): NodeEffect {
  const ending = { ...image, isBroadcast: false, partCount: part + 1 };
  const { text, tail } = writePart(mesh.nodeId, nodeId, ending, part);
  return { type: "sendMesh", neighbour, text: text + tail };
}
