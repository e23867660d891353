// A node that takes its firmware from a painlessMesh gateway: it asks for part after part, strictly in order, and feeds them to the update
// machine as a push (update/pushed-update.ts), which writes, checks and arms. Never writes, and never judges an image.
//
//   announce ─► pushOffered ─► continuePush ─► request ─► part ─► decode ─► pushReadable ─► readPush ─► pushData ─┐
//                                    ▲           │ 30 s, 10 times: pushClosed                                     │
//                                    └───────────┴────────────────────────── next part ◄──────────────────────────┤
//                                                    answerPush: taken, or not ◄── pushClosed ◄──── the last part ┘
//
// Where the sender leads (`broadcasted`) nothing is asked for until a part is missed. A second image that is announced meanwhile takes the
// place of the first in all messages, as in the library; the mixture has neither MD5, and the next announcement begins at part 0.

import type { Effect } from "../effect.js";
import type { Event, Raise } from "../event.js";
import type { AnnounceMessage, MeshImage, PartMessage } from "./message.js";
import { type NeighboursState, type NodeEffect, routeTo } from "./neighbours-state.js";
import { writeRequest } from "./write.js";

/** NVS key of the MD5 of the image that was taken last. */
export const MD5_KEY = "mesh.md5";

/** As the library has them. */
export const REQUEST_MS = 30_000;
export const MAX_TRIES = 10;

/** Numbers of pushes from the mesh are below this; espota's begin at -1. */
const FIRST_CONNECTION = -1_000_000;

export interface ReceiverSettings {
  /** What the node is, such as `led`: it takes images for this role only. */
  readonly role: string;
  /** Such as `ESP32`. */
  readonly hardware: string;
  /** The owner accepts images without a signature (local/push.ts); else only those with a release of ours. */
  readonly acceptsUnsigned: boolean;
  readonly slotBytes: number;
}

export interface Reception {
  /** As the last message has it. */
  readonly image: MeshImage;
  /** Node id of the sender. */
  readonly from: number;
  readonly connection: number;
  /** The part that is wanted. */
  readonly part: number;
  /** How many times it was asked for. */
  readonly tries: number;
  /** The sender leads. */
  readonly isLed: boolean;
  readonly phase: "offered" | "asking" | "decoding" | "taking" | "ended";
  /** The bytes of the part that the update machine has not read yet. */
  readonly held: Uint8Array;
  readonly isLast: boolean;
}

export interface ReceiverState {
  readonly storedMd5: string;
  /** Number of the last push. */
  readonly connection: number;
  readonly reception: Reception | undefined;
  /** Announced last without a signature, and not taken for that. */
  readonly refusedMd5: string;
}

export type ReceiverEffect = NodeEffect | Raise | Extract<Effect, { readonly type: "store" }>;
export type ReceiverStep = readonly [ReceiverState, readonly ReceiverEffect[]];

/** What core asks of a push. */
export type PushEffect = Extract<Effect, { readonly type: "continuePush" | "readPush" | "answerPush" }>;

export const newReceiver = (storedMd5: string | undefined): ReceiverState =>
  Object.freeze({
    storedMd5: storedMd5 ?? "",
    connection: FIRST_CONNECTION,
    reception: undefined,
    refusedMd5: "",
  });

const NO_BYTES = new Uint8Array(0);
const CLEAR: NodeEffect = Object.freeze({ type: "clearTimer", timer: "mesh.request" });

export function announced(
  state: ReceiverState,
  message: AnnounceMessage,
  settings: ReceiverSettings,
  mesh: NeighboursState,
): ReceiverStep {
  const { image, release, from } = message;
  const { reception } = state;
  if (image.role !== settings.role || image.hardware !== settings.hardware) return [state, []];
  if ((image.md5 === state.storedMd5 && !image.isForced) || image.md5 === reception?.image.md5)
    return [state, []];
  if (reception) return replaced(state, { ...reception, image, from }, mesh);
  if (release === undefined && !settings.acceptsUnsigned) return refused(state, image);
  const connection = state.connection - 1;
  const begun: Reception = {
    image,
    from,
    connection,
    part: 0,
    tries: 0,
    isLed: image.isBroadcast,
    phase: "offered",
    held: NO_BYTES,
    isLast: false,
  };
  const offer = {
    connection,
    sizeBytes: settings.slotBytes,
    mesh: { md5: image.md5 },
    ...(release === undefined ? {} : { release }),
  };
  return [{ ...state, connection, reception: begun }, [raise({ type: "pushOffered", offer })]];
}

/** Another image is announced while one comes. */
const replaced = (state: ReceiverState, reception: Reception, mesh: NeighboursState): ReceiverStep =>
  reception.phase === "asking"
    ? wanted(state, { ...reception, isLed: reception.image.isBroadcast, tries: 0 }, mesh)
    : [{ ...state, reception }, []];

function refused(state: ReceiverState, { md5 }: MeshImage): ReceiverStep {
  if (state.refusedMd5 === md5) return [state, []];
  const message = `the mesh has an image with MD5 ${md5}, but it is not signed, and unsigned local updates are switched off`;
  return [{ ...state, refusedMd5: md5 }, [{ type: "log", level: "warn", message }]];
}

export function partHeard(state: ReceiverState, message: PartMessage, mesh: NeighboursState): ReceiverStep {
  const { reception } = state;
  const { image, part, from, data } = message;
  if (reception?.phase !== "asking" || !isSameImage(image, reception.image)) return [state, []];
  if (part === reception.part) {
    const next: Reception = { ...reception, image, from, phase: "decoding" };
    return [{ ...state, reception: next }, [{ type: "decodeMesh", text: data }]];
  }
  if (!reception.isLed || !image.isBroadcast) return [state, []];
  return wanted(state, { ...reception, from, image: { ...image, isBroadcast: false }, isLed: false }, mesh);
}

const isSameImage = (a: MeshImage, b: MeshImage): boolean =>
  a.md5 === b.md5 && a.role === b.role && a.hardware === b.hardware;

export function decoded(state: ReceiverState, bytes: Uint8Array): ReceiverStep {
  const { reception } = state;
  if (reception?.phase !== "decoding") return [state, []];
  const { connection, part, image } = reception;
  // an empty part ends it: a sender that has cancelled, or that is broken
  if (bytes.length === 0) return ended(state, reception);
  const next: Reception = {
    ...reception,
    phase: "taking",
    held: bytes,
    isLast: part + 1 === image.partCount,
  };
  return [
    { ...state, reception: next },
    [CLEAR, raise({ type: "pushReadable", connection, count: bytes.length })],
  ];
}

/** Whether it is for this machine; else for the port of pushes. */
export const isOfMeshPush = (effect: Effect): effect is PushEffect =>
  (effect.type === "continuePush" || effect.type === "readPush" || effect.type === "answerPush") &&
  effect.connection < FIRST_CONNECTION;

export function pushAsked(state: ReceiverState, effect: PushEffect, mesh: NeighboursState): ReceiverStep {
  const { reception } = state;
  if (reception?.connection !== effect.connection) return [state, []];
  switch (effect.type) {
    case "continuePush":
      return wanted(state, reception, mesh);
    case "readPush":
      return read(state, reception, effect.maxBytes, mesh);
    default:
      return answered(state, reception, effect.response);
  }
}

function read(
  state: ReceiverState,
  reception: Reception,
  maxBytes: number,
  mesh: NeighboursState,
): ReceiverStep {
  if (reception.phase !== "taking") return [state, []];
  const { connection, part, image } = reception;
  const bytes = reception.held.subarray(0, maxBytes);
  const held = reception.held.subarray(bytes.length);
  const isOver = reception.isLast && held.length === 0;
  const data = raise({ type: "pushData", connection, bytes, ...(isOver ? { isLast: true } : {}) });
  if (held.length > 0) return [{ ...state, reception: { ...reception, held } }, [data]];
  const [next, effects] = isOver
    ? ended(state, reception)
    : wanted(state, { ...reception, held: NO_BYTES, part: part + 1, image, tries: 0 }, mesh);
  return [next, [data, ...effects]];
}

/** Nothing more comes: the update machine has what it needs, or has failed. It answers in any case. */
const ended = (state: ReceiverState, reception: Reception): ReceiverStep => [
  { ...state, reception: { ...reception, phase: "ended", held: NO_BYTES } },
  [CLEAR, raise({ type: "pushClosed", connection: reception.connection })],
];

function answered(
  state: ReceiverState,
  { image: { md5 } }: Reception,
  response: { readonly status: number; readonly body: string },
): ReceiverStep {
  const free = { ...state, reception: undefined };
  if (response.status === 200)
    return [{ ...free, storedMd5: md5 }, [CLEAR, { type: "store", key: MD5_KEY, value: md5 }]];
  const message = `the mesh's image with MD5 ${md5} is not taken: ${response.body.trim()}`;
  return [free, [CLEAR, { type: "log", level: "warn", message }]];
}

/** The timer of requests. */
export function requestTimedOut(state: ReceiverState, mesh: NeighboursState): ReceiverStep {
  const { reception } = state;
  if (reception?.phase !== "asking") return [state, []];
  if (reception.tries < MAX_TRIES) return wanted(state, leading(reception), mesh);
  const message = `part ${reception.part} of ${reception.image.partCount} did not come, asked for ${MAX_TRIES} times`;
  const [next, effects] = ended(state, reception);
  return [next, [{ type: "log", level: "warn", message }, ...effects]];
}

/** A sender that leads has fallen silent. */
const leading = (reception: Reception): Reception =>
  reception.isLed
    ? { ...reception, isLed: false, image: { ...reception.image, isBroadcast: false } }
    : reception;

/** Asks for the part that is wanted, or waits for it where the sender leads. Without a way to the sender it is asked for again later. */
function wanted(state: ReceiverState, reception: Reception, mesh: NeighboursState): ReceiverStep {
  const { from, image, part, isLed, tries } = reception;
  const route = isLed ? undefined : routeTo(mesh, from);
  const text = route && writeRequest(mesh.nodeId, from, image, part);
  return [
    { ...state, reception: { ...reception, phase: "asking", tries: isLed ? 0 : tries + 1 } },
    [
      ...(route && text !== undefined
        ? ([{ type: "sendMesh", neighbour: route.number, text }] as const)
        : []),
      { type: "setTimer", timer: "mesh.request", delayMs: REQUEST_MS },
    ],
  ];
}

const raise = (event: Event): Raise => ({ type: "raise", event });
