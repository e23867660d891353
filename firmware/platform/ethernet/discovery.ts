// Replaces ../discovery.ts in a build for Ethernet: the SDK's mDNS gets the device's address from its `net` module, which only knows
// Wi-Fi. Such a device is found by the name that its router gives it.

import type { Announced } from "../../core/effect.js";
import type { Dispatch } from "../runner.js";

export const IS_ANNOUNCED: boolean = false;

export class Discovery {
  // biome-ignore lint/complexity/noUselessConstructor: start.ts gives it what the other one needs
  constructor(_dispatch: Dispatch) {}

  announce(_hostName: string, _services: readonly Announced[]): void {}
  withdraw(): void {}
}
