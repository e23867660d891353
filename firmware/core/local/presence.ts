// Announces the device's host name and its two services by multicast DNS while it is online. Never resolves a name and never speaks mDNS
// itself. A build that cannot announce does nothing here.

import type { Announced, Effect } from "../effect.js";
import type { Stamped } from "../event.js";
import { PUSH_PORT } from "./push.js";

const WEB_PORT = 80;

export interface PresenceState {
  /** Such as `base-a1b2c3`, without `.local`. */
  readonly hostName: string;
  readonly services: readonly Announced[];
  readonly canAnnounce: boolean;
  readonly announced: boolean;
}

export const initialPresence: PresenceState = Object.freeze({
  hostName: "",
  services: Object.freeze([]),
  canAnnounce: true,
  announced: false,
});

type Step = readonly [PresenceState, readonly Effect[]];

export function presenceStep(state: PresenceState, event: Stamped): Step {
  switch (event.type) {
    case "booted": {
      const text = { version: event.image.version, type: event.identity.type };
      const services = [
        { serviceType: "_http._tcp", port: WEB_PORT, text },
        { serviceType: "_ota._tcp", port: PUSH_PORT, text },
      ];
      const hostName = event.identity.deviceId.toLowerCase();
      return [{ ...initialPresence, hostName, services, canAnnounce: event.isAnnounced !== false }, []];
    }
    case "online": {
      if (!state.canAnnounce) return [state, []];
      // joined elsewhere, or with another address: the old announcement is no longer valid
      const { hostName, services } = state;
      return [{ ...state, announced: true }, [{ type: "announce", hostName, services }]];
    }
    case "offline":
      return [{ ...state, announced: false }, state.announced ? [{ type: "withdraw" }] : []];
    default:
      return [state, []];
  }
}
