// Time sync: neighbours agree on one clock, whose arithmetic is in clock.ts. One of two asks the other to ask, or asks itself.

import { ANSWER_US, clockError, follows, isInStep, meshTime } from "./clock.js";
import type { TimeMessage } from "./message.js";
import {
  type Neighbour,
  type NeighboursState,
  type NeighboursStep,
  type NodeEffect,
  reachable,
  withNeighbour,
} from "./neighbours-state.js";
import { writeTime } from "./write.js";

/** As the library has them. */
const TIME_MS = 60_000;
const TIME_AGAIN_MS = 200;

/** A neighbour asks for the time, or tells it. */
export function timeHeard(
  state: NeighboursState,
  from: Neighbour,
  message: TimeMessage,
  at: number,
): NeighboursStep {
  const now = meshTime(at, state.clockUs);
  if (message.step === 0) return [state, [timeTo(state, from, [now])]];
  if (message.step === 1) {
    const timeAt = state.keepsTime ? at + TIME_MS : Infinity;
    return [withNeighbour(state, { ...from, timeAt }), [timeTo(state, from, answered(message, now))]];
  }
  if (!state.keepsTime) return [state, []];
  const errorUs = clockError(message.t0, message.t1, message.t2, now);
  const isDone = isInStep(errorUs);
  const adopted = { ...state, clockUs: (state.clockUs + errorUs) >>> 0 };
  const timed = { ...from, timeAt: at + (isDone ? TIME_MS : TIME_AGAIN_MS) };
  return [withNeighbour(isDone ? othersAsked(adopted, at) : adopted, timed), []];
}

/** How long a message takes between two nodes of the mesh: this one answers, and never asks. */
export const delayHeard = (
  state: NeighboursState,
  neighbour: Neighbour,
  message: TimeMessage,
  at: number,
): NeighboursStep => {
  if (message.step !== 1) return [state, []];
  const times = answered(message, meshTime(at, state.clockUs));
  const text = writeTime("delay", { from: state.nodeId, dest: message.from }, times);
  return [state, [{ type: "sendMesh", neighbour: neighbour.number, text }]];
};

const answered = ({ t0 }: TimeMessage, now: number): readonly number[] => [t0, now, (now + ANSWER_US) >>> 0];

/** The clock has changed: the other neighbours follow. */
const othersAsked = (state: NeighboursState, at: number): NeighboursState => ({
  ...state,
  list: state.list.map((other) => (other.nodeId === 0 ? other : { ...other, timeAt: at })),
});

/** Asks for the time, or to be asked for it. */
export function askTime(state: NeighboursState, to: Neighbour, at: number): NodeEffect {
  const count = 1 + reachable(state).length - to.ids.length;
  const isAsking = follows({ nodeId: state.nodeId, count }, { nodeId: to.nodeId, count: to.ids.length });
  return timeTo(state, to, isAsking ? [meshTime(at, state.clockUs)] : []);
}

const timeTo = (state: NeighboursState, to: Neighbour, times: readonly number[]): NodeEffect => ({
  type: "sendMesh",
  neighbour: to.number,
  text: writeTime("time", { from: state.nodeId, dest: to.nodeId }, times),
});
