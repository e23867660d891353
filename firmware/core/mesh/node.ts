// A node's place in a painlessMesh: it opens the port once the device is in its network, connects to its gateway if it knows where that is,
// and takes the images for its role. Beside the device, whose update machine it feeds as a port of pushes would. This file only composes.

import type { Effect } from "../effect.js";
import type { Event, Stamped, TimerFired } from "../event.js";
import type { Message } from "./message.js";
import { neighboursStep } from "./neighbours.js";
import { type NeighboursState, type NodeEffect, newNeighbours } from "./neighbours-state.js";
import { nodeIdOf } from "./node-id.js";
import {
  announced,
  decoded,
  isOfMeshPush,
  MD5_KEY,
  newReceiver,
  partHeard,
  pushAsked,
  type ReceiverEffect,
  type ReceiverSettings,
  type ReceiverState,
  type ReceiverStep,
  requestTimedOut,
} from "./receiver.js";
import { isOfMesh, type MeshEvent, type MeshTimer } from "./vocabulary.js";

export interface MeshNodeState {
  readonly neighbours: NeighboursState;
  readonly receiver: ReceiverState;
  /** The port is open. */
  readonly isOpen: boolean;
  /** Number of the connection to the gateway. */
  readonly connection: number;
}

export interface MeshNodeSettings extends ReceiverSettings {
  /** IPv4 of the gateway; empty: nodes and gateways connect to this one. */
  readonly gateway: string;
}

export type MeshNodeEvent = Event | MeshEvent | TimerFired<MeshTimer>;
export type MeshNodeEffect = NodeEffect | Extract<Effect, { readonly type: "store" }>;

/** The device beside it: its step, with its state inside. */
export interface FedDevice<Device> {
  readonly device: Device;
  step(device: Device, event: Stamped): readonly [Device, readonly Effect[]];
  settings(device: Device): MeshNodeSettings;
}

/** Between a push's events and its effects: a part of one sector is read in at most some pieces. More is a loop: a bug. */
const MAX_ROUNDS = 64;
/** Until the gateway is tried again. */
const CONNECT_MS = 10_000;

export const newMeshNode = (mac: string, storedMd5: string | undefined): MeshNodeState => ({
  neighbours: newNeighbours(nodeIdOf(mac), { isRoot: false, keepsTime: true }),
  receiver: newReceiver(storedMd5),
  isOpen: false,
  connection: 0,
});

/** Before the device has said what its address is. */
export const initialMeshNode: MeshNodeState = Object.freeze(newMeshNode("", undefined));

/** The device and its place in the mesh: both see the event, and each what the other makes of it. */
export function meshNodeStep<Device>(
  mesh: MeshNodeState,
  { device, step, settings }: FedDevice<Device>,
  event: Stamped<MeshNodeEvent>,
): readonly [MeshNodeState, Device, readonly (Effect | MeshNodeEffect)[]] {
  const done: (Effect | MeshNodeEffect)[] = [];
  const { at, random, freeHeapBytes } = event;
  let [fed, asked]: readonly [Device, readonly Effect[]] = isOwn(event)
    ? [device, []]
    : step(device, event as Stamped);
  let [next, own] = ownStep(mesh, event, settings(fed));
  for (let round = 0; ; round++) {
    if (round > MAX_ROUNDS) throw new Error(`more than ${MAX_ROUNDS} rounds for one ${event.type}`);
    const raised: Event[] = [];
    for (const effect of asked) {
      if (!isOfMeshPush(effect)) {
        done.push(effect);
        continue;
      }
      const [receiver, more] = pushAsked(next.receiver, effect, next.neighbours);
      next = { ...next, receiver };
      own = [...own, ...more];
    }
    for (const effect of own) {
      if (effect.type === "raise") raised.push(effect.event);
      else done.push(effect);
    }
    if (raised.length === 0) return [next, fed, done];
    own = [];
    asked = [];
    for (const heard of raised) {
      const [stepped, more] = step(fed, { ...heard, at, random, freeHeapBytes } as Stamped);
      fed = stepped;
      asked = [...asked, ...more];
    }
  }
}

const isOwn = (event: MeshNodeEvent): boolean =>
  isOfMesh(event) || (event.type === "timerFired" && event.timer.startsWith("mesh."));

type OwnStep = readonly [MeshNodeState, readonly ReceiverEffect[]];

function ownStep(state: MeshNodeState, event: Stamped<MeshNodeEvent>, settings: MeshNodeSettings): OwnStep {
  switch (event.type) {
    case "booted":
      return [newMeshNode(event.identity.mac, event.stored[MD5_KEY]), []];
    case "wifiJoined":
      return joined(state, settings);
    case "meshDecoded":
      return withReceiver(state, decoded(state.receiver, event.bytes));
    case "timerFired":
      if (event.timer === "mesh.request")
        return withReceiver(state, requestTimedOut(state.receiver, state.neighbours));
      return event.timer === "mesh.connect" ? connect(state, settings) : heard(state, event, settings);
    case "meshClosed": {
      const [next, effects] = heard(state, event, settings);
      const isGateway = event.neighbour < 0 && event.neighbour === state.connection;
      return [next, isGateway ? [...effects, CONNECT_LATER] : effects];
    }
    case "meshConnected":
    case "meshReceived":
      return heard(state, event, settings);
    default:
      return [state, []];
  }
}

const CONNECT_LATER: NodeEffect = Object.freeze({
  type: "setTimer",
  timer: "mesh.connect",
  delayMs: CONNECT_MS,
});

function joined(state: MeshNodeState, settings: MeshNodeSettings): OwnStep {
  if (state.isOpen) return [state, []];
  const [next, effects] = connect({ ...state, isOpen: true }, settings);
  return [next, [{ type: "openMesh" }, ...effects]];
}

function connect(state: MeshNodeState, { gateway }: MeshNodeSettings): OwnStep {
  if (gateway === "") return [state, []];
  const neighbour = state.connection - 1;
  return [{ ...state, connection: neighbour }, [{ type: "connectMesh", neighbour, address: gateway }]];
}

/** What a neighbour says, or that it is there or gone. */
function heard(
  state: MeshNodeState,
  event: Stamped<MeshEvent | TimerFired<string>>,
  settings: MeshNodeSettings,
): OwnStep {
  const [neighbours, effects, told] = neighboursStep(state.neighbours, event);
  const next = { ...state, neighbours };
  const [after, more] = told
    ? withReceiver(next, taken(next, told.message, settings))
    : ([next, []] as const);
  return [after, [...effects, ...more]];
}

function taken(
  { receiver, neighbours }: MeshNodeState,
  message: Message,
  settings: MeshNodeSettings,
): ReceiverStep {
  if (message.kind === "announce") return announced(receiver, message, settings, neighbours);
  return message.kind === "part" ? partHeard(receiver, message, neighbours) : [receiver, []];
}

const withReceiver = (state: MeshNodeState, [receiver, effects]: ReceiverStep): OwnStep => [
  { ...state, receiver },
  effects,
];
