// A gateway's place in a painlessMesh: it opens the port once the device is in its network, knows its neighbours, and distributes an image
// when its app says so. This file only composes.

import type { TimerEffect } from "../effect.js";
import type { CacheEvent } from "../gateway/cache-vocabulary.js";
import type { Distribution } from "./distribution.js";
import { neighboursStep } from "./neighbours.js";
import { type At, type NeighboursState, newNeighbours } from "./neighbours-state.js";
import { nodeIdOf } from "./node-id.js";
import {
  cancelDistribution,
  distribute,
  initialSender,
  partRequested,
  type SenderEffect,
  type SenderState,
  senderStep,
} from "./sender.js";
import type { MeshEvent, MeshTimer } from "./vocabulary.js";

export interface MeshGatewayState {
  readonly neighbours: NeighboursState;
  readonly sender: SenderState;
  readonly isOpen: boolean;
}

export type MeshGatewayEffect = SenderEffect | TimerEffect<MeshTimer>;
export type MeshGatewayStep = readonly [MeshGatewayState, readonly MeshGatewayEffect[]];

/** What a gateway hears. Any other event of its device may be passed as well. */
export type MeshGatewayEvent =
  | MeshEvent
  | CacheEvent
  | { readonly type: "timerFired"; readonly timer: string }
  | { readonly type: "wifiJoined" };

/** @param mac of the device, `aa:bb:cc:dd:ee:ff`. The nodes are told that the gateway is their root, as the library's gateways do. */
export const newMeshGateway = (mac: string): MeshGatewayState =>
  Object.freeze({
    neighbours: newNeighbours(nodeIdOf(mac), { isRoot: true, keepsTime: false }),
    sender: initialSender,
    isOpen: false,
  });

export function meshGatewayStep(state: MeshGatewayState, event: At<MeshGatewayEvent>): MeshGatewayStep {
  if (event.type === "wifiJoined") return state.isOpen ? [state, []] : [{ ...state, isOpen: true }, OPEN];
  const [neighbours, effects, heard] = neighboursStep(state.neighbours, event as At<MeshEvent>);
  const [looked, looking] = senderStep(state.sender, event, neighbours);
  const [sender, sending] =
    heard?.message.kind === "request"
      ? partRequested(looked, heard.message, neighbours, event.at)
      : ([looked, []] as const);
  return [{ ...state, neighbours, sender }, [...effects, ...looking, ...sending]];
}

const OPEN: readonly MeshGatewayEffect[] = Object.freeze([Object.freeze({ type: "openMesh" } as const)]);

/** The image of a distribution is in the cache: the mesh hears of it. */
export function meshDistribute(state: MeshGatewayState, distribution: Distribution): MeshGatewayStep {
  const [sender, effects] = distribute(state.sender, distribution, state.neighbours);
  return [{ ...state, sender }, effects];
}

export function meshCancel(state: MeshGatewayState): MeshGatewayStep {
  const [sender, effects] = cancelDistribution(state.sender);
  return [{ ...state, sender }, effects];
}
