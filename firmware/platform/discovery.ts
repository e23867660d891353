// The device's name and services in the local network, through `embedded:network/dnssd`. If the name is taken, a number is appended.

import DNSSD from "embedded:network/dnssd";
import type { Announced } from "../core/effect.js";
import { DnsSocket } from "./dns-socket.js";

/** The device can be found by its name. */
export const IS_ANNOUNCED: boolean = true;

/** Names that are tried: the device id, and with `-2` and `-3`. */
const MAX_NAMES = 3;

export class Discovery {
  #responder: DNSSD | undefined;

  announce(hostName: string, services: readonly Announced[]): void {
    this.withdraw();
    this.#responder = new DNSSD({ socket: { io: DnsSocket } });
    this.#claim(this.#responder, hostName, services, 1);
  }

  withdraw(): void {
    this.#responder?.close();
    this.#responder = undefined;
  }

  #claim(responder: DNSSD, hostName: string, services: readonly Announced[], number: number): void {
    const host = number === 1 ? hostName : `${hostName}-${number}`;
    responder.claim({
      host,
      onReady() {
        for (const { serviceType, port, text } of services) {
          responder.advertise({ serviceType, host, name: host, port, txt: new Map(Object.entries(text)) });
        }
      },
      onError: () => {
        if (responder === this.#responder && number < MAX_NAMES)
          this.#claim(responder, hostName, services, number + 1);
      },
    });
  }
}
