// The HTTP client of a device under test, in virtual time: events in the order of firmware/platform/http-client.ts, bytes in segments.

import type { Effect } from "../../../../firmware/core/effect.js";
import type { Event } from "../../../../firmware/core/event.js";
import type { Answer } from "../download.js";

const SEGMENT_BYTES = 1_436;
const LATENCY_MS = 20;

interface Open {
  readonly answer: Answer;
  position: number;
  arrived: number;
  collect: { readonly maxBytes: number; readonly as: "bytes" | "text" } | undefined;
  isOver: boolean;
}

export type HttpEffect = Extract<
  Effect,
  { readonly type: "startRequest" | "readResponse" | "collectResponse" | "closeRequest" }
>;

export const isHttp = (effect: { readonly type: string }): effect is HttpEffect =>
  ["startRequest", "readResponse", "collectResponse", "closeRequest"].includes(effect.type);

export class Connections {
  readonly #open = new Map<number, Open>();
  readonly #ask: (request: Extract<Effect, { type: "startRequest" }>["request"]) => Answer | undefined;
  readonly #dispatch: (event: Event) => void;
  readonly #after: (delayMs: number, action: () => void) => void;
  mostOpen = 0;

  constructor(
    ask: (request: Extract<Effect, { type: "startRequest" }>["request"]) => Answer | undefined,
    dispatch: (event: Event) => void,
    after: (delayMs: number, action: () => void) => void,
  ) {
    this.#ask = ask;
    this.#dispatch = dispatch;
    this.#after = after;
  }

  carryOut(effect: HttpEffect): void {
    const { attempt } = effect;
    switch (effect.type) {
      case "startRequest": {
        const answer = this.#ask(effect.request);
        const open: Open = {
          answer: answer ?? { status: 0, body: new Uint8Array(0) },
          position: 0,
          arrived: 0,
          collect: undefined,
          isOver: false,
        };
        this.#open.set(attempt, open);
        this.mostOpen = Math.max(this.mostOpen, this.#open.size);
        this.#after(LATENCY_MS, () => (answer ? this.#start(attempt, open) : this.#fail(attempt, open)));
        return;
      }
      case "readResponse": {
        const open = this.#open.get(attempt);
        if (!open) return;
        const bytes = open.answer.body.slice(
          open.position,
          Math.min(open.arrived, open.position + effect.maxBytes),
        );
        open.position += bytes.length;
        this.#dispatch({ type: "responseData", attempt, bytes });
        if (open.position === open.arrived) this.#after(1, () => this.#arrive(attempt, open));
        return;
      }
      case "collectResponse": {
        const open = this.#open.get(attempt);
        if (open) open.collect = effect;
        return;
      }
      case "closeRequest":
        this.#open.delete(attempt);
    }
  }

  #start(attempt: number, open: Open): void {
    if (this.#open.get(attempt) !== open) return;
    const { status, headers, body, isUnannounced } = open.answer;
    const length = isUnannounced ? {} : { "content-length": `${body.length}` };
    this.#dispatch({ type: "responseStarted", attempt, status, headers: { ...length, ...headers } });
    this.#after(LATENCY_MS, () => this.#arrive(attempt, open));
  }

  #arrive(attempt: number, open: Open): void {
    if (this.#open.get(attempt) !== open) return;
    const { body, endsAfter = body.length } = open.answer;
    const end = Math.min(body.length, endsAfter);
    if (open.collect) return this.#collected(attempt, open, end);
    if (open.position === end) return this.#end(attempt, open);
    open.arrived = Math.min(end, open.position + SEGMENT_BYTES);
    this.#dispatch({ type: "responseReadable", attempt, count: open.arrived - open.position });
  }

  #collected(attempt: number, open: Open, end: number): void {
    const { maxBytes, as } = open.collect!;
    if (end < open.answer.body.length && end < maxBytes) return this.#fail(attempt, open);
    this.#open.delete(attempt);
    const bytes = open.answer.body.slice(0, Math.min(end, maxBytes));
    this.#dispatch(
      as === "bytes"
        ? { type: "bytesCollected", attempt, bytes }
        : { type: "textCollected", attempt, text: new TextDecoder().decode(bytes) },
    );
  }

  #end(attempt: number, open: Open): void {
    if (open.position < open.answer.body.length) return this.#fail(attempt, open);
    this.#open.delete(attempt);
    this.#dispatch({ type: "responseEnded", attempt });
  }

  #fail(attempt: number, open: Open): void {
    if (this.#open.get(attempt) !== open) return;
    this.#open.delete(attempt);
    this.#dispatch({ type: "requestFailed", attempt, message: "the connection broke", isConnected: true });
  }
}
