// The device of the `receiver` app: in a network, the gateway of its transmitter to the update server (core/gateway/gateway-device.ts), and the
// other device of its pair (core/pair/peer.ts), whose updates it leads (leader.ts). This file only composes.

import { utf8Encode } from "../../../core/bytes.js";
import type { DeviceState } from "../../../core/device-state.js";
import type { TimerEffect } from "../../../core/effect.js";
import type { Event, PageRequest, Stamped } from "../../../core/event.js";
import { type CachedImage, offeredImage } from "../../../core/gateway/cached-image.js";
import {
  GATEWAY_STORES,
  type GatewayEffect,
  type GatewayEvent,
  type GatewaySettings,
  type GatewayState,
  gatewayStep,
  initialGateway,
} from "../../../core/gateway/gateway-device.js";
import { knowImage } from "../../../core/gateway/relay.js";
import type { LocalApiState, Step as LocalStep } from "../../../core/local/api-state.js";
import type { Asker } from "../../../core/local/owner-proof.js";
import { examineOwner, ownersMacMade, type ServeOwner } from "../../../core/local/page-owner.js";
import type { PushState } from "../../../core/local/push.js";
import type { BrokerEvent } from "../../../core/mqtt/vocabulary.js";
import { MAX_PEER_LENGTH, PEER_KEY } from "../../../core/pair/peer.js";
import { initialPeer, type PairSettings, type PeerState } from "../../../core/pair/peer-state.js";
import { isPeerFrame, isPeerInput, peerTurn } from "../../../core/pair/peer-turn.js";
import { readTelemetry, type Telemetry } from "../../../core/pair/telemetry.js";
import type { PairEvent, PeerInput } from "../../../core/pair/vocabulary.js";
import { isAllSent, sentBytes } from "../../../core/radio/block-sender.js";
import type { ExchangeAnswer, ExchangeRequest } from "../../../core/radio/exchange-message.js";
import type { ComponentRequest } from "../../../core/system/vocabulary.js";
import {
  type Around,
  initialLeader,
  isLeaders,
  LEADER_STORES,
  type LeaderEffect,
  type LeaderSettings,
  type LeaderState,
  LeaderTurn,
} from "./leader.js";
import { answerPair, isPairCommand, obeyOwner, type PairCommand } from "./pair-api.js";
import {
  initialPeerUpload,
  isForOther,
  isPeerUploads,
  type PeerUploadEffect,
  type PeerUploadInput,
  type PeerUploadState,
  peerUploadStep,
} from "./peer-upload.js";
import {
  initialTelling,
  isBrokers,
  type Seen,
  type TellingEffect,
  type TellingState,
  type Told,
  tell,
} from "./telling.js";
import { OTHER, type Stock } from "./uploaded-job.js";

export interface ReceiverSettings {
  readonly pair: PairSettings;
  readonly gateway: GatewaySettings;
  readonly leader: LeaderSettings;
  /** HTML of `/ota`. */
  readonly page: string;
  /** The MQTT broker that is told of updates. */
  readonly told: Told | undefined;
}

export interface ReceiverState {
  readonly gateway: GatewayState;
  readonly peer: PeerState;
  readonly leader: LeaderState;
  readonly telling: TellingState;
  readonly peerUpload: PeerUploadState;
  /** What the transmitter has sent last. */
  readonly telemetry: Telemetry | undefined;
}

export const initialReceiver: ReceiverState = Object.freeze({
  gateway: initialGateway,
  peer: initialPeer,
  leader: initialLeader,
  telling: initialTelling,
  peerUpload: initialPeerUpload,
  telemetry: undefined,
});

/** What it keeps in NVS besides core's. */
export const RECEIVER_STORES: Readonly<Record<string, number>> = Object.freeze({
  ...GATEWAY_STORES,
  ...LEADER_STORES,
  [PEER_KEY]: MAX_PEER_LENGTH,
});

export type ReceiverEvent = GatewayEvent | PairEvent | BrokerEvent;
export type ReceiverEffect =
  | Exclude<GatewayEffect, ForApps>
  | Exclude<PeerUploadEffect, { readonly type: "tellGateway" | "releaseUsed" }>
  | Exclude<LeaderEffect, { readonly type: "askSelf" | "tellSelf" }>
  | Exclude<TellingEffect, { readonly type: "raise" }>
  | TimerEffect<string>;

/** What a receiver tells the app that composes it. */
type ForApps = Extract<
  GatewayEffect,
  { readonly type: "memberAsked" | "uploadWants" | "uploadStored" | "uploadFailed" }
>;

type Step = readonly [ReceiverState, readonly ReceiverEffect[]];

export function receiverStep(
  state: ReceiverState,
  event: Stamped<ReceiverEvent>,
  settings: ReceiverSettings,
): Step {
  const turn = new Turn(state, event, settings);
  turn.hear(event);
  return [turn.state, turn.effects];
}

/** Of what the receiver asks of itself and is told at once; more is a loop, which is a bug. */
const MAX_OWN_STEPS = 64;

/** One event, and all that follows from it at once. Lives as long as its step. */
class Turn implements Around {
  state: ReceiverState;
  readonly effects: ReceiverEffect[] = [];
  readonly #event: Stamped<ReceiverEvent>;
  readonly #settings: ReceiverSettings;
  readonly #gatewaySettings: GatewaySettings;
  readonly #leader: LeaderTurn;
  /** What core hears of its own check, which the leader has answered. */
  readonly #answers: Event[] = [];
  #answered: { readonly attempt: number; readonly text: string } | undefined;

  constructor(state: ReceiverState, event: Stamped<ReceiverEvent>, settings: ReceiverSettings) {
    this.state = state;
    this.#event = event;
    this.#settings = settings;
    this.#leader = new LeaderTurn(state.leader, this);
    this.#gatewaySettings = { ...settings.gateway, member: (request, peer) => this.#member(request, peer) };
  }

  hear(event: Stamped<ReceiverEvent>): void {
    const before = this.#seen;
    if (!isBrokers(event)) this.#pass(event);
    if (!OF_TRANSFERS.includes(event.type)) this.#leader.lookAtSelf();
    this.#finish();
    this.#lookAtRadio();
    this.#leader.noteSelf(before.device);
    this.#finish();
    this.#tell(before);
    this.state = { ...this.state, leader: this.#leader.state };
  }

  #lookAtRadio(): void {
    const { sender, cache } = this.state.gateway;
    if (sender && cache.image) {
      const { imageSha256, size } = cache.image.release;
      this.#leader.sent(imageSha256, isAllSent(sender) ? size : sentBytes(sender));
    }
  }

  #tell(before: Seen): void {
    const seen = [before, this.#seen] as const;
    const { told } = this.#settings;
    const [telling, effects] = tell(this.state.telling, this.#event, seen, told, this.#leader.reported);
    this.state = { ...this.state, telling };
    for (const effect of effects)
      if (effect.type === "raise") this.#gateway(this.#stamped(effect.event));
      else this.effects.push(effect);
  }

  get #seen(): Seen {
    const { system, otherPercent } = this.#leader.state;
    return { device: this.device, system, otherPercent };
  }

  #pass(event: Stamped<ReceiverEvent>): void {
    if (isPeerInput(event)) return this.#peer(event);
    if (isPeerUploads(this.state.peerUpload, event)) return this.#peerUpload(event as PeerUploadInput);
    if (isLeaders(event)) return this.#leader.hear(event as Event);
    switch (event.type) {
      case "booted":
        this.state = initialReceiver;
        this.#gateway(event);
        this.#leader.hear(event);
        return this.#peer(event);
      case "frameReceived":
        return isPeerFrame(event.bytes) ? this.#peer(event) : this.#gateway(event);
      case "brokerConnected":
      case "brokerReceived":
      case "brokerLost":
        return; // heard by telling.ts
      case "peerDataReceived":
      case "peerDataSettled":
        return; // raised by the pair's machine only, and handled where it is
      case "requestReceived":
        return this.#request(event);
      case "macMade":
        return this.#macMade(event);
      case "saved":
      case "saveFailed":
        this.#gateway(event);
        // they may be the leader's own
        if (event.purpose === "settings") this.#leader.lookAtSchedule();
        return this.#leader.hear(event);
      default:
        this.#gateway(event);
    }
  }

  // ── the pair's own pages

  #request(event: PageRequest): void {
    const answer = answerPair(event, this.device.localApi, this.#leader, this.#settings.page, this.#stock);
    if (!answer) return this.#gateway(event);
    if ("refusal" in answer)
      return this.#asOwner((localApi, serve) => examineOwner(localApi, event, answer.refusal, serve));
    this.effects.push(answer.effect);
    if (answer.command) this.#command(answer.command);
  }

  /** An answer to a challenge has been computed: of one of the pair's commands, or of another request. */
  #macMade(event: Extract<Stamped, { readonly type: "macMade" }>): void {
    const { localApi, push } = this.device;
    const isItsAsker = ({ asker }: { readonly asker: Asker }) => asker.connection === event.connection;
    const upload = push.proof.waiting.find(isItsAsker);
    if (upload && isForOther(upload.asker.head)) return this.#peerUpload(event);
    const found = localApi.proof.waiting.find(isItsAsker);
    if (!found || !isPairCommand(found.asker)) return this.#gateway(event);
    this.#asOwner((localApi, serve) => ownersMacMade(localApi, event, serve));
  }

  /** A command is carried out once the device knows that its request has come from the owner. */
  #asOwner(judge: (localApi: LocalApiState, serve: ServeOwner) => LocalStep): void {
    let command: PairCommand | undefined;
    const [localApi, effects] = judge(this.device.localApi, (local, request) => {
      const answer = obeyOwner({ request, leader: this.#leader, stock: this.#stock });
      command = answer.command;
      return [local, [answer.effect]];
    });
    const { gateway } = this.state;
    this.state = { ...this.state, gateway: { ...gateway, device: { ...gateway.device, localApi } } };
    for (const effect of effects) if (effect.type !== "raise") this.effects.push(effect);
    if (command) this.#command(command);
  }

  get #stock(): Stock {
    const { staged, peer } = this.device.localApi;
    return { staged, peer, uploaded: this.uploaded, running: this.state.peer.own };
  }

  #command(command: PairCommand): void {
    switch (command.type) {
      case "install":
        this.#leader.begin();
        return;
      case "installUploaded":
        return this.#leader.beginUploaded(command.job);
      case "abandonUploaded":
        return this.#gateway(this.#stamped({ type: "uploadDropped", message: "its owner does not want it" }));
      case "undo":
        return this.#leader.undo();
      case "check":
        return this.#leader.pollSoon();
      case "cancel":
        return this.#leader.cancel();
      case "forget":
        return this.#peer(this.#stamped({ type: "peerForgotten" }));
    }
  }

  // ── the transmitter's image, from a person

  #peerUpload(event: PeerUploadInput): void {
    const { update, push } = this.device;
    const { job } = this.#leader.state.system;
    const [peerUpload, effects] = peerUploadStep(this.state.peerUpload, event, {
      trust: update.trust,
      push,
      cacheBytes: this.#gatewaySettings.cacheBytes,
      hindrance: job && `nothing else is uploaded meanwhile: ${job.version} is being installed`,
    });
    this.state = { ...this.state, peerUpload };
    for (const effect of effects) {
      if (effect.type === "tellGateway") this.#gateway(this.#stamped(effect.event));
      else if (effect.type === "releaseUsed") this.#changePush({ release: undefined });
      else if (effect.type === "proofChanged") this.#changePush({ proof: effect.proof });
      else this.effects.push(effect);
    }
  }

  #changePush(change: Partial<PushState>): void {
    const { gateway } = this.state;
    const { device } = gateway;
    const push = { ...device.push, ...change };
    this.state = { ...this.state, gateway: { ...gateway, device: { ...device, push } } };
  }

  // ── what the leader stands on

  get device(): DeviceState {
    return this.state.gateway.device;
  }
  get settings(): LeaderSettings {
    return this.#settings.leader;
  }
  get uploaded(): CachedImage | undefined {
    const { upload } = this.state.gateway;
    return upload?.phase === "stored" ? upload.image : undefined;
  }
  get at(): number {
    return this.#event.at;
  }
  get random(): number {
    return this.#event.random;
  }
  get freeHeapBytes(): number {
    return this.#event.freeHeapBytes;
  }

  // ── the gateway, and the device in it

  #gateway(event: Stamped<GatewayEvent>): void {
    const [gateway, effects] = gatewayStep(this.state.gateway, event, this.#gatewaySettings);
    this.state = { ...this.state, gateway };
    for (const effect of effects) {
      if (isUploads(effect)) this.#peerUpload(this.#stamped(effect));
      else if (effect.type !== "memberAsked" && !this.#isAnsweredHere(effect)) this.effects.push(effect);
    }
  }

  /** A request of the transmitter's that the leader answers. */
  #member({ target, body }: ExchangeRequest, peer: string): ExchangeAnswer | undefined {
    if (peer !== this.state.peer.mac) return undefined;
    const text = this.#leader.answerOther(target, body);
    return text === undefined
      ? undefined
      : { status: 200, headers: { "content-type": "application/json" }, body: utf8Encode(text) };
  }

  /** Whether an effect is of a request of the receiver's own that the leader answers. */
  #isAnsweredHere(effect: GatewayEffect): boolean {
    if (effect.type === "startRequest" && effect.attempt > 0) {
      const { attempt, request } = effect;
      const { server } = this.device.update;
      if (!request.url.startsWith(server)) return false;
      const text = this.#leader.answerSelf(request.url.slice(server.length), request.body ?? "");
      if (text === undefined) return false;
      this.#answered = { attempt, text };
      this.#answers.push({ type: "responseStarted", attempt, status: 200, headers: {} });
      return true;
    }
    const answered = this.#answered;
    if (!answered || !("attempt" in effect) || effect.attempt !== answered.attempt) return false;
    if (effect.type === "collectResponse")
      this.#answers.push({ type: "textCollected", attempt: answered.attempt, text: answered.text });
    else if (effect.type === "closeRequest") this.#answered = undefined;
    return effect.type === "collectResponse" || effect.type === "closeRequest";
  }

  /** What the leader wants is done, and what it has answered is told, until there is nothing more. */
  #finish(): void {
    for (let count = 0; ; count++) {
      const answer = this.#answers.shift();
      const effect = answer ? undefined : this.#leader.effects.shift();
      if (!answer && !effect) break;
      if (count >= MAX_OWN_STEPS) throw new Error(`more than ${MAX_OWN_STEPS} steps of the leader at once`);
      if (answer) this.#gateway(this.#stamped(answer));
      else if (effect?.type === "askSelf") this.#askSelf(effect.request);
      else if (effect?.type === "tellSelf") this.#gateway(this.#stamped(effect.event));
      else if (effect) this.effects.push(effect);
      this.#leader.lookAtSelf();
    }
    this.#knowOffers();
  }

  /** The transmitter's image comes out of the cache: the gateway has to know it. */
  #knowOffers(): void {
    const { offers } = this.#leader.state;
    if (offers === this.state.leader.offers) return;
    const offer = offers.find(({ id }) => id === OTHER);
    const image = offer && offeredImage({ update_available: true, time: 0, ...offer.answer });
    if (!image) return;
    const { gateway } = this.state;
    this.state = { ...this.state, gateway: { ...gateway, relay: knowImage(gateway.relay, image) } };
  }

  #askSelf({ type, ...request }: ComponentRequest): void {
    const { image } = request as { readonly image?: string };
    switch (type) {
      case "stageComponent":
        // the leader answers the check
        return this.#gateway(this.#stamped({ type: "timerFired", timer: "check" }));
      case "commitComponent":
        return this.#gateway(this.#stamped({ type: "commitRequested", imageSha256: image ?? "" }));
      case "abandonComponent":
        return this.#gateway(
          this.#stamped({ type: "abandonRequested", reason: "the system stays as it is" }),
        );
      case "rollBackComponent":
        if (this.device.update.boot?.image.imageSha256 === image) this.effects.push({ type: "rollBack" });
        return;
      default:
        return;
    }
  }

  // ── the transmitter

  #peer(event: Stamped<PeerInput>): void {
    const { peer, effects, raised } = peerTurn(this.state.peer, event, this.#settings.pair);
    this.state = { ...this.state, peer };
    this.effects.push(...effects);
    for (const news of raised) {
      if (news.type === "peerDataReceived") this.#data(news.payload);
      else if (news.type === "peerFacts") {
        this.#gateway(this.#stamped(news));
        this.#leader.hear(news);
      }
    }
  }

  #data(payload: Uint8Array): void {
    const telemetry = readTelemetry(payload);
    if (!telemetry) return;
    const { telemetry: before } = this.state;
    this.state = { ...this.state, telemetry };
    if (before && before.count < telemetry.count) return;
    const message = `the transmitter sends data: up for ${telemetry.uptimeSeconds} s, ${telemetry.freeHeapBytes} bytes free`;
    this.effects.push({ type: "log", level: "info", message });
  }

  #stamped<Any>(event: Any): Stamped<Any> {
    const { at, random, freeHeapBytes } = this.#event;
    return { ...event, at, random, freeHeapBytes };
  }
}

/** Each piece of an image brings some of these. */
const OF_TRANSFERS: readonly string[] = Object.freeze([
  "frameReceived",
  "frameSent",
  "responseReadable",
  "responseData",
  "pushReadable",
  "pushData",
  "slotErased",
  "slotWritten",
  "cacheErased",
  "cacheWritten",
  "partsCombined",
]);

const isUploads = (effect: GatewayEffect): effect is Exclude<ForApps, { readonly type: "memberAsked" }> =>
  effect.type === "uploadWants" || effect.type === "uploadStored" || effect.type === "uploadFailed";
