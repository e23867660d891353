// Replaces ../discovery.ts in a build for Ethernet: the SDK's mDNS gets the device's address from its `net` module, which only knows
// Wi-Fi. Such a device is found by the name that its router gives it.

import type { Announced } from "../../core/effect.js";

export const IS_ANNOUNCED: boolean = false;

export class Discovery {
  announce(_hostName: string, _services: readonly Announced[]): void {}
  withdraw(): void {}
}
