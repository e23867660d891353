// The neighbours in a painlessMesh: who they are and who is behind them (node-sync.ts), the common clock (time-sync.ts), whether they still
// answer. Passes on what is for others. Knows nothing of updates: what is for this node is handed to its caller.
//
//   connected ─► sync (at once by who has connected, after 10 s by the other) ─► synced ─► sync every 60 s ─► no answer in 10 s: dropped
//                     │ the first sync or synced of a neighbour: its id is known
//                     └─► time, at once or after 10 s ─► until in step: every 200 ms ─► every 60 s

import type { TimerEffect } from "../effect.js";
import { type Message, readMessage } from "./message.js";
import {
  type At,
  type Heard,
  logged,
  type Neighbour,
  type NeighboursState,
  type NeighboursStep,
  type NodeEffect,
  routeTo,
  withoutNeighbour,
} from "./neighbours-state.js";
import { FIRST_SYNC_MS, SILENT_MS, SYNC_MS, synced, syncTo } from "./node-sync.js";
import { askTime, delayHeard, timeHeard } from "./time-sync.js";
import { MAX_NEIGHBOUR_COUNT, type MeshEvent, type MeshTimer } from "./vocabulary.js";

/** Until a neighbour that was asked for the time is asked again. */
const UNANSWERED_MS = 10_000;

type Happened = MeshEvent | { readonly type: "timerFired"; readonly timer: string };

/** `meshSent` and `meshDecoded` are for those who sent and asked. */
export function neighboursStep(state: NeighboursState, event: At<Happened>): NeighboursStep {
  const [after, effects, heard] = stepped(state, event);
  const [done, sent] = due(after, event.at);
  const [next, timing] = timed(done, event.at);
  const all = [...effects, ...sent, ...timing];
  return heard ? [next, all, heard] : [next, all];
}

function stepped(state: NeighboursState, event: At<Happened>): NeighboursStep {
  switch (event.type) {
    case "meshConnected":
      return connected(state, event.neighbour, event.at);
    case "meshClosed":
      return [withoutNeighbour(state, event.neighbour, event.at), []];
    case "timerFired":
      return [event.timer === "mesh.neighbours" ? { ...state, timerAt: Infinity } : state, []];
    case "meshReceived": {
      const neighbour = state.list.find(({ number }) => number === event.neighbour);
      const message = neighbour && readMessage(event.text);
      return message ? received(state, { message, neighbour }, event) : [state, []];
    }
    default:
      return [state, []];
  }
}

function connected(state: NeighboursState, number: number, at: number): NeighboursStep {
  if (state.list.length >= MAX_NEIGHBOUR_COUNT) return [state, [{ type: "dropMesh", neighbour: number }]];
  const isOurs = number < 0;
  const neighbour: Neighbour = {
    number,
    isOurs,
    nodeId: 0,
    ids: [],
    tree: "",
    syncAt: isOurs ? at : at + FIRST_SYNC_MS,
    timeAt: Infinity,
    silentAt: Infinity,
  };
  return [{ ...state, list: [...state.list, neighbour] }, []];
}

function received(
  state: NeighboursState,
  { message, neighbour }: Heard,
  { text, at }: { readonly text: string; readonly at: number },
): NeighboursStep {
  if (message.kind === "sync" || message.kind === "synced") return synced(state, neighbour, message, at);
  if (neighbour.nodeId === 0) return [state, []];
  if (message.routing === "single" && message.dest !== state.nodeId)
    return [state, passOn(state, neighbour, message, text)];
  switch (message.kind) {
    case "time":
      return timeHeard(state, neighbour, message, at);
    case "delay":
      return delayHeard(state, neighbour, message, at);
    default:
      return [
        state,
        message.routing === "broadcast" ? toOthers(state, neighbour, text) : [],
        { message, neighbour },
      ];
  }
}

function passOn(
  state: NeighboursState,
  from: Neighbour,
  { dest }: Message,
  text: string,
): readonly NodeEffect[] {
  const route = dest === 0 ? undefined : routeTo(state, dest);
  return route && route !== from ? [{ type: "sendMesh", neighbour: route.number, text }] : [];
}

const toOthers = ({ list }: NeighboursState, from: Neighbour, text: string): readonly NodeEffect[] =>
  list
    .filter((other) => other !== from && other.nodeId !== 0)
    .map(({ number }) => ({ type: "sendMesh", neighbour: number, text }));

/** Sends what is due, and drops who has not answered. */
function due(state: NeighboursState, at: number): NeighboursStep {
  const effects: NodeEffect[] = [];
  let next = state;
  for (const { number, nodeId, silentAt } of state.list) {
    if (silentAt > at) continue;
    next = withoutNeighbour(next, number, at);
    effects.push(logged(`mesh node ${nodeId} does not answer`), { type: "dropMesh", neighbour: number });
  }
  const list = next.list.map((neighbour) => {
    const isSync = neighbour.syncAt <= at;
    const isTime = neighbour.timeAt <= at;
    if (isSync) effects.push(syncTo(next, neighbour, false));
    if (isTime) effects.push(askTime(next, neighbour, at));
    if (!isSync && !isTime) return neighbour;
    const { syncAt, timeAt, silentAt } = neighbour;
    return {
      ...neighbour,
      syncAt: isSync ? at + SYNC_MS : syncAt,
      silentAt: isSync ? at + SILENT_MS : silentAt,
      timeAt: isTime ? at + UNANSWERED_MS : timeAt,
    };
  });
  return [effects.length === 0 ? next : { ...next, list }, effects];
}

/** One timer for all: it fires when the next thing is due. */
function timed(
  state: NeighboursState,
  at: number,
): readonly [NeighboursState, readonly TimerEffect<MeshTimer>[]] {
  let timerAt = Infinity;
  for (const { syncAt, timeAt, silentAt } of state.list)
    timerAt = Math.min(timerAt, syncAt, timeAt, silentAt);
  if (timerAt === state.timerAt) return [state, []];
  const next = { ...state, timerAt };
  if (timerAt === Infinity) return [next, [{ type: "clearTimer", timer: "mesh.neighbours" }]];
  return [next, [{ type: "setTimer", timer: "mesh.neighbours", delayMs: Math.max(0, timerAt - at) }]];
}
