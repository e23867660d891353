// painlessMesh's protocol: firmware/core/mesh.

import type { Mutation } from "./mutation.js";

const MESH = "firmware/core/mesh";

export const MUTATIONS: readonly Mutation[] = [
  {
    what: "an image without a signature is taken although the owner has not allowed it",
    file: `${MESH}/receiver.ts`,
    original: "if (release === undefined && !settings.acceptsUnsigned)",
    mutated: "if (false)",
  },
  {
    what: "an image for another role is taken",
    file: `${MESH}/receiver.ts`,
    original: "image.role !== settings.role || image.hardware !== settings.hardware",
    mutated: "image.hardware !== settings.hardware",
  },
  {
    what: "the image that runs is taken again",
    file: `${MESH}/receiver.ts`,
    original: "(image.md5 === state.storedMd5 && !image.isForced) ||",
    mutated: "",
  },
  {
    what: "parts are taken in any order",
    file: `${MESH}/receiver.ts`,
    original: "if (part === reception.part) {",
    mutated: "if (part >= reception.part) {",
  },
  {
    what: "a part of another image is taken",
    file: `${MESH}/receiver.ts`,
    original: "a.md5 === b.md5 && a.role === b.role",
    mutated: "a.role === b.role",
  },
  {
    what: "a part is asked for without end",
    file: `${MESH}/receiver.ts`,
    original: "if (reception.tries < MAX_TRIES)",
    mutated: "if (reception.tries < 1_000)",
  },
  {
    what: "tries are counted over all parts",
    file: `${MESH}/receiver.ts`,
    original: "held: NO_BYTES, part: part + 1, image, tries: 0 }",
    mutated: "held: NO_BYTES, part: part + 1, image }",
  },
  {
    what: "the last bytes are not marked",
    file: `${MESH}/receiver.ts`,
    original: "const isOver = reception.isLast && held.length === 0;",
    mutated: "const isOver = false;",
  },
  {
    what: "an empty part is waited for without end",
    file: `${MESH}/receiver.ts`,
    original: "if (bytes.length === 0) return ended(state, reception);",
    mutated: "",
  },
  {
    what: "a node that misses a part of a sender that leads does not ask",
    file: `${MESH}/receiver.ts`,
    original: "if (!reception.isLed || !image.isBroadcast) return [state, []];",
    mutated: "return [state, []];",
  },
  {
    what: "the MD5 of an image that was taken is not kept",
    file: `${MESH}/receiver.ts`,
    original: "if (response.status === 200)",
    mutated: "if (response.status === 201)",
  },
  {
    what: "a gateway sends parts of another image",
    file: `${MESH}/sender.ts`,
    original: "image.md5 !== distribution.image.md5 ||",
    mutated: "",
  },
  {
    what: "parts for a slow neighbour pile up",
    file: `${MESH}/sender.ts`,
    original: "return route && !busy.includes(route.number);",
    mutated: "return route;",
  },
  {
    what: "a cancelled distribution goes on",
    file: `${MESH}/sender.ts`,
    original:
      "if (distribution.isCancelled) return [state, [endOf(distribution, from, part, route.number, mesh)]];",
    mutated: "",
  },
  {
    what: "an image that is forced is announced to all again and again",
    file: `${MESH}/sender-messages.ts`,
    original: "if (!image.isForced) return",
    mutated: "return",
  },
  {
    what: "the table of nodes grows without end",
    file: `${MESH}/distribution.ts`,
    original: "if (!known && distribution.nodes.length >= MAX_NODE_COUNT) return distribution;",
    mutated: "",
  },
  {
    what: "a node whose image never works is served without end",
    file: `${MESH}/distribution.ts`,
    original: "if (tryCount > MAX_TRY_COUNT)",
    mutated: "if (false)",
  },
  {
    what: "the last part is as long as the others",
    file: `${MESH}/distribution.ts`,
    original: "length: Math.min(partBytes, sizeBytes - part * partBytes)",
    mutated: "length: partBytes",
  },
  {
    what: "a part behind the last one is a message",
    file: `${MESH}/message.ts`,
    original: "if (!isCount(part) || part >= image.partCount)",
    mutated: "if (!isCount(part))",
  },
  {
    what: "a part may be of any length",
    file: `${MESH}/message.ts`,
    original: "data.length > MAX_DATA_CHARACTERS",
    mutated: "data.length > 100_000",
  },
  {
    what: "an MD5 may be any text",
    file: `${MESH}/message.ts`,
    original: "!/^[0-9a-f]{32}$/.test(md5)",
    mutated: 'md5 === ""',
  },
  {
    what: "a node may be in a tree twice",
    file: `${MESH}/tree.ts`,
    original: "ids.includes(nodeId) ||",
    mutated: "",
  },
  {
    what: "a silent neighbour stays",
    file: `${MESH}/neighbours.ts`,
    original: "if (silentAt > at) continue;",
    mutated: "continue;",
  },
  {
    what: "there may be any number of neighbours",
    file: `${MESH}/neighbours.ts`,
    original: "if (state.list.length >= MAX_NEIGHBOUR_COUNT)",
    mutated: "if (false)",
  },
  {
    what: "a stranger's messages are heard",
    file: `${MESH}/neighbours.ts`,
    original: "if (neighbour.nodeId === 0) return [state, []];",
    mutated: "",
  },
  {
    what: "a message goes back to where it came from",
    file: `${MESH}/neighbours.ts`,
    original: "return route && route !== from ?",
    mutated: "return route ?",
  },
  {
    what: "a neighbour may change who it is",
    file: `${MESH}/node-sync.ts`,
    original: "if (from.nodeId !== 0 && from.nodeId !== nodeId)",
    mutated: "if (false)",
  },
  {
    what: "a loop in the mesh is not noticed",
    file: `${MESH}/node-sync.ts`,
    original: "if (ids.includes(state.nodeId))",
    mutated: "if (false)",
  },
  {
    what: "a node that has restarted is kept out by its old connection",
    file: `${MESH}/node-sync.ts`,
    original: "const double = state.list.find((other) => other !== from && other.nodeId === tree.nodeId);",
    mutated: "const double = undefined as Neighbour | undefined;",
  },
  {
    what: "a gateway follows the clocks of its nodes",
    file: `${MESH}/time-sync.ts`,
    original: "if (!state.keepsTime) return [state, []];",
    mutated: "",
  },
];
