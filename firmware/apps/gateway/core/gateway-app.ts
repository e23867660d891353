// The device of the `gateway` app: a gateway of nodes of ours by radio (core/gateway/gateway-device.ts), a gateway of a painlessMesh by TCP
// (core/mesh/gateway.ts), and the orders of the update server that both carry out (core/gateway/job.ts). This file only composes.
//
//   update server ◄── orders, reports ── job ─┬─ orderImage ─► gateway: cache, relay, blocks ══► nodes of ours
//                                             └─ distributeInMesh ─► mesh: announcement, parts ══► painlessMesh nodes

import { timeAt } from "../../../core/clock.js";
import { initialDevice } from "../../../core/device-state.js";
import type { TimerEffect } from "../../../core/effect.js";
import type { Stamp, Stamped } from "../../../core/event.js";
import { availableBytes } from "../../../core/gateway/cache.js";
import type { CacheEvent } from "../../../core/gateway/cache-vocabulary.js";
import type { CachedImage } from "../../../core/gateway/cached-image.js";
import {
  GATEWAY_STORES,
  type GatewayEffect,
  type GatewayEvent,
  type GatewayState,
  gatewayStep,
  initialGateway,
} from "../../../core/gateway/gateway-device.js";
import {
  initialJob,
  type JobEffect,
  type JobEvent,
  type JobInput,
  type JobState,
  type JobSurroundings,
  jobStep,
  memberHeard,
} from "../../../core/gateway/job.js";
import { answerMember, isAwaited } from "../../../core/gateway/job-members.js";
import { JOB_KEY, MAX_JOB_LENGTH } from "../../../core/gateway/job-order.js";
import {
  type MeshGatewayEvent,
  type MeshGatewayState,
  type MeshGatewayStep,
  meshCancel,
  meshDistribute,
  meshGatewayStep,
  newMeshGateway,
} from "../../../core/mesh/gateway.js";
import { isOfMesh, type MeshEffect, type MeshEvent } from "../../../core/mesh/vocabulary.js";
import { sentBytes } from "../../../core/radio/block-sender.js";
import type { ExchangeAnswer, ExchangeRequest } from "../../../core/radio/exchange-message.js";

export interface GatewayAppSettings {
  /** groupOf in core/radio/beacon.ts. */
  readonly group: number;
  /** Length of the partition that is the cache. */
  readonly cacheBytes: number;
  /** Shown to the update server with questions for orders and reports; empty: it asks for none. */
  readonly token: string;
  /** Orders are carried out from the start. */
  readonly isDistributing: boolean;
}

export interface GatewayAppState {
  readonly gateway: GatewayState;
  readonly mesh: MeshGatewayState;
  readonly job: JobState;
}

export const initialGatewayApp: GatewayAppState = Object.freeze({
  gateway: initialGateway,
  mesh: newMeshGateway(""),
  job: initialJob,
});

/** What it keeps in NVS besides core's. */
export const GATEWAY_APP_STORES: Readonly<Record<string, number>> = Object.freeze({
  ...GATEWAY_STORES,
  [JOB_KEY]: MAX_JOB_LENGTH,
});

export type GatewayAppEvent = GatewayEvent | MeshEvent | JobEvent;
export type GatewayAppEffect = Exclude<GatewayEffect, ForApps> | MeshEffect | TimerEffect<string>;

/** What a gateway tells the app that composes it. */
type ForApps = Extract<
  GatewayEffect,
  { readonly type: "memberAsked" | "uploadWants" | "uploadStored" | "uploadFailed" }
>;

/** What the device becomes, and what it does, in order. */
export function gatewayAppStep(
  state: GatewayAppState,
  event: Stamped<GatewayAppEvent>,
  settings: GatewayAppSettings,
): readonly [GatewayAppState, readonly GatewayAppEffect[]] {
  const turn = new Turn(state, event, settings);
  turn.hear(event);
  return [turn.state, turn.effects];
}

/** One event, and all that follows from it at once. Lives as long as its step. */
class Turn {
  state: GatewayAppState;
  readonly effects: GatewayAppEffect[] = [];
  readonly #stamp: Stamp;
  readonly #settings: GatewayAppSettings;

  constructor(state: GatewayAppState, { at, random, freeHeapBytes }: Stamp, settings: GatewayAppSettings) {
    this.state = state;
    this.#stamp = { at, random, freeHeapBytes };
    this.#settings = settings;
  }

  hear(event: Stamped<GatewayAppEvent>): void {
    if (event.type === "booted") {
      const mesh = newMeshGateway(event.identity.mac);
      this.state = {
        gateway: { ...initialGateway, device: initialDevice },
        mesh,
        job: { ...initialJob, isEnabled: this.#settings.isDistributing },
      };
    }
    if (isOfMesh(event)) return this.#mesh(event);
    if (event.type === "timerFired") {
      if (event.timer.startsWith("mesh.")) return this.#mesh(event);
      return event.timer.startsWith("job.") ? this.#job(event) : this.#gateway(event);
    }
    if (event.type === "distributionSwitched" || event.type === "ordersWanted") return this.#job(event);
    this.#gateway(event);
    if (FOR_MESH.includes(event.type)) this.#mesh(event as Stamped<MeshGatewayEvent>);
    if (FOR_JOBS.includes(event.type) && isForJobs(event)) this.#job(event as Stamped<JobInput>);
  }

  #gateway(event: Stamped<GatewayEvent>): void {
    const { group, cacheBytes } = this.#settings;
    const isFrame = event.type === "frameReceived";
    const member = isFrame ? (request: ExchangeRequest) => this.#answer(request) : undefined;
    const [gateway, effects] = gatewayStep(this.state.gateway, event, {
      group,
      cacheBytes,
      member,
      isAwaited: (image) => this.#isAwaited(image),
    });
    this.state = { ...this.state, gateway };
    for (const effect of effects) {
      if (effect.type === "memberAsked")
        this.state = {
          ...this.state,
          job: memberHeard(this.state.job, effect.request, effect.peer, this.#stamp.at),
        };
      else if (!isForApps(effect)) this.effects.push(effect);
    }
  }

  /** An order is answered for by the gateway, everything else by the update server. */
  #answer(request: ExchangeRequest): ExchangeAnswer | undefined {
    const { order, past, nodes, result } = this.state.job;
    const { at } = this.#stamp;
    const about = order ? this.state.job : past;
    if (!about?.order) return undefined;
    const { isCommitted, isTakenBack } = about;
    const isGivenUp = order ? result?.status === "failed" && !isCommitted : (past?.isGivenUp ?? false);
    const isStopped = !order && isGivenUp && at - (past?.at ?? 0) < STOPPED_MS;
    const isOpen = order !== undefined && !isGivenUp && !isTakenBack;
    const time = Math.floor(timeAt(this.state.gateway.device.update.clock, at));
    const standing = { order: about.order, isOpen, isCommitted, isTakenBack, isStopped, nodes };
    return answerMember(standing, request, time);
  }

  /** Everybody whom an order is for is offered its image with the next check. */
  #isAwaited(image: CachedImage): boolean {
    const { order, members, nodes } = this.state.job;
    return order?.image?.id === image.id && isAwaited(order, members, nodes, this.#stamp.at);
  }

  #mesh(event: Stamped<MeshGatewayEvent>): void {
    this.#takeMesh(meshGatewayStep(this.state.mesh, event));
  }

  #takeMesh([mesh, effects]: MeshGatewayStep): void {
    this.state = { ...this.state, mesh };
    this.effects.push(...effects);
  }

  #job(event: JobInput): void {
    const [job, effects] = jobStep(this.state.job, event, this.#around, this.#stamp);
    this.state = { ...this.state, job };
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: JobEffect): void {
    switch (effect.type) {
      case "orderImage":
        return this.#gateway({ ...effect, type: "imageOrdered", ...this.#stamp });
      case "takeCache":
        return this.#gateway({ type: "cacheTaken", ...this.#stamp });
      case "freeCache":
        return this.#gateway({ type: "cacheFreed", ...this.#stamp });
      case "distributeInMesh":
        return this.#takeMesh(meshDistribute(this.state.mesh, effect.distribution));
      case "cancelInMesh":
        return this.#takeMesh(meshCancel(this.state.mesh));
      default:
        this.effects.push(effect);
    }
  }

  get #around(): JobSurroundings {
    const { gateway, mesh, job } = this.state;
    const { token, cacheBytes } = this.#settings;
    const { online, server } = gateway.device.update;
    const isOrdered = job.order?.image !== undefined && gateway.cache.image?.id === job.order.image.id;
    const { distribution } = mesh.sender;
    return {
      server: online && server !== "" ? server : undefined,
      headers: token === "" ? {} : { authorization: `Bearer ${token}` },
      cacheBytes,
      availableBytes: isOrdered ? availableBytes(gateway.cache) : 0,
      sentBytes: isOrdered && gateway.sender ? sentBytes(gateway.sender) : 0,
      meshNodes:
        distribution && !distribution.isCancelled && distribution.image.md5 === job.order?.md5
          ? distribution.nodes
          : [],
    };
  }
}

/** Who is at an image asks for the next part of it by then; later the update server may offer the same one for another reason. */
const STOPPED_MS = 600_000;

/** Of the device's and the cache's events, what else they are for. */
const FOR_MESH: readonly string[] = Object.freeze(["wifiJoined", "cacheRead", "cacheFailed"]);
const FOR_JOBS: readonly string[] = Object.freeze([
  "booted",
  "wifiJoined",
  "responseStarted",
  "responseReadable",
  "responseData",
  "responseEnded",
  "textCollected",
  "requestFailed",
  "cacheErased",
  "cacheWritten",
  "cacheHashed",
  "cacheFailed",
] satisfies (GatewayAppEvent | CacheEvent)["type"][]);

/** Its requests, and its questions to the flash (plain-image.ts), have numbers far from all others. */
const isForJobs = (event: GatewayAppEvent): boolean =>
  !("attempt" in event) || event.attempt <= -FAR || event.attempt >= FAR / 2;
const FAR = 1_000_000_000;

const isForApps = (effect: GatewayEffect): effect is ForApps =>
  effect.type === "memberAsked" ||
  effect.type === "uploadWants" ||
  effect.type === "uploadStored" ||
  effect.type === "uploadFailed";
