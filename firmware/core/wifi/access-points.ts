// Which access points of a network are tried after its name failed, as a search of the air found them. ESP-IDF joins the strongest of a name,
// and that one may be broken, full, or somebody else's. Only those whose security is that of the saved network count: a network that was
// saved with a password is never joined openly, because anyone can open one of its name (an evil twin). Pure.

import type { AccessPoint, JoinFailure, Network } from "../event.js";
import type { SavedNetwork } from "../settings/preferences.js";

/** Of one round: each may take 45 s. */
const MAX_OTHER_COUNT = 4;

/** What a search says of a network. */
export interface Found {
  /** Could be joined, the strongest first. */
  readonly fitting: readonly Network[];
  /** With the same name and other security. */
  readonly others: readonly Network[];
}

export function findNetwork({ ssid, password }: SavedNetwork, heard: readonly Network[]): Found {
  const named = heard.filter((network) => network.ssid === ssid).sort((a, b) => b.rssi - a.rssi);
  const fits = ({ secured }: Network) => secured === (password !== "");
  return { fitting: named.filter(fits), others: named.filter((network) => !fits(network)) };
}

/**
 * What is tried next. The strongest was tried by its name: once more at the end, because the strength varies and it may have been another,
 * but not after a wrong password, which takes long to find out. In a network of many each round begins where the last one ended.
 * @param round counted from 0
 */
export function othersToTry(
  { fitting, others }: Found,
  reason: JoinFailure,
  round: number,
): readonly AccessPoint[] {
  const [first, ...rest] = fitting;
  if (!first) return [];
  const wasTried = !others.some(({ rssi }) => rssi > first.rssi);
  const again = rest.length > 0 && reason !== "wrong-password" ? [first] : [];
  const points = wasTried ? [...rest, ...again] : fitting;
  const start = (round * MAX_OTHER_COUNT) % Math.max(1, points.length);
  return [...points.slice(start), ...points.slice(0, start)]
    .slice(0, MAX_OTHER_COUNT)
    .map(({ bssid, channel }) => ({ bssid, channel }));
}

/** Why a network failed whose name led nowhere, now that it is known what is in range. */
export function reasonFrom({ fitting, others }: Found): JoinFailure {
  if (fitting.length > 0) return "refused";
  const [other] = others;
  if (!other) return "not-found";
  return other.secured ? "needs-password" : "open";
}
