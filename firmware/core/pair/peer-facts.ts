// Facts about a device's peer, for its page, its light and the decisions about updates. Derived, nothing is kept.

import type { PeerFacts } from "../event.js";
import { areCompatible, incompatibility } from "./compatibility.js";
import type { PairSettings, PeerState, Probes } from "./peer-state.js";

/** The two may exchange data now. */
export const isCompatible = ({ own, version, isConnected }: PeerState): boolean =>
  isConnected && own !== undefined && version !== undefined && areCompatible(own, version);

export function peerFactsOf(state: PeerState, settings: PairSettings): PeerFacts {
  const { mac, version, isConnected, rssi, ignoredDataCount } = state;
  const warning = warningOf(state, settings);
  const linkPercent = linkPercentOf(state.probes);
  return {
    type: "peerFacts",
    deviceType: settings.peerType,
    mac,
    version: version ? versionText(version.firmwareVersion) : "",
    number: version?.firmwareVersion ?? 0,
    protocol: version?.protocolVersion ?? 0,
    minCompatible: version?.minCompatible ?? 0,
    buildDate: version?.buildDate ?? "",
    buildTime: version?.buildTime ?? "",
    isConnected,
    isCompatible: isCompatible(state),
    ...(warning === undefined ? {} : { warning }),
    rssi,
    ...(linkPercent === undefined ? {} : { linkPercent }),
    ignoredDataCount,
  };
}

/** Whether something has changed that cannot wait until the next announcement. */
export const isNews = (before: PeerFacts | undefined, now: PeerFacts): boolean =>
  before === undefined ||
  before.mac !== now.mac ||
  before.number !== now.number ||
  before.protocol !== now.protocol ||
  before.minCompatible !== now.minCompatible ||
  before.isConnected !== now.isConnected ||
  before.isCompatible !== now.isCompatible ||
  before.warning !== now.warning;

/** Whether anything has changed at all. */
export const isOther = (before: PeerFacts | undefined, now: PeerFacts): boolean =>
  isNews(before, now) ||
  before?.rssi !== now.rssi ||
  before.linkPercent !== now.linkPercent ||
  before.ignoredDataCount !== now.ignoredDataCount;

function warningOf(state: PeerState, { peerType }: PairSettings): string | undefined {
  const { own, version, isConnected, isMissed, mac, rivalMac } = state;
  if (isConnected && own && version) {
    const reason = incompatibility(own, version);
    return reason && `The ${peerType} ${versionText(version.firmwareVersion)} is not compatible: ${reason}.`;
  }
  if (!isMissed) return undefined;
  if (mac === "") return `No ${peerType} has been heard yet.`;
  const rival = rivalMac === "" ? "" : ` Another one is in range, ${rivalMac}: to use it, forget this one.`;
  return `The ${peerType} ${mac} has not been heard for 30 s.${rival}`;
}

/** As `2.1.3`: what MAJOR * 10 000 + MINOR * 100 + PATCH was made from. */
const versionText = (number: number): string =>
  `${Math.floor(number / 10_000)}.${Math.floor(number / 100) % 100}.${number % 100}`;

/** Of those before the last one, which may still be answered. */
function linkPercentOf({ count, answers, waitingFor }: Probes): number | undefined {
  const isOpen = waitingFor !== undefined;
  const settledCount = isOpen ? count - 1 : count;
  if (settledCount < 1) return undefined;
  let answeredCount = 0;
  for (let bits = isOpen ? answers >> 1 : answers; bits > 0; bits >>= 1) answeredCount += bits & 1;
  return Math.round((answeredCount * 100) / settledCount);
}
