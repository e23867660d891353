// A gateway: what every device does, and beside it the update server's place in the air for devices without a network: their requests are
// passed on (relay.ts), an image that they want is fetched once (cache.ts) and broadcast in blocks (../radio/block-sender.ts). Its own updates are
// those of any device. Its memory does not depend on the number of nodes. This file only composes.
//
//   nodes ◄══ frames ══► relay ── startRequest (odd, below 0) ──────────────► update server
//     ▲                    └─ imageWanted ─► cache ── startRequest (even, below 0) ──► update server
//     ╚═══ blocks ═══ block-sender ◄─ cacheGrown ─┘ └── eraseCache, writeCache … ──► flash

import { step } from "../device.js";
import { type DeviceState, initialDevice } from "../device-state.js";
import type { Effect, TimerEffect } from "../effect.js";
import type { Event, Stamp, Stamped, TimerFired } from "../event.js";
import { readBeacon, writeBeacon } from "../radio/beacon.js";
import { BLOCK_BYTES } from "../radio/block-code.js";
import { blockCountOf, readStatus } from "../radio/block-frames.js";
import {
  extendBlocks,
  isAtRest,
  postponement,
  type SenderStep,
  type Sending,
  type ServedImage,
  senderStep,
  serveBlocks,
  serveOther,
  wantBlocks,
} from "../radio/block-sender.js";
import type { BlockEvent, CombineEvent, CombineParts } from "../radio/block-vocabulary.js";
import { isExchangeFrame } from "../radio/exchange-frames.js";
import type { ExchangeAnswer, ExchangeRequest } from "../radio/exchange-message.js";
import { provedBy, type RadioHealth, refusalTold } from "../radio/radio-health.js";
import { BROADCAST, type RadioEffect, type RadioEvent } from "../radio/vocabulary.js";
import {
  availableBytes,
  type CacheOutput,
  type CacheState,
  cacheHeard,
  cacheIsWhole,
  doubtChunk,
  fillCache,
  initialCache,
  leaveCache,
  type Source,
  useCacheFor,
} from "./cache.js";
import type { CacheEffect, CacheEvent } from "./cache-vocabulary.js";
import {
  CACHED_IMAGE_KEY,
  type CachedImage,
  idBytes,
  isUploaded,
  MAX_CACHED_IMAGE_LENGTH,
  readCachedImage,
  uploadedImage,
  writeCachedImage,
} from "./cached-image.js";
import {
  type Gathering,
  gathered,
  isAnnouncing,
  isGathered,
  LEAST_ANNOUNCE_MS,
  nextLookMs,
  WAIT_SECONDS,
} from "./gathering.js";
import { imageAnswer, REFUSED_MS, tooLarge } from "./image-answer.js";
import {
  initialRelay,
  knowImage,
  type RelayOutput,
  type RelayState,
  relayFrame,
  relayHeard,
  type Surroundings,
} from "./relay.js";
import {
  proveUpload,
  receiveUpload,
  type UploadOutput,
  type UploadState,
  uploadBytes,
  uploadDigests,
  uploadHeard,
} from "./upload.js";

/** Nodes that listen know of their gateway by this; a node that seeks it is answered at once. */
const BEACON_MS = 10_000;
/** When it has just joined its network, they come more often: nodes may be waiting on its channel. */
const FIRST_BEACON_MS = 1_000;
const FIRST_BEACON_COUNT = 8;
/** The air's time for some frames: an answer that waits in the radio is heard by those who ask meanwhile. */
const ANSWER_ALL_MS = 40;
/**
 * A gateway that has just started is on the channel of no network yet. A node that finds it there loses it a few seconds later, and notices that
 * only after a while: so it keeps quiet until it has joined a network, but not longer than this, for it can do some things without one.
 */
const QUIET_MS = 60_000;
/** Of no network: until one is joined, and its access point decides. */
const FIRST_CHANNEL = 1;
type GatewayTimer =
  | "relay.beacon"
  | "relay.gather"
  | "relay.cache"
  | "relay.request"
  | "radio.exchanges"
  | "block.send";
const TIMERS: readonly string[] = Object.freeze([
  "relay.beacon",
  "relay.gather",
  "relay.cache",
  "relay.request",
  "radio.exchanges",
  "block.send",
] satisfies GatewayTimer[]);

/** Values that a gateway keeps besides core's, and how long they may be. */
export const GATEWAY_STORES: Readonly<Record<string, number>> = Object.freeze({
  [CACHED_IMAGE_KEY]: MAX_CACHED_IMAGE_LENGTH,
});

export interface GatewayState {
  readonly device: DeviceState;
  readonly relay: RelayState;
  readonly cache: CacheState;
  readonly sender: Sending | undefined;
  readonly gatewayId: string;
  /** When it last answered a device that looks for a gateway. */
  readonly answeredMs: number;
  /** Beacons that come soon, one after the other. */
  readonly firstBeaconCount: number;
  /** Of the node that has asked for the image last. */
  readonly headers: Readonly<Record<string, string>>;
  readonly wantedMs: number;
  /** Its blocks wait for more nodes. */
  readonly gathering: Gathering | undefined;
  /** The image in the cache was sent to the gateway itself. */
  readonly upload: UploadState | undefined;
  /** The cache is written by another part of the gateway: no image of nodes comes into it. */
  readonly isTaken: boolean;
  readonly radio: RadioHealth;
  /** Why the image cannot be had. */
  readonly refusal: { readonly status: number; readonly untilMs: number } | undefined;
}

export const initialGateway: GatewayState = Object.freeze({
  device: initialDevice,
  relay: initialRelay,
  cache: initialCache,
  sender: undefined,
  gatewayId: "",
  answeredMs: -ANSWER_ALL_MS,
  firstBeaconCount: 0,
  headers: Object.freeze({}),
  wantedMs: 0,
  gathering: undefined,
  upload: undefined,
  isTaken: false,
  radio: "well",
  refusal: undefined,
});

export interface GatewaySettings {
  /** groupOf in beacon.ts. */
  readonly group: number;
  /** Length of the partition that is the cache; 0: there is none. */
  readonly cacheBytes: number;
  /** What a leader of a system answers a member itself; absent: nothing. */
  readonly member?: ((request: ExchangeRequest, peer: string) => ExchangeAnswer | undefined) | undefined;
  /** Whether somebody is known who wants this image and has not asked for it yet; absent: nobody is known. */
  readonly isAwaited?: ((image: CachedImage) => boolean) | undefined;
}

/** For the module that keeps a list of nodes. */
export type MemberAsked = Extract<RelayOutput, { readonly type: "memberAsked" }>;

/** An image that somebody who may sends to the gateway for its nodes; its bytes come as `uploadWants` asks for them. */
type UploadEvent =
  | { readonly type: "uploadOffered"; readonly manifest: string }
  | { readonly type: "uploadArrived"; readonly bytes: Uint8Array }
  /** It is not wanted any more, or its sender has gone. */
  | { readonly type: "uploadDropped"; readonly message: string };
/** Another part of the gateway wants an image in the cache; or the cache for itself, until it is free again. */
type OrderEvent =
  | {
      readonly type: "imageOrdered";
      readonly image: CachedImage;
      readonly headers: Readonly<Record<string, string>>;
    }
  | { readonly type: "cacheTaken" }
  | { readonly type: "cacheFreed" };
type UploadEffect = Extract<UploadOutput, { readonly type: "uploadWants" | "uploadStored" | "uploadFailed" }>;

export type GatewayEvent =
  | Event
  | RadioEvent
  | CacheEvent
  | CombineEvent
  | UploadEvent
  | OrderEvent
  | TimerFired<string>;
export type GatewayEffect =
  | Effect
  | RadioEffect
  | CacheEffect
  | CombineParts
  | TimerEffect<string>
  | MemberAsked
  | UploadEffect;

/** What the gateway becomes, and what it does, in order. */
export function gatewayStep(
  state: GatewayState,
  event: Stamped<GatewayEvent>,
  settings: GatewaySettings,
): readonly [GatewayState, readonly GatewayEffect[]] {
  const turn = new Turn(state, event, settings);
  turn.hear(event);
  return [turn.state, turn.effects];
}

/** One event, and all that follows from it at once. Lives as long as its step. */
class Turn {
  state: GatewayState;
  readonly effects: GatewayEffect[] = [];
  readonly #stamp: Stamp;
  readonly #settings: GatewaySettings;

  constructor(state: GatewayState, { at, random, freeHeapBytes }: Stamp, settings: GatewaySettings) {
    this.state = state;
    this.#stamp = { at, random, freeHeapBytes };
    this.#settings = settings;
  }

  hear(event: Stamped<GatewayEvent>): void {
    switch (event.type) {
      case "booted":
        this.#boot(event);
        return this.#core(event);
      case "frameReceived":
        return this.#frame(event);
      case "frameSent":
        this.#proveRadio(event);
        return this.#send(event);
      case "partsCombined":
      case "partsFailed":
        return this.#send(event);
      case "framesDropped":
        return;
      case "radioFailed":
        this.effects.push(...refusalTold(this.state.radio, event));
        this.state = { ...this.state, radio: "down" };
        return;
      case "cacheErased":
      case "cacheWritten":
      case "cacheRead":
      case "cacheHashed":
      case "cacheFailed":
        this.#cache(cacheHeard(this.state.cache, event, this.#source, this.#stamp));
        return this.#upload(event);
      case "uploadOffered":
        return this.#receive(event.manifest);
      case "uploadArrived":
        if (this.state.upload) this.#takeUpload(uploadBytes(this.state.upload, event.bytes));
        return;
      case "uploadDropped":
        return this.#dropUpload(event.message);
      case "imageOrdered":
        return this.#order(event);
      case "cacheTaken":
        return this.#takeCache();
      case "cacheFreed":
        this.state = { ...this.state, isTaken: false };
        return;
      case "timerFired":
        return TIMERS.includes(event.timer) ? this.#timer(event) : this.#core(event as Stamped);
      default:
        this.#core(event);
        // those that know it have waited for it
        if (event.type === "wifiJoined") this.#show();
        if ("attempt" in event && event.attempt < 0) this.#answer(event);
        if (event.type === "bytesHashed") this.#upload(event);
    }
  }

  #boot({ identity, stored }: Extract<Event, { readonly type: "booted" }>): void {
    const image = readCachedImage(stored[CACHED_IMAGE_KEY]);
    this.state = { ...initialGateway, gatewayId: identity.deviceId };
    this.effects.push({ type: "startRadio", channel: FIRST_CHANNEL });
    this.#setBeacon();
    if (!image || tooLarge(image, this.#settings.cacheBytes)) return;
    this.state = { ...this.state, relay: knowImage(this.state.relay, image) };
    this.#cache(useCacheFor(this.state.cache, image));
    this.#serve(image);
    if (isUploaded(image)) this.#takeUpload(proveUpload(image));
  }

  #core(event: Stamped): void {
    const [device, effects] = step(this.state.device, event);
    this.state = { ...this.state, device };
    this.effects.push(...effects);
  }

  /** An answer to a request of the relay's or the cache's. */
  #answer(event: Stamped): void {
    this.#relay(relayHeard(this.state.relay, event, this.#around, this.#stamp.at));
    this.#cache(cacheHeard(this.state.cache, event, this.#source, this.#stamp));
  }

  #frame(event: Stamped<Extract<RadioEvent, { readonly type: "frameReceived" }>>): void {
    const beacon = readBeacon(event.bytes);
    if (beacon) {
      if (beacon.type === "seek" && beacon.group === this.#settings.group) this.#beacon(beacon.channel);
    } else if (isExchangeFrame(event.bytes))
      this.#relay(relayFrame(this.state.relay, event, this.#around, this.#stamp.at));
    else {
      // a device that asks for blocks before they begin has missed the announcements
      if (this.state.gathering && readStatus(event.bytes))
        this.#announce(this.state.gathering, LEAST_ANNOUNCE_MS);
      else this.#send(event);
    }
  }

  #timer(event: Stamped<TimerFired<string>>): void {
    if (event.timer === "block.send") return this.#send(event);
    if (event.timer === "relay.gather") return this.#gather();
    if (event.timer === "relay.cache")
      return this.#cache(cacheHeard(this.state.cache, event, this.#source, this.#stamp));
    if (event.timer !== "relay.beacon")
      return this.#relay(relayHeard(this.state.relay, event, this.#around, this.#stamp.at));
    if (this.state.radio === "down") this.#startRadio();
    this.#beacon(0);
    this.#setBeacon();
  }

  /** Anew, with the next beacon: that is sent to all, and shows whether the radio works. */
  #startRadio(): void {
    this.state = { ...this.state, radio: "unproved" };
    this.effects.push({ type: "startRadio", channel: FIRST_CHANNEL });
  }

  #proveRadio(event: Extract<RadioEvent, { readonly type: "frameSent" }>): void {
    const radio = provedBy(this.state.radio, event);
    if (radio !== this.state.radio) this.state = { ...this.state, radio };
  }

  #show(): void {
    this.state = { ...this.state, firstBeaconCount: FIRST_BEACON_COUNT };
    this.#beacon(0);
    this.#setBeacon();
  }

  /** To all, since many look for their gateway at once after its restart; and one answer is enough for those who have just asked. */
  #beacon(channel: number): void {
    const { at } = this.#stamp;
    if (at < QUIET_MS && !this.state.device.wifi.online) return;
    if (channel > 0 && at - this.state.answeredMs < ANSWER_ALL_MS) return;
    this.state = { ...this.state, answeredMs: channel > 0 ? at : this.state.answeredMs };
    const bytes = writeBeacon({ type: "beacon", group: this.#settings.group, channel });
    this.effects.push({ type: "sendFrame", frame: 0, to: BROADCAST, bytes });
  }

  #setBeacon(): void {
    const { firstBeaconCount } = this.state;
    const isFirst = firstBeaconCount > 0;
    if (isFirst) this.state = { ...this.state, firstBeaconCount: firstBeaconCount - 1 };
    const delayMs = isFirst ? FIRST_BEACON_MS : BEACON_MS;
    this.effects.push({ type: "setTimer", timer: "relay.beacon", delayMs });
  }

  // ── what nodes ask

  get #around(): Surroundings {
    return {
      server: serverOf(this.state.device),
      gatewayId: this.state.gatewayId,
      member: this.#settings.member,
      ownDigests: (request) => this.state.upload && uploadDigests(this.state.upload, request),
      imageAnswer: (image) =>
        tooLarge(image, this.#settings.cacheBytes) ?? imageAnswer(this.state, image, this.#stamp.at),
    };
  }

  #relay([relay, outputs]: readonly [RelayState, readonly RelayOutput[]]): void {
    this.state = { ...this.state, relay };
    for (const output of outputs) {
      if (output.type === "imageWanted") this.#want(output);
      else this.effects.push(output);
    }
  }

  #want({ image, offset, headers }: Extract<RelayOutput, { readonly type: "imageWanted" }>): void {
    const isOther = this.state.cache.image?.id !== image.id;
    const { at } = this.#stamp;
    this.state = { ...this.state, headers, wantedMs: at, refusal: undefined };
    const { sender } = this.state;
    if (isOther || this.state.gathering || (sender && isAtRest(sender)))
      this.state = {
        ...this.state,
        gathering: gathered(isOther ? undefined : this.state.gathering, offset, at),
      };
    if (isUploaded(image)) {
      // with nothing before its first byte, a node has nothing to doubt
      if (offset > 0 && this.state.upload?.phase === "stored")
        this.#takeUpload(proveUpload(image, this.state.upload));
      return this.#join(image, offset);
    }
    this.#cache(useCacheFor(this.state.cache, image));
    if (isOther) {
      this.state = { ...this.state, upload: undefined };
      this.#keep(image);
      this.#serve(image);
    }
    const index = Math.floor(offset / image.release.chunkSize);
    this.#cache(doubtChunk(this.state.cache, index, this.#source));
    this.#join(image, offset);
  }

  /** A node that asks is gathered with others, or joins those who are at the image. */
  #join({ release: { size } }: CachedImage, offset: number): void {
    const { gathering, sender } = this.state;
    if (gathering) this.#gather();
    else if (sender)
      this.#takeSender(wantBlocks(sender, Math.floor(offset / BLOCK_BYTES), blockCountOf(size)));
  }

  /** An image that is wanted whole, before any node has asked for it. */
  #order({ image, headers }: Extract<OrderEvent, { readonly type: "imageOrdered" }>): void {
    if (tooLarge(image, this.#settings.cacheBytes)) return;
    const isOther = this.state.cache.image?.id !== image.id;
    this.state = {
      ...this.state,
      headers,
      wantedMs: this.#stamp.at,
      isTaken: false,
      refusal: undefined,
      relay: knowImage(this.state.relay, image),
    };
    this.#cache(useCacheFor(this.state.cache, image));
    if (isOther) {
      this.state = { ...this.state, upload: undefined };
      this.#keep(image);
      this.#serve(image);
    }
    this.#cache(fillCache(this.state.cache, this.#source));
  }

  #takeCache(): void {
    this.#cache(leaveCache(this.state.cache));
    this.state = { ...this.state, isTaken: true, upload: undefined, sender: undefined, gathering: undefined };
    this.effects.push({ type: "clearTimer", timer: "block.send" }, { type: "forget", key: CACHED_IMAGE_KEY });
  }

  #keep(image: CachedImage): void {
    this.effects.push({ type: "store", key: CACHED_IMAGE_KEY, value: writeCachedImage(image) });
  }

  // ── an image that somebody sends

  /** The caller decides that it is for now: what was in the cache can be fetched again. */
  #receive(manifest: string): void {
    if (this.state.isTaken) return this.#failUpload("the gateway distributes another image");
    const image = uploadedImage(manifest);
    if (!image) return this.#failUpload("its manifest has no digests that a node could check");
    const { size } = image.release;
    const { cacheBytes } = this.#settings;
    if (size > cacheBytes) return this.#failUpload(`it has ${size} bytes, the gateway's cache ${cacheBytes}`);
    this.state = { ...this.state, wantedMs: this.#stamp.at };
    this.#cache(useCacheFor({ ...this.state.cache, image: undefined }, image));
    this.#serve(image);
    this.effects.push({ type: "forget", key: CACHED_IMAGE_KEY });
    this.#takeUpload(receiveUpload(image));
  }

  #upload(event: Stamped<CacheEvent | Event>): void {
    if (this.state.upload) this.#takeUpload(uploadHeard(this.state.upload, event));
  }

  #takeUpload([upload, outputs]: ReturnType<typeof uploadHeard>): void {
    const before = this.state.upload;
    this.state = { ...this.state, upload };
    for (const output of outputs) {
      if (output.type === "uploadFailed") this.#failUpload(output.message);
      else this.effects.push(output);
      if (output.type !== "uploadStored" || !upload) continue;
      this.#cache(cacheIsWhole(this.state.cache));
      if (before?.phase === "stored") continue;
      this.state = {
        ...this.state,
        relay: knowImage(this.state.relay, upload.image),
        wantedMs: this.#stamp.at,
      };
      this.#keep(upload.image);
    }
  }

  /** The flash still has it, but nobody knows of it any more. */
  #dropUpload(message: string): void {
    if (!this.state.upload) return;
    this.#cache(leaveCache(this.state.cache));
    this.state = { ...this.state, sender: undefined, wantedMs: 0 };
    this.effects.push({ type: "clearTimer", timer: "block.send" }, { type: "forget", key: CACHED_IMAGE_KEY });
    this.#failUpload(message);
  }

  #failUpload(message: string): void {
    this.state = { ...this.state, upload: undefined };
    this.effects.push(
      { type: "log", level: "warn", message: `the image that was sent for others is not kept: ${message}` },
      { type: "uploadFailed", message },
    );
  }

  // ── the image

  get #source(): Source {
    // without a network a request fails at once, and is repeated
    return {
      server: serverOf(this.state.device) ?? this.state.device.update.server,
      headers: this.state.headers,
    };
  }

  #cache([cache, outputs]: readonly [CacheState, readonly CacheOutput[]]): void {
    this.state = { ...this.state, cache };
    for (const output of outputs) {
      if (output.type === "cacheGrown") {
        const { sender } = this.state;
        if (sender) this.#takeSender(extendBlocks(sender, output.availableBytes));
      } else if (output.type === "cacheStopped") this.#refuse(output);
      else this.effects.push(output);
    }
  }

  #refuse({ status, retryAfterMs }: Extract<CacheOutput, { readonly type: "cacheStopped" }>): void {
    const untilMs = this.#stamp.at + Math.max(retryAfterMs, REFUSED_MS);
    this.state = { ...this.state, refusal: { status, untilMs } };
  }

  #serve(image: CachedImage): void {
    const { cache, sender } = this.state;
    const served: ServedImage = {
      attempt: SENDER_ATTEMPT,
      id: idBytes(image),
      imageBytes: image.release.size,
      from: "cache",
    };
    const there = availableBytes(cache);
    this.state = {
      ...this.state,
      sender: sender ? serveOther(sender, served, there) : serveBlocks(served, there, this.#stamp.random),
    };
  }

  /** Nothing is sent until all who are known to want it have asked, or the first ones have waited long enough. */
  #gather(): void {
    const { gathering, sender, cache } = this.state;
    const { at } = this.#stamp;
    if (!gathering) return;
    const image = cache.image;
    const isAwaited = image !== undefined && this.#settings.isAwaited?.(image) === true;
    if (image && isGathered(gathering, isAwaited, at)) {
      this.state = { ...this.state, gathering: undefined };
      const first = Math.floor(gathering.offset / BLOCK_BYTES);
      if (sender) this.#takeSender(wantBlocks(sender, first, blockCountOf(image.release.size)));
      return;
    }
    this.#announce(gathering);
    const delayMs = nextLookMs(this.state.gathering ?? gathering, at);
    this.effects.push({ type: "setTimer", timer: "relay.gather", delayMs });
  }

  /** Tells all devices that wait for the image that it is coming. @param everyMs least time between two announcements */
  #announce(gathering: Gathering, everyMs?: number): void {
    const { sender } = this.state;
    const { at } = this.#stamp;
    if (!sender || !isAnnouncing(gathering, at, everyMs)) return;
    this.state = { ...this.state, gathering: { ...gathering, announcedMs: at } };
    this.effects.push(postponement(sender, WAIT_SECONDS));
  }

  #send(event: Stamped<BlockEvent>): void {
    const { sender } = this.state;
    if (sender) this.#takeSender(senderStep(sender, event));
  }

  #takeSender([sender, effects]: SenderStep): void {
    this.state = { ...this.state, sender };
    for (const effect of effects) {
      if (effect.type !== "raise") this.effects.push(effect);
      else if (effect.event.type === "blocksFailed")
        this.effects.push({
          type: "log",
          level: "error",
          message: `the image in the cache cannot be read: ${effect.event.message}`,
        });
    }
  }
}

/** Of the sender's questions to the flash. */
const SENDER_ATTEMPT = -1;

const serverOf = ({ update }: DeviceState): string | undefined =>
  update.online && update.server !== "" ? update.server : undefined;
