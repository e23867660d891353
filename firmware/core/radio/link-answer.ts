// The answer of an exchange, handed to core as an answer of HTTP is (platform/http-client.ts): its head first, then its body, as it is asked
// for: collected whole, or read in pieces. Pure.
//
//   head ─► responseStarted ─┬─ collectResponse ─► bytesCollected, textCollected, or requestFailed
//                            └─ otherwise ─► responseReadable ─ readResponse ─► responseData … ─► responseEnded

import { utf8Decode } from "../bytes.js";
import type { Effect } from "../effect.js";
import type { Event } from "../event.js";
import type { ExchangeAnswer } from "./exchange-message.js";

export interface OpenAnswer {
  readonly attempt: number;
  readonly answer: ExchangeAnswer;
  readonly phase: "new" | "started" | "announced" | "collecting" | "reading";
  /** Bytes of the body that were read. */
  readonly position: number;
  readonly maxBytes: number;
  readonly as: "bytes" | "text";
}

export const openAnswer = (attempt: number, answer: ExchangeAnswer): OpenAnswer => ({
  attempt,
  answer,
  phase: "new",
  position: 0,
  maxBytes: 0,
  as: "bytes",
});

export const askAnswer = (
  open: OpenAnswer,
  effect: Extract<Effect, { readonly type: "readResponse" | "collectResponse" }>,
): OpenAnswer =>
  effect.type === "readResponse"
    ? { ...open, phase: "reading", maxBytes: effect.maxBytes }
    : { ...open, phase: "collecting", maxBytes: effect.maxBytes, as: effect.as };

/** What core hears next of it, and what is left of it; no event: it waits to be asked. `undefined` instead of the answer: it is over. */
export function nextOfAnswer(open: OpenAnswer): readonly [OpenAnswer | undefined, Event | undefined] {
  const { attempt, answer, phase, position } = open;
  const left = answer.body.length - position;
  switch (phase) {
    case "new": {
      const { status, headers } = answer;
      return [
        { ...open, phase: "started" },
        { type: "responseStarted", attempt, status, headers },
      ];
    }
    case "started":
      return left === 0
        ? [undefined, { type: "responseEnded", attempt }]
        : [
            { ...open, phase: "announced" },
            { type: "responseReadable", attempt, count: left },
          ];
    case "announced":
      return [open, undefined];
    case "reading": {
      const bytes = answer.body.slice(position, position + open.maxBytes);
      const next: OpenAnswer = { ...open, phase: "started", position: position + bytes.length };
      return [next, { type: "responseData", attempt, bytes }];
    }
    case "collecting":
      return [undefined, collected(open)];
  }
}

function collected({ attempt, answer: { body }, maxBytes, as }: OpenAnswer): Event {
  if (as === "bytes") return { type: "bytesCollected", attempt, bytes: body.slice(0, maxBytes) };
  if (body.length > maxBytes) return failed(attempt, `the answer is longer than ${maxBytes} bytes`);
  const text = utf8Decode(body);
  return text === undefined
    ? failed(attempt, "the answer is no UTF-8 text")
    : { type: "textCollected", attempt, text };
}

const failed = (attempt: number, message: string): Event => ({
  type: "requestFailed",
  attempt,
  message,
  isConnected: true,
});
