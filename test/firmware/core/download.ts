// An update machine with a server, a sender and a flash around it, for tests of a complete download or push: each effect is carried out at
// once, and its answer is the next event. The server is honest unless a test changes its answers. The flash is NOR: a write clears bits
// only, so a sector that was not erased before keeps what it had.

import { createHash } from "node:crypto";
import type { Effect } from "../../../firmware/core/effect.js";
import type { Booted, Event, PushOffer, Raise, Stamped } from "../../../firmware/core/event.js";
import { initialUpdate, type UpdateState } from "../../../firmware/core/update/state.js";
import { updateStep } from "../../../firmware/core/update/update.js";
import type { Report } from "../../../firmware/core/wire.js";
import { BOOTED, stamped } from "./events.js";
import { jws, PAGED, PAYLOAD } from "./releases.js";
import { carriedOut } from "./saves.js";

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Without a Content-Length: until the connection ends. */
  readonly isUnannounced?: boolean;
  /** The connection breaks after this number of bytes. */
  readonly endsAfter?: number;
}

export interface DownloadOptions {
  readonly sizeBytes: number;
  /** Changes an answer of the server, or returns it unchanged. */
  readonly lie?: (
    request: { readonly path: string; readonly range: string | undefined },
    honest: Answer,
  ) => Answer;
  /** Bytes of the image that the slot already holds. */
  readonly thereBytes?: number;
  /** The digests' URL in the offer. */
  readonly digestsUrl?: string | undefined;
  /** Whether another slot holds an image to go back to; default: yes. */
  readonly canRollBack?: boolean;
  /** The offer asks for the image to be staged only. */
  readonly hold?: boolean;
  /** Fields of the release that differ from the image. */
  readonly manifest?: object;
  /** The release lists the digests of all chunks: format 1. */
  readonly listsChunks?: boolean;
  /** Changes bytes of the image before its digests are computed. */
  readonly alter?: (image: Uint8Array) => void;
  readonly booted?: Partial<Booted>;
  /** Changes what is written, or answers an effect on the slot differently; undefined: as usual. */
  readonly fault?: (effect: Effect) => Event | undefined;
}

const CHUNK_BYTES = 4096;
/** Announced at once. */
const SEGMENT_BYTES = 10_000;
const PATHS = Object.freeze({ image: "/image", digests: "/digests" });

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(bytes).digest());

export const md5 = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash("md5").update(bytes).digest());

export const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export class Download {
  state: UpdateState;
  readonly image: Uint8Array;
  readonly flash: Uint8Array;
  readonly digests: Uint8Array;
  /** Path and range of each request, in order. */
  readonly asked: string[] = [];
  readonly reports: Report[] = [];
  readonly logs: string[] = [];
  /** Every effect, in order. */
  readonly effects: (Effect | Raise)[] = [];
  /** Of the timer after a failed try. */
  readonly retryDelaysMs: number[] = [];
  /** The answer to the sender of a push. */
  readonly answers: { readonly status: number; readonly body: string }[] = [];
  /** NVS. */
  readonly stored = new Map<string, string>();
  /** Writes to bytes that were not erased. */
  dirtyWriteCount = 0;
  /** Maximum bytes collected at once. */
  largestCollected = 0;
  erasedCount = 0;
  /** Only pauses between tries take time. */
  nowMs = 0;
  readonly #options: DownloadOptions;
  readonly #events: Event[] = [];
  #open:
    | { readonly attempt: number; readonly body: Uint8Array; position: number; announced: number }
    | undefined;
  #hasRetry = false;
  #push:
    | {
        readonly connection: number;
        readonly body: Uint8Array;
        /** By the mesh: its last bytes are marked, because its length was not told. */
        readonly isOpenEnded: boolean;
        position: number;
        announced: number;
      }
    | undefined;

  constructor(options: DownloadOptions) {
    this.#options = options;
    this.image = makeImage(options.sizeBytes);
    options.alter?.(this.image);
    this.flash = new Uint8Array(0x200000).fill(0x5a);
    this.flash.set(this.image.subarray(0, options.thereBytes ?? 0));
    this.digests = digestsOf(this.image);
    this.state = {
      ...updateStep(initialUpdate, stamped({ ...BOOTED, ...options.booted }))[0],
      server: "http://updates.test",
      online: true,
    };
  }

  /** Offers the release, and continues until the machine waits for a check or restarts. */
  run(more: object = {}): this {
    this.#offer(more);
    while (this.#next()) {}
    return this;
  }

  /** Pushes these bytes, and continues until the machine has answered. */
  push(offer: Omit<PushOffer, "connection" | "sizeBytes"> = {}, body = this.image): this {
    const isOpenEnded = offer.mesh !== undefined;
    const { connection, sizeBytes } = { connection: 3, sizeBytes: isOpenEnded ? 0x180000 : body.length };
    this.#push = { connection, body, isOpenEnded, position: 0, announced: 0 };
    this.#hear({ type: "pushOffered", offer: { connection, sizeBytes, ...offer } });
    while (this.#next()) {}
    return this;
  }

  /** Hears these events, before any that are on their way, and continues until the machine waits. */
  on(...events: readonly Event[]): this {
    this.#events.unshift(...events);
    while (this.#next()) {}
    return this;
  }

  /** The answer to the next check brings no offer, but these fields. */
  answered(fields: object): this {
    this.#open = undefined;
    const body = { update_available: false, time: 1_795_000_000, ...fields };
    this.#hear(
      { type: "timerFired", timer: "check" },
      { status: 200, body: new TextEncoder().encode(JSON.stringify(body)) },
    );
    while (this.#next()) {}
    return this;
  }

  /** Power is lost, or the chip restarts: flash and NVS are all that stays. What was recorded of before is cleared. */
  reboot(booted: Partial<Booted> = {}): this {
    for (const list of [this.#events, this.effects, this.logs, this.asked, this.reports]) list.length = 0;
    this.#open = undefined;
    this.#push = undefined;
    this.#hasRetry = false;
    this.nowMs = 0;
    const stored = { ...BOOTED.stored, ...Object.fromEntries(this.stored) };
    this.state = initialUpdate;
    this.#hear({ ...BOOTED, ...this.#options.booted, ...booted, stored });
    this.state = { ...this.state, server: "http://updates.test", online: true };
    return this;
  }

  /** The last request that was sent to `/check`, as JSON. */
  checkBody(): Record<string, unknown> {
    const check = this.effects.findLast(
      (effect) => effect.type === "startRequest" && effect.request.url.endsWith("/api/ota/check"),
    );
    return JSON.parse((check?.type === "startRequest" && check.request.body) || "{}");
  }

  /** Types of effects, those of an event raised with its name; without logs. */
  get types(): string[] {
    return this.effects
      .filter(({ type }) => type !== "log")
      .map((effect) => (effect.type === "raise" ? effect.event.type : effect.type));
  }

  get outcome(): string {
    const failed = this.reports.filter(({ status }) => status === "failed").at(-1);
    return failed?.error_code ?? this.state.phase;
  }

  /** The release of the image, with the fields that the options change. */
  get release(): string {
    const { image, digests } = this;
    const pages = Array.from({ length: Math.ceil(digests.length / 2048) }, (_, page) =>
      sha256(digests.slice(page * 2048, (page + 1) * 2048)),
    );
    const { listsChunks = false, manifest } = this.#options;
    return jws({
      ...(listsChunks ? PAYLOAD : PAGED),
      size: image.length,
      sha256: hex(sha256(image)),
      chunkSize: CHUNK_BYTES,
      ...(listsChunks
        ? { chunks: Buffer.from(digests).toString("base64url") }
        : { pages: Buffer.concat(pages).toString("base64url") }),
      ...manifest,
    });
  }

  #offer(more: object = {}): void {
    const { digestsUrl = PATHS.digests } = this.#options;
    const offer = {
      update_available: true,
      time: 1_795_000_000,
      firmware_id: 7,
      version: "1.1.0",
      download_url: PATHS.image,
      digests_url:
        "digestsUrl" in this.#options || this.#options.listsChunks ? this.#options.digestsUrl : digestsUrl,
      release: this.release,
      ...(this.#options.hold ? { hold: true } : {}),
      ...more,
    };
    this.#open = undefined;
    this.#hear(
      { type: "timerFired", timer: "check" },
      { status: 200, body: new TextEncoder().encode(JSON.stringify(offer)) },
    );
  }

  #next(): boolean {
    const event = this.#events.shift();
    if (event) this.#hear(event);
    else if (this.#push) return this.#nextOfPush(this.#push);
    else if (this.#open && this.#open.announced < this.#open.body.length && this.state.phase === "streaming")
      this.#announce();
    else if (this.#open && this.state.phase === "streaming") this.#end();
    else if (this.#hasRetry) {
      this.#hasRetry = false;
      this.nowMs += this.retryDelaysMs.at(-1) ?? 0;
      this.#hear({ type: "timerFired", timer: "retry" });
    } else return false;
    return true;
  }

  /** The sender announces what it has sent; when that is all, it disconnects. */
  #nextOfPush(push: {
    readonly connection: number;
    readonly body: Uint8Array;
    position: number;
    announced: number;
  }): boolean {
    const { connection, body } = push;
    if (this.state.phase !== "streaming") return false;
    if (push.announced === body.length) {
      this.#push = undefined;
      this.#events.push({ type: "pushClosed", connection });
      return true;
    }
    push.announced = Math.min(body.length, push.announced + SEGMENT_BYTES);
    this.#events.push({ type: "pushReadable", connection, count: push.announced - push.position });
    return true;
  }

  #announce(): void {
    const open = this.#open!;
    open.announced = Math.min(open.body.length, open.announced + SEGMENT_BYTES);
    this.#events.push({
      type: "responseReadable",
      attempt: open.attempt,
      count: open.announced - open.position,
    });
  }

  #end(): void {
    const { attempt } = this.#open!;
    this.#open = undefined;
    this.#events.push({ type: "responseEnded", attempt });
  }

  #hear(event: Event, answer?: Answer): void {
    const [state, effects] = updateStep(this.state, { ...stamped(event), at: this.nowMs } as Stamped);
    this.state = state;
    for (const effect of effects) this.#take(effect, answer);
  }

  #take(effect: Effect | Raise, answer?: Answer): void {
    const fault = effect.type === "raise" ? undefined : this.#options.fault?.(effect);
    if (effect.type === "save" && !fault) {
      for (const part of carriedOut([effect])) this.#take(part, answer);
      this.#events.push({ type: "saved", purpose: effect.purpose });
      return;
    }
    this.effects.push(effect);
    if (fault) this.#events.push(fault);
    else this.#carryOut(effect, answer);
  }

  #carryOut(effect: Effect | Raise, answer?: Answer): void {
    switch (effect.type) {
      case "raise":
        if (effect.event.type === "reportMade") this.reports.push(effect.event.report);
        return;
      case "store":
        this.stored.set(effect.key, effect.value);
        return;
      case "forget":
        this.stored.delete(effect.key);
        return;
      case "log":
        this.logs.push(effect.message);
        return;
      case "setTimer":
        if (effect.timer !== "retry") return;
        this.#hasRetry = true;
        this.retryDelaysMs.push(effect.delayMs);
        return;
      case "startRequest": {
        if (this.#open) throw new Error("a second connection was opened");
        const given = answer ?? this.#answer(effect.request);
        const { attempt } = effect;
        const body = given.body.slice(0, given.endsAfter);
        this.#open = { attempt, body, position: 0, announced: 0 };
        const length = given.isUnannounced ? {} : { "content-length": `${given.body.length}` };
        const headers = { ...length, ...given.headers };
        this.#events.push({ type: "responseStarted", attempt, status: given.status, headers });
        return;
      }
      case "collectResponse": {
        const { attempt, as } = effect;
        const body = this.#open!.body.slice(0, effect.maxBytes);
        if (as === "bytes") this.largestCollected = Math.max(this.largestCollected, body.length);
        this.#events.push(
          as === "bytes"
            ? { type: "bytesCollected", attempt, bytes: body }
            : { type: "textCollected", attempt, text: new TextDecoder().decode(body) },
        );
        return;
      }
      case "readResponse": {
        const open = this.#open!;
        const bytes = open.body.slice(open.position, open.position + effect.maxBytes);
        open.position += bytes.length;
        this.#events.push({ type: "responseData", attempt: effect.attempt, bytes });
        return;
      }
      case "closeRequest":
        if (this.#open?.attempt === effect.attempt) this.#open = undefined;
        return;
      case "hashBytes":
        this.#events.push({ ...effect, type: "bytesHashed", digest: sha256(effect.bytes) });
        return;
      case "hashSlot": {
        const { attempt, offset, length } = effect;
        const part = this.flash.subarray(offset, offset + length);
        const digest = effect.algorithm === "MD5" ? md5(part) : sha256(part);
        this.#events.push({ type: "slotHashed", attempt, offset, digest });
        return;
      }
      case "eraseSlot":
        this.erasedCount += effect.length / 4096;
        this.flash.fill(0xff, effect.offset, effect.offset + effect.length);
        this.#events.push({ ...effect, type: "slotErased" });
        return;
      case "writeSlot": {
        const { attempt, offset, bytes } = effect;
        if (this.flash.subarray(offset, offset + bytes.length).some((byte) => byte !== 0xff))
          this.dirtyWriteCount += 1;
        for (let i = 0; i < bytes.length; i++) this.flash[offset + i]! &= bytes[i]!;
        this.#events.push({ type: "slotWritten", attempt, offset, length: bytes.length });
        return;
      }
      case "readPush": {
        const push = this.#push!;
        const bytes = push.body.slice(push.position, push.position + effect.maxBytes);
        push.position += bytes.length;
        const isLast = push.isOpenEnded && push.position === push.body.length;
        const marked = isLast ? ({ isLast: true } as const) : {};
        this.#events.push({ type: "pushData", connection: effect.connection, bytes, ...marked });
        return;
      }
      case "answerPush": {
        const { status, body } = effect.response;
        this.answers.push({ status, body });
        this.#push = undefined;
        return;
      }
      case "verifySignature":
        this.#events.push({ type: "signatureVerified", attempt: effect.attempt, good: true });
        return;
      case "checkRollBack": {
        const possible = this.#options.canRollBack ?? true;
        this.#events.push({ type: "rollBackChecked", connection: effect.connection, possible });
        return;
      }
      case "armSlot":
        this.#events.push({ type: "slotArmed", attempt: effect.attempt });
        return;
      default:
        return;
    }
  }

  #answer({ url, headers }: Extract<Effect, { type: "startRequest" }>["request"]): Answer {
    const path = url.slice("http://updates.test".length);
    const { range } = headers;
    this.asked.push(range === undefined ? path : `${path} ${range}`);
    const whole = path === PATHS.digests ? this.digests : this.image;
    const honest = partOf(whole, range);
    return this.#options.lie?.({ path, range }, honest) ?? honest;
  }
}

export function partOf(whole: Uint8Array, range: string | undefined): Answer {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
  if (from === undefined) return { status: 200, body: whole };
  const headers = { "content-range": `bytes ${from}-${to}/${whole.length}` };
  return { status: 206, headers, body: whole.slice(Number(from), Number(to) + 1) };
}

/** Of chip ESP32, version 1.1.0, with one segment; its last 32 bytes are the SHA-256 of those before. A size that is a multiple of 16 is exact. */
function makeImage(sizeBytes: number): Uint8Array {
  const bytes = Uint8Array.from({ length: sizeBytes }, (_, at) => (at * 31 + (at >> 8)) & 255);
  const view = new DataView(bytes.buffer);
  bytes.fill(0, 0, 288);
  bytes.set([0xe9, 1]);
  bytes[23] = 1;
  view.setUint32(28, sizeBytes - 80, true);
  view.setUint32(32, 0xabcd5432, true);
  bytes.set([0x31, 0x2e, 0x31, 0x2e, 0x30], 48);
  bytes.set(sha256(bytes.slice(0, -32)), sizeBytes - 32);
  return bytes;
}

function digestsOf(image: Uint8Array): Uint8Array {
  const count = Math.ceil(image.length / CHUNK_BYTES);
  const digests = new Uint8Array(count * 32);
  for (let index = 0; index < count; index++)
    digests.set(sha256(image.slice(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES)), index * 32);
  return digests;
}
