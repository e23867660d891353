// What is known of the neighbours in a painlessMesh. Only data, and what can be read from it.

import type { LogLevel, TimerEffect } from "../effect.js";
import type { Message } from "./message.js";
import type { MeshEffect, MeshTimer } from "./vocabulary.js";

export interface Neighbour {
  readonly number: number;
  /** This node has opened the connection. */
  readonly isOurs: boolean;
  /** 0: it has not said yet. */
  readonly nodeId: number;
  /** Its own id and those of all behind it. */
  readonly ids: readonly number[];
  /** As it is told to others. */
  readonly tree: string;
  /** When it is asked next who is behind it, ms since the boot. */
  readonly syncAt: number;
  /** When it is asked for the time. */
  readonly timeAt: number;
  /** When it is dropped unless it answers. */
  readonly silentAt: number;
}

export interface NeighboursState {
  readonly nodeId: number;
  readonly isRoot: boolean;
  /** Follows the mesh's clock; without it this node only answers. */
  readonly keepsTime: boolean;
  /** What the mesh's clock is ahead of this node's, µs as u32. */
  readonly clockUs: number;
  /** At most MAX_NEIGHBOUR_COUNT. */
  readonly list: readonly Neighbour[];
  /** When the timer fires. */
  readonly timerAt: number;
}

export type NodeEffect =
  | MeshEffect
  | TimerEffect<MeshTimer>
  | { readonly type: "log"; readonly level: LogLevel; readonly message: string };

/** A message that is for this node. */
export interface Heard {
  readonly message: Message;
  readonly neighbour: Neighbour;
}

export type NeighboursStep = readonly [NeighboursState, readonly NodeEffect[], Heard?];

export type At<Any> = Any & { readonly at: number };

export const newNeighbours = (
  nodeId: number,
  options: { readonly isRoot: boolean; readonly keepsTime: boolean },
): NeighboursState => Object.freeze({ nodeId, ...options, clockUs: 0, list: NOBODY, timerAt: Infinity });
const NOBODY: readonly Neighbour[] = Object.freeze([]);

/** The neighbour that leads to a node. */
export const routeTo = ({ list }: NeighboursState, nodeId: number): Neighbour | undefined =>
  list.find(({ ids }) => ids.includes(nodeId));

/** Ids of all other nodes that can be reached. */
export const reachable = ({ list }: NeighboursState): readonly number[] => list.flatMap(({ ids }) => ids);

export const withNeighbour = (state: NeighboursState, changed: Neighbour): NeighboursState => ({
  ...state,
  list: state.list.map((other) => (other.number === changed.number ? changed : other)),
});

/** Those who are known are told at once what has changed behind this node. */
export const telling = (list: readonly Neighbour[], at: number): readonly Neighbour[] =>
  list.map((neighbour) => (neighbour.nodeId === 0 ? neighbour : { ...neighbour, syncAt: at }));

export function withoutNeighbour(state: NeighboursState, number: number, at: number): NeighboursState {
  const gone = state.list.find((neighbour) => neighbour.number === number);
  if (!gone) return state;
  const list = state.list.filter((neighbour) => neighbour !== gone);
  return { ...state, list: gone.nodeId === 0 ? list : telling(list, at) };
}

export const logged = (message: string): NodeEffect => ({ type: "log", level: "warn", message });
