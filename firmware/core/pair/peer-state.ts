// What a device of a pair keeps of the other one. No behaviour.

import type { PeerFacts } from "../event.js";
import type { FirmwareVersion } from "./version-packet.js";

/** Of the build: who the two are. */
export interface PairSettings {
  /** Of the other device, such as `transmitter`. */
  readonly peerType: string;
  /** Of what the two say to each other, 0 to 255. */
  readonly protocolVersion: number;
  /** The oldest version of the other device that this firmware works with, as a number. */
  readonly minCompatible: number;
}

/** How long the answers to probes are remembered. */
export const PROBE_COUNT = 16;

export interface Probes {
  /** Those that were sent, at most PROBE_COUNT. */
  readonly count: number;
  /** A bit for each, the last one lowest: it was answered. */
  readonly answers: number;
  /** Of the last one, until it is answered. */
  readonly waitingFor: number | undefined;
}

/** Data that the other device has not acknowledged. */
export interface Outgoing {
  readonly sequence: number;
  readonly payload: Uint8Array;
  readonly tryCount: number;
}

export interface PeerState {
  /** `undefined` before the boot. */
  readonly own: FirmwareVersion | undefined;
  /** The peer's address; empty: the first one that is heard will be it. */
  readonly mac: string;
  /** Of the last version packet. */
  readonly version: FirmwareVersion | undefined;
  readonly isConnected: boolean;
  /** It was not heard for PEER_LOST_MS, since the boot or after it had been. */
  readonly isMissed: boolean;
  /** When a frame of it was received last, ms since the boot, and how well. */
  readonly heardAtMs: number;
  readonly rssi: number;
  /** Another device of its type that was heard while it was missed; empty: none. */
  readonly rivalMac: string;
  /** When it was last sent our version, or asked for its own: no sooner again than after ANSWER_GAP_MS. */
  readonly answeredAtMs: number;
  readonly askedAtMs: number;
  /** Of the next data or probe. */
  readonly sequence: number;
  readonly probes: Probes;
  readonly outgoing: Outgoing | undefined;
  /** Sequence numbers of the last data that was read, so that it is not read twice. */
  readonly received: readonly number[];
  readonly ignoredDataCount: number;
  /** As they were told last. */
  readonly facts: PeerFacts | undefined;
}

const LONG_AGO = -1_000_000;

export const initialPeer: PeerState = Object.freeze({
  own: undefined,
  mac: "",
  version: undefined,
  isConnected: false,
  isMissed: false,
  heardAtMs: 0,
  rssi: 0,
  rivalMac: "",
  answeredAtMs: LONG_AGO,
  askedAtMs: LONG_AGO,
  sequence: 0,
  probes: Object.freeze({ count: 0, answers: 0, waitingFor: undefined }),
  outgoing: undefined,
  received: Object.freeze([]),
  ignoredDataCount: 0,
  facts: undefined,
});
