// One device of a pair looks for the other, and keeps track of it: what it runs, whether the two may exchange data, how good the link is.
// It starts no radio and chooses no channel: what composes the device does. No update depends on what it finds: a peer that is not
// compatible is heard, and can be updated, as well as any other.
//
//              ── a version packet of the peer ─►             ── both fit ─►
//     silent                                         heard                       compatible: its data is read and acknowledged
//              ◄── 30 s without a frame of it ──              ◄── they do not ──
//
// Who the peer is: the first device of the awaited type that is heard. Its address is kept in NVS until the owner has it forgotten; others
// are ignored, but for the warning that one is there. Nobody proves in the air who he is, and anyone in range can forge a frame, so nothing
// that one says does more than this. Firmware is believed by its signature only.

import type { Booted, Stamped } from "../event.js";
import { BROADCAST } from "../radio/vocabulary.js";
import { parseVersion, versionNumber } from "../update/version.js";
import { ACK, type DataPacket, PROBE, readDataPacket } from "./data-packet.js";
import {
  acknowledge,
  acknowledged,
  dropData,
  NOTHING,
  type PeerStep,
  probe,
  readData,
  send,
  submitData,
  trySending,
} from "./peer-data.js";
import { isCompatible, isNews, isOther, peerFactsOf } from "./peer-facts.js";
import { initialPeer, type PairSettings, type PeerState } from "./peer-state.js";
import {
  ANNOUNCE,
  type FirmwareVersion,
  REQUEST,
  RESPONSE,
  readVersionPacket,
  type VersionPacket,
  type VersionPacketType,
  writeVersionPacket,
} from "./version-packet.js";
import type { PeerEffect, PeerInput } from "./vocabulary.js";

/** NVS key of the peer's address, and how long its value is. */
export const PEER_KEY = "peer";
export const MAX_PEER_LENGTH = 17;

export const ANNOUNCE_MS = 10_000;
/** Three announcements. */
export const PEER_LOST_MS = 30_000;
/** Who asks more often, or sends data that is not believed, is not answered each time. */
const ANSWER_GAP_MS = 1_000;

/** What the device becomes, and what it does; news of the peer is raised as `peerFacts`. */
export function peerStep(state: PeerState, event: Stamped<PeerInput>, settings: PairSettings): PeerStep {
  const [next, effects] = changed(state, event, settings);
  if (next === state) return [state, effects];
  const facts = peerFactsOf(next, settings);
  const isRegular = event.type === "timerFired" && event.timer === "peer.announce";
  const isTold = isRegular ? isOther(next.facts, facts) : isNews(next.facts, facts);
  return isTold ? [{ ...next, facts }, [...effects, { type: "raise", event: facts }]] : [next, effects];
}

function changed(state: PeerState, event: Stamped<PeerInput>, settings: PairSettings): PeerStep {
  if (event.type === "booted") return begin(event, settings);
  if (!state.own) return [state, NOTHING];
  switch (event.type) {
    case "frameReceived":
      return received(state, event, settings);
    case "timerFired":
      return due(state, event);
    case "peerDataSubmitted":
      return submitData(state, event.payload);
    case "peerForgotten":
      return forget(state);
    default:
      return [state, NOTHING];
  }
}

function begin({ identity, image, stored, random }: Stamped<Booted>, settings: PairSettings): PeerStep {
  const version = parseVersion(image.version);
  const own: FirmwareVersion = {
    firmwareVersion: version ? versionNumber(version) : 0,
    protocolVersion: settings.protocolVersion,
    minCompatible: settings.minCompatible,
    deviceType: identity.type,
    buildDate: image.compileDate ?? "",
    buildTime: image.compileTime ?? "",
  };
  const mac = stored[PEER_KEY] ?? "";
  const sequence = Math.floor(random * 0x10000);
  const next = { ...initialPeer, own, mac: isAddress(mac) ? mac : "", sequence };
  return [
    next,
    [
      ...tell(next, REQUEST, BROADCAST),
      // two that got their power together do not speak at the same time for ever
      { type: "setTimer", timer: "peer.announce", delayMs: Math.round(random * ANNOUNCE_MS) },
      { type: "setTimer", timer: "peer.lost", delayMs: PEER_LOST_MS },
    ],
  ];
}

function due(
  state: PeerState,
  { timer, at }: Extract<Stamped<PeerInput>, { readonly type: "timerFired" }>,
): PeerStep {
  switch (timer) {
    case "peer.announce": {
      const [next, effects] = state.isConnected ? probe(state) : ([state, NOTHING] as const);
      // a state of its own, so that what has changed a little is told now
      return [
        { ...next },
        [
          ...tell(state, ANNOUNCE, BROADCAST),
          ...effects,
          { type: "setTimer", timer: "peer.announce", delayMs: ANNOUNCE_MS },
        ],
      ];
    }
    case "peer.lost": {
      const leftMs = state.heardAtMs + PEER_LOST_MS - at;
      if (state.isConnected && leftMs > 0)
        return [state, [{ type: "setTimer", timer: "peer.lost", delayMs: leftMs }]];
      return [{ ...state, isConnected: false, isMissed: true }, tell(state, REQUEST, BROADCAST)];
    }
    case "peer.ack":
      return trySending(state);
    default:
      return [state, NOTHING];
  }
}

type Frame = Extract<Stamped<PeerInput>, { readonly type: "frameReceived" }>;

function received(state: PeerState, frame: Frame, settings: PairSettings): PeerStep {
  const version = readVersionPacket(frame.bytes);
  if (version) {
    if (version.deviceType !== settings.peerType) return [state, NOTHING];
    return state.mac === "" || state.mac === frame.from
      ? versionHeard(state, frame, version)
      : rivalHeard(state, frame);
  }
  const packet = frame.from === state.mac ? readDataPacket(frame.bytes) : undefined;
  return packet ? packetHeard(heard(state, frame), frame, packet) : [state, NOTHING];
}

const heard = (state: PeerState, { at, rssi }: Frame): PeerState => ({ ...state, heardAtMs: at, rssi });

function versionHeard(state: PeerState, frame: Frame, packet: VersionPacket): PeerStep {
  const { type, ...version } = packet;
  const known = { ...heard(state, frame), mac: frame.from, version, rivalMac: "" };
  const next = { ...known, isConnected: true, isMissed: false };
  const effects: PeerEffect[] = [];
  if (state.mac === "") effects.push({ type: "store", key: PEER_KEY, value: frame.from });
  if (!state.isConnected) effects.push({ type: "setTimer", timer: "peer.lost", delayMs: PEER_LOST_MS });
  // one that was not heard before may not have heard this device either
  const isAnswered = type === REQUEST || !state.isConnected;
  if (!isAnswered || frame.at - state.answeredAtMs < ANSWER_GAP_MS) return [next, effects];
  return [{ ...next, answeredAtMs: frame.at }, [...effects, ...tell(next, RESPONSE, next.mac)]];
}

/** A device that was given in exchange for the peer is not taken for it by itself: it may be the neighbour's. */
const rivalHeard = (state: PeerState, { from }: Frame): PeerStep =>
  state.isMissed && state.rivalMac === "" ? [{ ...state, rivalMac: from }, NOTHING] : [state, NOTHING];

function packetHeard(state: PeerState, frame: Frame, packet: DataPacket): PeerStep {
  switch (packet.type) {
    case PROBE:
      return [state, [acknowledge(state, PROBE, packet.sequence, frame.rssi)]];
    case ACK:
      return acknowledged(state, packet);
    default:
      return isCompatible(state) && packet.protocolVersion === state.own?.protocolVersion
        ? readData(state, packet, frame.rssi)
        : ignored(state, frame);
  }
}

/** Data of a peer whose version is not known, or does not fit. It may have been updated a moment ago: it is asked. */
function ignored(state: PeerState, { at }: Frame): PeerStep {
  const next = { ...state, ignoredDataCount: state.ignoredDataCount + 1 };
  if (at - state.askedAtMs < ANSWER_GAP_MS) return [next, NOTHING];
  return [{ ...next, askedAtMs: at }, tell(state, REQUEST, state.mac)];
}

function forget(state: PeerState): PeerStep {
  const [{ own, sequence, ignoredDataCount, facts }, dropped] = dropData(state);
  const next = { ...initialPeer, own, sequence, ignoredDataCount, facts };
  return [
    next,
    [
      { type: "forget", key: PEER_KEY },
      { type: "setTimer", timer: "peer.lost", delayMs: PEER_LOST_MS },
      ...dropped,
      ...tell(next, REQUEST, BROADCAST),
    ],
  ];
}

const tell = ({ own }: PeerState, type: VersionPacketType, to: string): readonly PeerEffect[] =>
  own ? [send(to, writeVersionPacket({ ...own, type }))] : NOTHING;

const isAddress = (text: string): boolean => /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(text);
