// A gateway that distributes an image by painlessMesh's protocol: announces it, and sends each node the part that it asks for. The parts are
// read from the cache one at a time, and the next one when the last one has left, so memory does not grow with the number of nodes.
//
//   announce, every 60 s ─► request ─► readCache ─► cacheRead ─► part ─► meshSent ─► the next node that waits
//
// Where the sender leads, the parts are broadcast every 300 ms, and after the last one the rest asks. The protocol has no message that
// cancels: a node that still asks gets an empty last part, whose MD5 is wrong, and gives up at once.

import type { TimerEffect } from "../effect.js";
import type { CacheEffect, CacheEvent } from "../gateway/cache-vocabulary.js";
import {
  type Distribution,
  delivered,
  lookedAt,
  type NodeProgress,
  partPlace,
  requested,
} from "./distribution.js";
import type { RequestMessage } from "./message.js";
import { type At, type NeighboursState, type NodeEffect, routeTo } from "./neighbours-state.js";
import { announceAgain, announceToAll, endOf, partTo, partToAll } from "./sender-messages.js";
import type { MeshEvent, MeshTimer } from "./vocabulary.js";

/** As the library's own. Nodes that come later, or have missed it, hear it then. */
const ANNOUNCE_MS = 60_000;
/** Time for a node to write a part, where the sender leads. */
const LEAD_MS = 300;

/** Questions to the cache are numbered downwards from here: others ask, too (gateway/cache-vocabulary.ts). */
const FIRST_ATTEMPT = -1_000_000;

/** What is being read, and for whom. */
interface Reading {
  readonly attempt: number;
  readonly part: number;
  /** Node id; 0: for all, led by the sender. */
  readonly nodeId: number;
}

export interface SenderState {
  readonly distribution: Distribution | undefined;
  readonly attempt: number;
  readonly reading: Reading | undefined;
  /** Numbers of the neighbours that have not taken their last part yet. */
  readonly busy: readonly number[];
}

export type SenderEffect = NodeEffect | CacheEffect | TimerEffect<MeshTimer>;
export type SenderStep = readonly [SenderState, readonly SenderEffect[]];

export const initialSender: SenderState = Object.freeze({
  distribution: undefined,
  attempt: FIRST_ATTEMPT,
  reading: undefined,
  busy: Object.freeze([]),
});

/** Begins a distribution, or replaces the one that runs. */
export function distribute(
  state: SenderState,
  distribution: Distribution,
  mesh: NeighboursState,
): SenderStep {
  const next: SenderState = { ...state, distribution, reading: undefined };
  const leading: SenderEffect[] =
    distribution.leadPart === undefined
      ? []
      : [{ type: "setTimer", timer: "mesh.broadcast", delayMs: LEAD_MS }];
  return [next, [...announceToAll(distribution, mesh), ANNOUNCE_TIMER, ...leading]];
}

const ANNOUNCE_TIMER: SenderEffect = Object.freeze({
  type: "setTimer",
  timer: "mesh.announce",
  delayMs: ANNOUNCE_MS,
});

/** Stops it: nothing is announced any more, and nodes that ask on are told that nothing more comes. */
export const cancelDistribution = (state: SenderState): SenderStep => [
  {
    ...state,
    distribution: state.distribution && { ...state.distribution, isCancelled: true, leadPart: undefined },
    reading: undefined,
  },
  [
    { type: "clearTimer", timer: "mesh.announce" },
    { type: "clearTimer", timer: "mesh.broadcast" },
  ],
];

export function senderStep(
  state: SenderState,
  event: At<MeshEvent | CacheEvent | { readonly type: "timerFired"; readonly timer: string }>,
  mesh: NeighboursState,
): SenderStep {
  const { distribution } = state;
  if (!distribution) return [state, []];
  switch (event.type) {
    case "meshSent":
      return readNext({ ...state, busy: without(state.busy, event.neighbour) }, mesh);
    case "meshClosed":
      return readNext(looked({ ...state, busy: without(state.busy, event.neighbour) }, mesh, event.at), mesh);
    case "meshReceived":
      return [looked(state, mesh, event.at), []];
    case "cacheRead":
      return event.attempt === state.reading?.attempt
        ? send(state, distribution, state.reading, event, mesh)
        : [state, []];
    case "cacheFailed":
      return event.attempt === state.reading?.attempt ? unreadable(state, event.message) : [state, []];
    case "timerFired":
      return timedOut(state, distribution, event, mesh);
    default:
      return [state, []];
  }
}

const without = (numbers: readonly number[], gone: number): readonly number[] =>
  numbers.includes(gone) ? numbers.filter((number) => number !== gone) : numbers;

function looked(state: SenderState, mesh: NeighboursState, at: number): SenderState {
  const { distribution } = state;
  if (!distribution) return state;
  const seen = lookedAt(distribution, (nodeId) => routeTo(mesh, nodeId)?.number, at);
  return seen === distribution ? state : { ...state, distribution: seen };
}

/** A node asks for a part. */
export function partRequested(
  state: SenderState,
  { image, part, from }: RequestMessage,
  mesh: NeighboursState,
  at: number,
): SenderStep {
  const { distribution } = state;
  const route = routeTo(mesh, from);
  if (!distribution || !route || image.md5 !== distribution.image.md5 || part >= distribution.image.partCount)
    return [state, []];
  if (image.role !== distribution.image.role || image.hardware !== distribution.image.hardware)
    return [state, []];
  if (distribution.isCancelled) return [state, [endOf(distribution, from, part, route.number, mesh)]];
  const asked = requested(distribution, { nodeId: from, part, route: route.number, at });
  return readNext({ ...state, distribution: asked }, mesh);
}

/** The next part that somebody waits for and can take. */
function readNext(state: SenderState, mesh: NeighboursState): SenderStep {
  const { distribution, busy, reading } = state;
  if (!distribution || reading || distribution.isCancelled) return [state, []];
  const isReady = ({ isWaiting, nodeId }: NodeProgress) => {
    const route = isWaiting && routeTo(mesh, nodeId);
    return route && !busy.includes(route.number);
  };
  const node = distribution.nodes.find(isReady);
  return node ? read(state, distribution, node.nodeId, node.part) : [state, []];
}

function read(state: SenderState, distribution: Distribution, nodeId: number, part: number): SenderStep {
  const attempt = state.attempt - 1;
  return [
    { ...state, attempt, reading: { attempt, part, nodeId } },
    [{ type: "readCache", attempt, ...partPlace(distribution, part) }],
  ];
}

function send(
  state: SenderState,
  distribution: Distribution,
  { part, nodeId }: Reading,
  { bytes, at }: At<{ readonly bytes: Uint8Array }>,
  mesh: NeighboursState,
): SenderStep {
  const free: SenderState = { ...state, reading: undefined };
  if (nodeId === 0) return [led(free, distribution), partToAll(distribution, part, bytes, mesh)];
  const node = distribution.nodes.find((other) => other.nodeId === nodeId);
  const route = routeTo(mesh, nodeId);
  if (!node || !route || node.part !== part) return readNext(free, mesh);
  const sent = delivered(distribution, node, at);
  const [next, effects] = readNext(
    { ...free, busy: [...free.busy, route.number], distribution: rotated(sent, nodeId) },
    mesh,
  );
  return [next, [partTo(distribution, nodeId, part, bytes, route.number, mesh), ...effects]];
}

/** After the last part that is broadcast, the nodes ask. */
function led(state: SenderState, distribution: Distribution): SenderState {
  if (distribution.leadPart !== undefined) return state;
  return {
    ...state,
    distribution: { ...distribution, image: { ...distribution.image, isBroadcast: false } },
  };
}

/** Who was served waits behind the others. */
const rotated = (distribution: Distribution, nodeId: number): Distribution => ({
  ...distribution,
  nodes: [
    ...distribution.nodes.filter((node) => node.nodeId !== nodeId),
    ...distribution.nodes.filter((node) => node.nodeId === nodeId),
  ],
});

function timedOut(
  state: SenderState,
  distribution: Distribution,
  { timer, at }: { readonly timer: string; readonly at: number },
  mesh: NeighboursState,
): SenderStep {
  if (timer === "mesh.broadcast") return leadNext(state, distribution);
  if (timer !== "mesh.announce" || distribution.isCancelled) return [state, []];
  const seen = looked(state, mesh, at);
  const announcing =
    seen.distribution && distribution.leadPart === undefined ? announceAgain(seen.distribution, mesh) : [];
  const [next, effects] = readNext(seen, mesh);
  return [next, [...announcing, ANNOUNCE_TIMER, ...effects]];
}

/** While a part is read for a node, the next one to all waits. */
function leadNext(state: SenderState, distribution: Distribution): SenderStep {
  const { leadPart, image } = distribution;
  if (leadPart === undefined) return [state, []];
  const timer: SenderEffect = { type: "setTimer", timer: "mesh.broadcast", delayMs: LEAD_MS };
  if (state.reading) return [state, [timer]];
  const isLast = leadPart + 1 === image.partCount;
  const next = { ...distribution, leadPart: isLast ? undefined : leadPart + 1 };
  const [reading, effects] = read({ ...state, distribution: next }, distribution, 0, leadPart);
  return [reading, isLast ? effects : [...effects, timer]];
}

/** The cache cannot be read: the nodes ask again in 30 s. */
const unreadable = (state: SenderState, message: string): SenderStep => [
  { ...state, reading: undefined },
  [{ type: "log", level: "error", message: `a part of the mesh's image cannot be read: ${message}` }],
];
