// Data between two devices that fit: one packet at a time, repeated until it is acknowledged or has been sent MAX_TRIES times, and read
// once however often it arrives. A newer one takes its place: these are readings and commands, of which the last one counts, not a stream.

import { ACK, DATA, type DataPacket, nextSequence, PROBE, writeDataPacket } from "./data-packet.js";
import { isCompatible } from "./peer-facts.js";
import { type PeerState, PROBE_COUNT } from "./peer-state.js";
import type { PeerEffect } from "./vocabulary.js";

export type PeerStep = readonly [PeerState, readonly PeerEffect[]];

/** How long the first acknowledgement is awaited; twice as long after each try. */
const ACK_MS = 150;
const MAX_TRIES = 5;
/** Of data that is remembered so that it is not read twice; more are not under way, because a sender waits for each. */
const REMEMBERED_COUNT = 8;

export const NOTHING: readonly PeerEffect[] = Object.freeze([]);

/** Of frames whose `frameSent` nobody waits for. */
const FRAME = 0;

export const send = (to: string, bytes: Uint8Array): PeerEffect => ({
  type: "sendFrame",
  frame: FRAME,
  to,
  bytes,
});

const settled = (isDelivered: boolean): PeerEffect => ({
  type: "raise",
  event: { type: "peerDataSettled", isDelivered },
});

/** The app has data for the peer. */
export function submitData(state: PeerState, payload: Uint8Array): PeerStep {
  const [free, dropped] = dropData(state);
  if (!isCompatible(state)) return [free, [...dropped, settled(false)]];
  const outgoing = { sequence: state.sequence, payload, tryCount: 0 };
  const [next, effects] = trySending({ ...free, sequence: nextSequence(state.sequence), outgoing });
  return [next, [...dropped, ...effects]];
}

/** What is still on its way is given up. */
export const dropData = (state: PeerState): PeerStep =>
  state.outgoing
    ? [{ ...state, outgoing: undefined }, [{ type: "clearTimer", timer: "peer.ack" }, settled(false)]]
    : [state, NOTHING];

/** Sends what is not acknowledged, or gives it up. */
export function trySending(state: PeerState): PeerStep {
  const { outgoing, own, mac } = state;
  if (!outgoing || !own) return [state, NOTHING];
  if (outgoing.tryCount >= MAX_TRIES || !isCompatible(state)) return dropData(state);
  const { sequence, payload, tryCount } = outgoing;
  const { protocolVersion } = own;
  return [
    { ...state, outgoing: { ...outgoing, tryCount: tryCount + 1 } },
    [
      send(mac, writeDataPacket({ type: DATA, protocolVersion, sequence, payload })),
      { type: "setTimer", timer: "peer.ack", delayMs: ACK_MS * 2 ** tryCount },
    ],
  ];
}

/** Asks for an acknowledgement, to see how good the link is. */
export function probe(state: PeerState): PeerStep {
  const { sequence, mac } = state;
  const count = Math.min(state.probes.count + 1, PROBE_COUNT);
  const answers = (state.probes.answers << 1) & ((1 << PROBE_COUNT) - 1);
  return [
    { ...state, sequence: nextSequence(sequence), probes: { count, answers, waitingFor: sequence } },
    [send(mac, writeDataPacket({ type: PROBE, sequence }))],
  ];
}

export function acknowledged(
  state: PeerState,
  { acknowledges, sequence }: Extract<DataPacket, { readonly type: typeof ACK }>,
): PeerStep {
  const { probes, outgoing } = state;
  if (acknowledges === PROBE) {
    if (probes.waitingFor !== sequence) return [state, NOTHING];
    return [{ ...state, probes: { ...probes, answers: probes.answers | 1, waitingFor: undefined } }, NOTHING];
  }
  if (outgoing?.sequence !== sequence) return [state, NOTHING];
  return [{ ...state, outgoing: undefined }, [{ type: "clearTimer", timer: "peer.ack" }, settled(true)]];
}

/** Data of a peer that is compatible: acknowledged each time, because the acknowledgement before may have been lost. */
export function readData(
  state: PeerState,
  { sequence, payload }: Extract<DataPacket, { readonly type: typeof DATA }>,
  rssi: number,
): PeerStep {
  const acknowledgement = acknowledge(state, DATA, sequence, rssi);
  if (state.received.includes(sequence)) return [state, [acknowledgement]];
  const received = [sequence, ...state.received.slice(0, REMEMBERED_COUNT - 1)];
  return [
    { ...state, received },
    [acknowledgement, { type: "raise", event: { type: "peerDataReceived", payload, rssi } }],
  ];
}

export const acknowledge = (
  { mac }: PeerState,
  acknowledges: typeof DATA | typeof PROBE,
  sequence: number,
  rssi: number,
): PeerEffect => send(mac, writeDataPacket({ type: ACK, acknowledges, sequence, rssi }));
