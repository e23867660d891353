/** `net` of the SDK: what `Net.get` returns about the interfaces, and `Net.resolve` by lwIP's own resolver. */

import type { Machine } from "../../machine/machine.js";
import { formatMac } from "../../network/address.js";
import { addressQuery, decodeDns, firstAddress } from "../../network/dns-packet.js";
import { SOFT_AP_ADDRESS } from "../../network/soft-access-point.js";
import type { Callback, Native } from "../native.js";

/** lwIP asks four times before it gives up. */
const TRY_COUNT_MAX = 4;
const REPEAT_MS = 1000;

export function createNet(machine: Machine, native: Native): { Net: object } {
  const { radio, network } = machine;

  /** The interface that is meant: by name, else the only one of the mode; with both modes there is none. */
  function interfaceMeant(name: string | undefined): "station" | "ap" | undefined {
    const [hasStation, hasAccessPoint] = [(radio.mode & 1) !== 0, (radio.mode & 2) !== 0];
    if (name === "station") return hasStation ? "station" : undefined;
    if (name === "ap") return hasAccessPoint ? "ap" : undefined;
    if (hasStation === hasAccessPoint) return undefined;
    return hasStation ? "station" : "ap";
  }

  function addressOf(meant: "station" | "ap" | undefined): string | undefined {
    if (meant === "ap") return radio.accessPoint && SOFT_AP_ADDRESS;
    return meant && radio.stationAddress;
  }

  function macOf(meant: "station" | "ap" | undefined): string | undefined {
    if (meant === undefined) return undefined;
    const mac = radio.mac.slice();
    if (meant === "ap") mac[5] = ((mac[5] ?? 0) + 1) & 0xff;
    return formatMac(mac).toUpperCase();
  }

  const Net = native.object({
    get(property: string, name?: string): unknown {
      switch (native.text(property)) {
        case "IP":
          return addressOf(interfaceMeant(name));
        case "MAC":
          return macOf(interfaceMeant(name));
        case "SSID":
          return radio.joined?.ssid;
        case "BSSID":
          return radio.joined && formatMac(radio.joined.bssid).toUpperCase();
        case "RSSI":
          return radio.joined?.rssi;
        case "CHANNEL":
          return radio.isStarted ? radio.channel : undefined;
        case "DNS":
          return native.array(network.dnsServers);
        default:
          return undefined;
      }
    },

    resolve(host: string, callback: Callback): void {
      const done = (address: string | undefined): void => {
        machine.after(0, () => callback.call(undefined, host, address));
      };
      const server = network.dnsServers[0];
      if (host === "localhost") done("127.0.0.1");
      else if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) done(host);
      else if (server === undefined) done(undefined);
      else query(server, host, done);
    },
  });

  function query(server: string, host: string, done: (address: string | undefined) => void): void {
    const id = Math.floor(machine.random() * 65536);
    const socket = network.bindUdp(0, ({ bytes }) => {
      const message = decodeDns(bytes);
      if (message?.id === id) finish(firstAddress(message));
    });
    let isDone = false;
    const finish = (address: string | undefined): void => {
      if (isDone) return;
      isDone = true;
      socket?.close();
      done(address);
    };
    const ask = (tryCount: number): void => {
      if (isDone) return;
      if (tryCount === TRY_COUNT_MAX) {
        finish(undefined);
        return;
      }
      socket?.send(addressQuery(id, host), server, 53);
      machine.after(REPEAT_MS, () => ask(tryCount + 1));
    };
    ask(0);
  }

  return { Net };
}
