// An update machine with a server and a flash around it, for tests of a whole download: each effect is carried out at once, and its
// answer is the next event. The server is honest unless a test changes its answers.

import { createHash } from "node:crypto";
import type { Effect } from "../../../firmware/core/effect.js";
import type { Event, Raise } from "../../../firmware/core/event.js";
import { initialUpdate, type UpdateState } from "../../../firmware/core/update/state.js";
import { updateStep } from "../../../firmware/core/update/update.js";
import type { Report } from "../../../firmware/core/wire.js";
import { BOOTED, stamped } from "./events.js";
import { jws, PAGED } from "./releases.js";

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The connection breaks after so many bytes of it. */
  readonly endsAfter?: number;
}

export interface DownloadOptions {
  readonly sizeBytes: number;
  /** Changes an answer of the server, or gives it back as it is. */
  readonly lie?: (
    request: { readonly path: string; readonly range: string | undefined },
    honest: Answer,
  ) => Answer;
  /** What the slot holds already of the image, bytes. */
  readonly thereBytes?: number;
  /** Where the offer says that the digests are. */
  readonly digestsUrl?: string | undefined;
}

const CHUNK_BYTES = 4096;
/** Announced at once. */
const SEGMENT_BYTES = 10_000;
const PATHS = Object.freeze({ image: "/image", digests: "/digests" });

export const sha256 = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash("sha256").update(bytes).digest());

export class Download {
  state: UpdateState;
  readonly image: Uint8Array;
  readonly flash: Uint8Array;
  readonly digests: Uint8Array;
  /** Path and range of each request, in order. */
  readonly asked: string[] = [];
  readonly reports: Report[] = [];
  readonly logs: string[] = [];
  /** Bytes that were collected at once, at most. */
  largestCollected = 0;
  erasedCount = 0;
  readonly #options: DownloadOptions;
  readonly #events: Event[] = [];
  #open:
    | { readonly attempt: number; readonly body: Uint8Array; position: number; announced: number }
    | undefined;
  #hasRetry = false;

  constructor(options: DownloadOptions) {
    this.#options = options;
    this.image = makeImage(options.sizeBytes);
    this.flash = new Uint8Array(0x200000).fill(0xff);
    this.flash.set(this.image.subarray(0, options.thereBytes ?? 0));
    this.digests = digestsOf(this.image);
    this.state = {
      ...updateStep(initialUpdate, stamped(BOOTED))[0],
      server: "http://updates.test",
      online: true,
    };
  }

  /** Offers the release, and goes on until the machine waits for a check or restarts. */
  run(): this {
    this.#offer();
    while (this.#next()) {}
    return this;
  }

  get outcome(): string {
    const failed = this.reports.filter(({ status }) => status === "failed").at(-1);
    return failed?.error_code ?? this.state.phase;
  }

  #offer(): void {
    const { image } = this;
    const hex = (bytes: Uint8Array) =>
      Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    const digests = this.digests;
    const pages = Array.from({ length: Math.ceil(digests.length / 2048) }, (_, page) =>
      sha256(digests.slice(page * 2048, (page + 1) * 2048)),
    );
    const release = jws({
      ...PAGED,
      size: image.length,
      sha256: hex(sha256(image)),
      chunkSize: CHUNK_BYTES,
      pages: Buffer.concat(pages).toString("base64url"),
    });
    const offer = {
      update_available: true,
      time: 1_795_000_000,
      firmware_id: 7,
      version: "1.1.0",
      download_url: PATHS.image,
      digests_url: "digestsUrl" in this.#options ? this.#options.digestsUrl : PATHS.digests,
      release,
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
    else if (this.#open && this.#open.announced < this.#open.body.length && this.state.phase === "streaming")
      this.#announce();
    else if (this.#open && this.state.phase === "streaming") this.#end();
    else if (this.#hasRetry) {
      this.#hasRetry = false;
      this.#hear({ type: "timerFired", timer: "retry" });
    } else return false;
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
    const [state, effects] = updateStep(this.state, stamped(event));
    this.state = state;
    for (const effect of effects) this.#carryOut(effect, answer);
  }

  #carryOut(effect: Effect | Raise, answer?: Answer): void {
    switch (effect.type) {
      case "raise":
        if (effect.event.type === "reportMade") this.reports.push(effect.event.report);
        return;
      case "log":
        this.logs.push(effect.message);
        return;
      case "setTimer":
        if (effect.timer === "retry") this.#hasRetry = true;
        return;
      case "startRequest": {
        if (this.#open) throw new Error("a second connection was opened");
        const given = answer ?? this.#answer(effect.request);
        const { attempt } = effect;
        const body = given.body.slice(0, given.endsAfter);
        this.#open = { attempt, body, position: 0, announced: 0 };
        const headers = { "content-length": `${given.body.length}`, ...given.headers };
        this.#events.push({ type: "responseStarted", attempt, status: given.status, headers });
        return;
      }
      case "collectResponse": {
        const { attempt, as } = effect;
        const { body } = this.#open!;
        if (as === "bytes") this.largestCollected = Math.max(this.largestCollected, body.length);
        if (body.length !== effect.sizeBytes) throw new Error("collected is not what was announced");
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
        const digest = sha256(this.flash.subarray(offset, offset + length));
        this.#events.push({ type: "slotHashed", attempt, offset, digest });
        return;
      }
      case "eraseSlot":
        this.erasedCount += 1;
        this.flash.fill(0xff, effect.offset, effect.offset + 4096);
        this.#events.push({ type: "slotErased", attempt: effect.attempt, offset: effect.offset });
        return;
      case "writeSlot": {
        const { attempt, offset, bytes } = effect;
        this.flash.set(bytes, offset);
        this.#events.push({ type: "slotWritten", attempt, offset, length: bytes.length });
        return;
      }
      case "verifySignature":
        this.#events.push({ type: "signatureVerified", attempt: effect.attempt, good: true });
        return;
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

/** Of chip ESP32, version 1.1.0, with one short segment. */
function makeImage(sizeBytes: number): Uint8Array {
  const bytes = Uint8Array.from({ length: sizeBytes }, (_, at) => (at * 31 + (at >> 8)) & 255);
  const view = new DataView(bytes.buffer);
  bytes.fill(0, 0, 288);
  bytes.set([0xe9, 1]);
  bytes[23] = 1;
  view.setUint32(28, sizeBytes - 80, true);
  view.setUint32(32, 0xabcd5432, true);
  bytes.set([0x31, 0x2e, 0x31, 0x2e, 0x30], 48);
  return bytes;
}

function digestsOf(image: Uint8Array): Uint8Array {
  const count = Math.ceil(image.length / CHUNK_BYTES);
  const digests = new Uint8Array(count * 32);
  for (let index = 0; index < count; index++)
    digests.set(sha256(image.slice(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES)), index * 32);
  return digests;
}
