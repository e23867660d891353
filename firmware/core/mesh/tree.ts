// The nodes behind a neighbour, as its messages tell them: `{"nodeId":1,"root":true,"subs":[{"nodeId":2}]}`. Only their ids are kept, and
// the text of the tree for the messages to others.

import { asJsonObject, type JsonObject } from "../json.js";
import { idOf } from "./node-id.js";

export interface Tree {
  readonly nodeId: number;
  /** Its own id first, then those behind it. */
  readonly ids: readonly number[];
  /** It has its root in it. */
  readonly isRoot: boolean;
  /** As it stands in `subs` of another message. */
  readonly text: string;
}

/** More are no tree that this gateway could serve. */
export const MAX_NODE_COUNT = 50;

/** The tree of a sync; undefined if a node has no id or the same as another. `from`: the id of a sender that does not say `nodeId`. */
export function readTree(members: JsonObject, from: number): Tree | undefined {
  const ids: number[] = [];
  const text = branch(members, from, ids);
  const nodeId = ids[0];
  if (text === undefined || nodeId === undefined) return undefined;
  return { nodeId, ids, isRoot: members.get("root") === true, text };
}

/** Adds the ids of a branch; its text. As deep as JSON is read (message.ts). */
function branch(members: JsonObject, from: number, ids: number[]): string | undefined {
  const nodeId = idOf(members.get("nodeId")) || from;
  if (nodeId === 0 || ids.includes(nodeId) || ids.length >= MAX_NODE_COUNT) return undefined;
  ids.push(nodeId);
  const behind = members.get("subs");
  const texts: string[] = [];
  for (const sub of Array.isArray(behind) ? behind : []) {
    const object = asJsonObject(sub);
    const text = object && branch(object, 0, ids);
    if (text === undefined) return undefined;
    texts.push(text);
  }
  return treeText(nodeId, members.get("root") === true, texts);
}

const treeText = (nodeId: number, isRoot: boolean, subs: readonly string[]): string =>
  `{"nodeId":${nodeId}${isRoot ? ',"root":true' : ""}${subsText(subs)}}`;

/** Nothing where nobody is behind, as the library writes it. */
export const subsText = (subs: readonly string[]): string =>
  subs.length === 0 ? "" : `,"subs":[${subs.join(",")}]`;
