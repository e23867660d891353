// The transmitter's image, uploaded to the receiver by its owner: POST /api/ota/upload?device=transmitter. Who may is decided as for every push
// (core/local/push.ts); its signature is verified before a byte of it is taken; its bytes are read as the gateway's cache asks for them, which
// compares the whole with what was signed (core/gateway/upload.ts). Keeps no byte, installs nothing, and answers when the image is there.
//
//   pushRequested ─ authorised ─► verifying ─ signed ─► receiving ─ the last byte ─► proving ─ as it was signed ─► 200
//                                     └─ not, or for another device ─► 422  └─ 30 s without a byte, no room ─► refused

import type { Effect, HttpResponse, TimerEffect } from "../../../core/effect.js";
import type { PushOffer, Stamp, Stamped, TimerFired } from "../../../core/event.js";
import type { GatewayEvent } from "../../../core/gateway/gateway-device.js";
import { uploadAnswer } from "../../../core/http/answer.js";
import { UPLOAD_PATH } from "../../../core/http/push-paths.js";
import { queryValue } from "../../../core/http/query.js";
import { type PushState, pushStep } from "../../../core/local/push.js";
import type { Trust } from "../../../core/trust/trust.js";
import { parseRelease, type Release, type SignedRelease } from "../../../core/update/release.js";
import {
  afterSignature,
  beginVerification,
  type Verification,
  verifyFirst,
} from "../../../core/update/verification.js";
import { MAX_RELEASE_LENGTH } from "../../../core/wire.js";
import { OTHER } from "./uploaded-job.js";

/** Between those of the leader's two kinds of requests (leader.ts). */
const FIRST_ATTEMPT = -1_700_000_000;
const STALL_MS = 30_000;

type UploadTimer = "upload.stall";

interface Upload {
  readonly phase: "verifying" | "receiving" | "proving";
  readonly connection: number;
  readonly release: Release;
  /** Until it is verified; then the gateway has it. */
  readonly manifest: string;
  readonly verification: Verification;
  /** Bytes that have not come yet, that wait to be read, and that the cache takes now. */
  readonly leftBytes: number;
  readonly availableBytes: number;
  readonly wantedBytes: number;
}

export interface PeerUploadState {
  /** Its form, until the file in it begins. */
  readonly form: PushState["form"];
  readonly upload: Upload | undefined;
  /** Of the last signature. */
  readonly attempt: number;
}

export const initialPeerUpload: PeerUploadState = Object.freeze({
  form: undefined,
  upload: undefined,
  attempt: FIRST_ATTEMPT,
});

/** What the gateway says of the image. */
type Answer = Extract<
  | { readonly type: "uploadWants"; readonly maxBytes: number }
  | { readonly type: "uploadStored" }
  | { readonly type: "uploadFailed"; readonly message: string },
  { readonly type: string }
>;
type Pushed = Extract<
  Stamped,
  {
    readonly type:
      | "pushRequested"
      | "macMade"
      | "pushReadable"
      | "pushData"
      | "pushClosed"
      | "signatureVerified";
  }
>;
export type PeerUploadInput = Pushed | (TimerFired<UploadTimer> & Stamp) | (Answer & Stamp);

export type PeerUploadEffect =
  | Effect
  | TimerEffect<UploadTimer>
  /** For the gateway. */
  | { readonly type: "tellGateway"; readonly event: ForGateway }
  /** The release that core keeps for the next upload belongs to this one. */
  | { readonly type: "releaseUsed" }
  /** What core remembers of challenges and wrong tokens. */
  | { readonly type: "proofChanged"; readonly proof: PushState["proof"] };
type ForGateway = Extract<
  GatewayEvent,
  { readonly type: "uploadOffered" | "uploadArrived" | "uploadDropped" }
>;

/** Where it stands. */
export interface UploadPlace {
  readonly trust: Trust;
  /** Core's: who may push, and the release that was sent for the next upload. */
  readonly push: PushState;
  readonly cacheBytes: number;
  /** Why nothing can be taken now, in a sentence; absent: it can. */
  readonly hindrance: string | undefined;
}

type Step = readonly [PeerUploadState, readonly PeerUploadEffect[]];
const NOTHING: readonly never[] = Object.freeze([]);

/** Whether an event is this machine's and no other's. A MAC is if it is for a request that `isForOther`. */
export function isPeerUploads(
  state: PeerUploadState,
  event: Heard,
): event is Exclude<PeerUploadInput, { readonly type: "macMade" }> {
  switch (event.type) {
    case "pushRequested":
      return event.head !== undefined && isForOther(event.head);
    case "pushReadable":
    case "pushData":
    case "pushClosed":
      return (
        event.connection === state.upload?.connection || event.connection === state.form?.offer.connection
      );
    case "signatureVerified":
      return event.attempt === state.attempt;
    case "timerFired":
      return event.timer === "upload.stall";
    default:
      return false;
  }
}
/** Whether a request brings an image for the transmitter. */
export const isForOther = ({ path, query = "" }: AskedHead): boolean =>
  path === UPLOAD_PATH && queryValue(query, "device") === OTHER;

interface AskedHead {
  readonly path: string;
  readonly query?: string;
}
interface Heard {
  readonly type: string;
  readonly head?: AskedHead;
  readonly connection?: number;
  readonly attempt?: number;
  readonly timer?: string;
}

export function peerUploadStep(state: PeerUploadState, event: PeerUploadInput, place: UploadPlace): Step {
  const { upload } = state;
  switch (event.type) {
    case "pushRequested":
    case "macMade":
      return authorise(state, event, place);
    case "pushReadable":
    case "pushData":
    case "pushClosed":
      return upload?.connection === event.connection
        ? bodyHeard(state, upload, event)
        : authorise(state, event, place);
    case "signatureVerified":
      return upload?.phase === "verifying" ? verified(state, upload, event.good) : [state, NOTHING];
    case "timerFired":
      return upload?.phase === "receiving"
        ? dropped(state, upload, 408, "nothing has come for 30 s")
        : [state, NOTHING];
    case "uploadWants":
      return upload ? wanted(state, upload, event.maxBytes) : [state, NOTHING];
    case "uploadStored":
      return upload?.phase === "proving" ? stored(state, upload) : [state, NOTHING];
    case "uploadFailed":
      return upload && upload.phase !== "verifying"
        ? refuse(state, upload.connection, 422, event.message)
        : [state, NOTHING];
  }
}

/** Core's own check of who may push, with the room of the cache in place of the slot's. */
function authorise(
  state: PeerUploadState,
  event: Extract<Pushed, { readonly type: `push${string}` | "macMade" }>,
  { push, cacheBytes, ...place }: UploadPlace,
): Step {
  // it asks for a release itself, in its own words
  const [{ form, release, proof }, asked] = pushStep(
    { ...push, form: state.form, slotBytes: cacheBytes, acceptUnsigned: true },
    event,
  );
  const next: PeerUploadState = { ...state, form };
  const effects: PeerUploadEffect[] = push.release && !release ? [{ type: "releaseUsed" }] : [];
  if (proof !== push.proof) effects.push({ type: "proofChanged", proof });
  for (const effect of asked) {
    if (effect.type !== "raise") effects.push(effect);
    else if (effect.event.type === "pushOffered") {
      const [after, more] = offered(next, effect.event.offer, place);
      return [after, [...effects, ...more]];
    }
  }
  return [next, effects];
}

function offered(
  state: PeerUploadState,
  { connection, sizeBytes, release: manifest, sha256 }: PushOffer,
  { trust, hindrance }: Pick<UploadPlace, "trust" | "hindrance">,
): Step {
  const busy = state.upload ? "another image is being uploaded" : hindrance;
  if (busy !== undefined) return [state, [answer(connection, uploadAnswer(409, busy))]];
  if (manifest === undefined) return refuse(state, connection, 403, RELEASE_MISSING);
  const parsed = parseRelease(manifest, MAX_RELEASE_LENGTH);
  const problem = parsed.ok ? problemWith(parsed.value, sizeBytes, sha256) : parsed.failure.message;
  if (!parsed.ok || problem !== undefined) return refuse(state, connection, 422, problem ?? "");
  const { release, signatures } = parsed.value;
  const begun = beginVerification(trust, signatures, manifest);
  if (!begun.ok) return refuse(state, connection, 422, begun.failure.message);
  const attempt = state.attempt - 1;
  const upload: Upload = {
    phase: "verifying",
    connection,
    release,
    manifest,
    verification: begun.value,
    leftBytes: sizeBytes,
    availableBytes: 0,
    wantedBytes: 0,
  };
  return [{ ...state, attempt, upload }, verifyFirst(begun.value, attempt, manifest)];
}

const RELEASE_MISSING =
  "an image for the transmitter needs its signed release: POST it to /api/ota/release first, or send it as X-Skyslot-Release to port 3232";

/** @param sha256 of the image that the owner has agreed to; undefined: any */
function problemWith({ release }: SignedRelease, sizeBytes: number, sha256 = release.sha256) {
  if (release.type !== OTHER) return `the image is for ${release.type}, not for ${OTHER}`;
  if (release.sha256 !== sha256)
    return "the release is of another image than the one that the answer to the challenge is about";
  if (release.size !== sizeBytes) return `the file has ${sizeBytes} bytes, its release says ${release.size}`;
  return undefined;
}

function verified(state: PeerUploadState, upload: Upload, isGood: boolean): Step {
  const after = afterSignature(upload.verification, isGood);
  if (!after.ok) return refuse(state, upload.connection, 422, after.failure.message);
  if (after.value !== "signed") {
    const attempt = state.attempt - 1;
    const next: Upload = { ...upload, verification: after.value };
    return [{ ...state, attempt, upload: next }, verifyFirst(after.value, attempt, upload.manifest)];
  }
  const event = { type: "uploadOffered", manifest: upload.manifest } as const;
  return [
    { ...state, upload: { ...upload, phase: "receiving", manifest: "" } },
    [{ type: "tellGateway", event }, STALL],
  ];
}

const STALL: PeerUploadEffect = Object.freeze({
  type: "setTimer",
  timer: "upload.stall",
  delayMs: STALL_MS,
});
const NO_STALL: PeerUploadEffect = Object.freeze({ type: "clearTimer", timer: "upload.stall" });

/** The first time that the cache asks, the sender is told to begin. */
function wanted(state: PeerUploadState, upload: Upload, maxBytes: number): Step {
  const isFirst = upload.leftBytes === upload.release.size;
  const next: Upload = { ...upload, wantedBytes: maxBytes };
  const [after, effects] = read(state, next);
  const { connection } = upload;
  return [after, isFirst ? [{ type: "continuePush", connection }, ...effects] : effects];
}

function bodyHeard(
  state: PeerUploadState,
  upload: Upload,
  event: Extract<Pushed, { readonly type: "pushReadable" | "pushData" | "pushClosed" }>,
): Step {
  switch (event.type) {
    case "pushReadable":
      return read(state, { ...upload, availableBytes: event.count });
    case "pushData": {
      const { length } = event.bytes;
      const leftBytes = upload.leftBytes - length;
      const availableBytes = Math.max(0, upload.availableBytes - length);
      const phase = leftBytes > 0 ? upload.phase : "proving";
      return [
        { ...state, upload: { ...upload, phase, leftBytes, availableBytes, wantedBytes: 0 } },
        [
          leftBytes > 0 ? STALL : NO_STALL,
          { type: "tellGateway", event: { type: "uploadArrived", bytes: event.bytes } },
        ],
      ];
    }
    case "pushClosed":
      // what has arrived whole is kept, though nobody waits for the answer
      return upload.phase === "proving" ? [state, NOTHING] : dropped(state, upload, 0, "its sender has gone");
  }
}

function read(state: PeerUploadState, upload: Upload): Step {
  const { connection, phase, availableBytes, wantedBytes, leftBytes } = upload;
  const maxBytes = phase === "receiving" ? Math.min(availableBytes, wantedBytes, leftBytes) : 0;
  return [{ ...state, upload }, maxBytes > 0 ? [{ type: "readPush", connection, maxBytes }] : NOTHING];
}

function stored(state: PeerUploadState, { connection, release }: Upload): Step {
  const { version, build, type, size, sha256, imageSha256 } = release;
  const message = `${version} for the ${type} is uploaded: install it now, or upload another`;
  const response = uploadAnswer(200, message, { size, version, build, type, sha256, imageSha256 });
  return [{ ...state, upload: undefined }, [answer(connection, response)]];
}

/** @param status 0: nobody is there to be answered */
function dropped(state: PeerUploadState, upload: Upload, status: number, message: string): Step {
  const told: PeerUploadEffect = { type: "tellGateway", event: { type: "uploadDropped", message } };
  if (upload.phase === "verifying") return [{ ...state, upload: undefined }, NOTHING];
  const closing = status === 0 ? [] : [answer(upload.connection, uploadAnswer(status, message))];
  return [{ ...state, upload: undefined }, [NO_STALL, ...closing, told]];
}

const refuse = (state: PeerUploadState, connection: number, status: number, message: string): Step => [
  { ...state, upload: undefined },
  [NO_STALL, answer(connection, uploadAnswer(status, message))],
];

const answer = (connection: number, response: HttpResponse): Effect => ({
  type: "answerPush",
  connection,
  response,
});
