// An app's own text to all nodes of a painlessMesh: the library's sendBroadcast, and what its onReceive hears of one (message.ts, type 8).

import { readJsonObject, writeJson } from "../json.js";
import { TYPES } from "./message.js";
import type { NeighboursState, NodeEffect } from "./neighbours-state.js";

/** Of the text, characters: what nodes of ours say is far shorter. */
const MAX_TEXT_LENGTH = 512;
/** What stands around it. */
const MAX_MESSAGE_LENGTH = 2 * MAX_TEXT_LENGTH;

/** To all neighbours that are known; they pass it on. */
export function broadcast({ nodeId, list }: NeighboursState, text: string): readonly NodeEffect[] {
  const message = `{"type":${TYPES.broadcast},"dest":0,"from":${nodeId},"msg":${writeJson(text)}}`;
  return list.flatMap((neighbour) =>
    neighbour.nodeId === 0 ? [] : [{ type: "sendMesh", neighbour: neighbour.number, text: message }],
  );
}

/** The text of a broadcast, or of a message to this node; undefined: the message is something else, or too long. */
export function broadcastText(message: string, { nodeId }: NeighboursState): string | undefined {
  const members = message.length <= MAX_MESSAGE_LENGTH ? readJsonObject(message) : undefined;
  const type = members?.get("type");
  const isForUs = type === TYPES.broadcast || (type === TYPES.single && members?.get("dest") === nodeId);
  const text = isForUs && members?.get("from") !== nodeId ? members?.get("msg") : undefined;
  return typeof text === "string" && text.length <= MAX_TEXT_LENGTH ? text : undefined;
}
