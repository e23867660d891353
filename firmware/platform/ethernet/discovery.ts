// Takes the place of ../discovery.ts in a build for a cable: the SDK's mDNS asks its `net` module for the device's address, which
// knows Wi-Fi only. Such a device is found by the name that its router knows it by.

import type { Announced } from "../../core/effect.js";

export const IS_ANNOUNCED: boolean = false;

export class Discovery {
  announce(_hostName: string, _services: readonly Announced[]): void {}
  withdraw(): void {}
}
