// The device's name and services in the house, through `embedded:network/dnssd`. If another has the name already, a number is put
// behind it.

import DNSSD from "embedded:network/dnssd";
import type { Announced } from "../core/effect.js";
import { DnsSocket } from "./dns-socket.js";

/** The device can be found by its name. */
export const IS_ANNOUNCED: boolean = true;

/** Names that are tried: the device id, and with `-2` and `-3`. */
const MAX_NAMES = 3;

export function createDiscovery() {
  let dnssd: DNSSD | undefined;

  const withdraw = () => {
    dnssd?.close();
    dnssd = undefined;
  };
  const claim = (responder: DNSSD, hostName: string, services: readonly Announced[], number: number) => {
    const host = number === 1 ? hostName : `${hostName}-${number}`;
    responder.claim({
      host,
      onReady() {
        for (const { serviceType, port, text } of services) {
          responder.advertise({ serviceType, host, name: host, port, txt: new Map(Object.entries(text)) });
        }
      },
      onError() {
        if (responder === dnssd && number < MAX_NAMES) claim(responder, hostName, services, number + 1);
      },
    });
  };

  return {
    withdraw,
    announce(hostName: string, services: readonly Announced[]) {
      withdraw();
      dnssd = new DNSSD({ socket: { io: DnsSocket } });
      claim(dnssd, hostName, services, 1);
    },
  };
}
