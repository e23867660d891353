// A signal by ESP-NOW: broadcast three times, because nobody acknowledges it, and taken once. Heard by nodes on the same channel, which those of
// one gateway are once they have found it.
//
//   0x40 signal   u8 type │ u8 version, 1 │ u32 group │ u16 number, one more for each signal │ text, ASCII        little-endian

import { latin1 } from "../../../core/bytes.js";
import { BROADCAST, type RadioEffect } from "../../../core/radio/vocabulary.js";
import { MAX_SIGNAL_LENGTH, readSignal, type Signal, writeSignal } from "./signal.js";
import type { RoleEffect } from "./vocabulary.js";

export interface SignalState {
  /** Of the signal that is being said, or was said last: u16. */
  readonly number: number;
  readonly frame: Uint8Array | undefined;
  /** Times that it is still to be sent. */
  readonly left: number;
  /** Who was heard with which number; at most MAX_SPEAKERS, the latest last. */
  readonly heard: readonly Heard[];
}

interface Heard {
  readonly from: string;
  readonly number: number;
}

type SignalEffect = Extract<RadioEffect, { readonly type: "sendFrame" }> | RoleEffect;

export const initialSignals: SignalState = Object.freeze({
  number: 0,
  frame: undefined,
  left: 0,
  heard: Object.freeze([]),
});

/** Numbers of our frames for `frameSent`: no machine of the radio has these. */
export const SIGNAL_FRAME = 0x7ffffff0;
const SIGNAL = 0x40;
const VERSION = 1;
const HEAD_BYTES = 8;
const TIMES = 3;
/** Between two of them: longer than one is in the air, and never the same for two nodes that speak at once. */
const AGAIN_MS = 40;
const MAX_SPEAKERS = 8;

/** @param random of the event: after a start the numbers begin elsewhere */
export function sayByRadio(
  state: SignalState,
  signal: Signal,
  { group, random }: { readonly group: number; readonly random: number },
): readonly [SignalState, readonly SignalEffect[]] {
  const number = state.frame ? (state.number + 1) & 0xffff : Math.floor(random * 0x10000);
  return sendAgain({ ...state, number, frame: frameOf(group, number, signal), left: TIMES }, random);
}

/** The timer role.signal has fired, or it is said for the first time. */
export function sendAgain(
  state: SignalState,
  random: number,
): readonly [SignalState, readonly SignalEffect[]] {
  const { frame, left } = state;
  if (!frame || left === 0) return [state, []];
  const send: SignalEffect = { type: "sendFrame", frame: SIGNAL_FRAME, to: BROADCAST, bytes: frame };
  const delayMs = Math.floor(AGAIN_MS * (1 + random));
  const next = { ...state, left: left - 1 };
  return [next, left === 1 ? [send] : [send, { type: "setTimer", timer: "role.signal", delayMs }]];
}

/** What is heard for the first time. */
export function hearByRadio(
  state: SignalState,
  { from, bytes }: { readonly from: string; readonly bytes: Uint8Array },
  group: number,
): readonly [SignalState, Signal | undefined] {
  if (!isSignal(bytes) || bytes.length > HEAD_BYTES + MAX_SIGNAL_LENGTH) return [state, undefined];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes[1] !== VERSION || view.getUint32(2, true) !== group) return [state, undefined];
  const number = view.getUint16(6, true);
  const before = state.heard.find((other) => other.from === from);
  if (before?.number === number) return [state, undefined];
  const others = state.heard.filter((other) => other !== before).slice(1 - MAX_SPEAKERS);
  return [{ ...state, heard: [...others, { from, number }] }, readSignal(latin1(bytes.subarray(HEAD_BYTES)))];
}

export const isSignal = (bytes: Uint8Array): boolean => bytes[0] === SIGNAL && bytes.length > HEAD_BYTES;

function frameOf(group: number, number: number, signal: Signal): Uint8Array {
  const text = writeSignal(signal);
  const bytes = new Uint8Array(HEAD_BYTES + text.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = SIGNAL;
  bytes[1] = VERSION;
  view.setUint32(2, group, true);
  view.setUint16(6, number, true);
  for (let at = 0; at < text.length; at++) bytes[HEAD_BYTES + at] = text.charCodeAt(at);
  return bytes;
}
