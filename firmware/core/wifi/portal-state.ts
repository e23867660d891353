// The state of the captive portal: the device, the scan, the networks found, and the result of joining. No behaviour.

import type { Effect } from "../effect.js";
import type { JoinFailure, Network, Raise } from "../event.js";

export interface PortalInfo {
  /** For people, such as `Kitchen light`. */
  readonly deviceName: string;
  readonly type: string;
  readonly version: string;
  /** Also the mDNS host name, where that is announced; absent: it is. */
  readonly deviceId: string;
  readonly isAnnounced?: boolean;
  /** The name that it was given by multicast DNS; absent or empty: none yet. */
  readonly claimedName?: string;
  /** HTML of `GET /`. Handed in, because core imports core only. */
  readonly page: string;
}

export interface JoinReport {
  readonly phase: "idle" | "joining" | "joined" | "failed";
  /** Counts submissions, so that a page whose response was lost knows whether its own arrived. */
  readonly attempt: number;
  /** Empty: nothing was submitted, or a saved network was joined. */
  readonly ssid: string;
  readonly reason?: JoinFailure;
  readonly message?: string;
  readonly address?: string;
  /** Such as `base-a1b2c3.local`, where it is announced. */
  readonly hostName?: string;
}

export interface PortalState {
  readonly info: PortalInfo;
  readonly open: boolean;
  readonly scan: "idle" | "waiting" | "running";
  readonly scanAttempt: number;
  /** One entry for each SSID, strongest first, at most 20. */
  readonly networks: readonly Network[];
  readonly join: JoinReport;
}

export type PortalStep = readonly [PortalState, readonly (Effect | Raise)[]];

/** The device's mDNS name, or the one that it will probably get. */
export const hostName = ({ info }: PortalState): string =>
  `${info.claimedName || info.deviceId.toLowerCase()}.local`;
