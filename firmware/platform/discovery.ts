// The device's name and services in the local network, through `embedded:network/dnssd`. Claims the one name that it is given.

import type { Packet } from "embedded:io/socket/udp";
import DNSSD from "embedded:network/dnssd";
import Net from "net";
import { bytesEqual } from "../core/bytes.js";
import type { Announced } from "../core/effect.js";
import { DnsSocket } from "./dns-socket.js";
import type { Dispatch } from "./runner.js";

/** The device can be found by its name. */
export const IS_ANNOUNCED: boolean = true;

export class Discovery {
  readonly #dispatch: Dispatch;
  #responder: DNSSD | undefined;

  constructor(dispatch: Dispatch) {
    this.#dispatch = dispatch;
  }

  announce(hostName: string, services: readonly Announced[]): void {
    this.withdraw();
    try {
      const responder = new DNSSD({ socket: { io: MulticastSocket } });
      this.#responder = responder;
      responder.claim({
        host: hostName,
        onReady: () => {
          if (responder !== this.#responder) return;
          for (const { serviceType, port, text } of services)
            responder.advertise({
              serviceType,
              host: hostName,
              name: hostName,
              port,
              txt: new Map(Object.entries(text)),
            });
          this.#dispatch({ type: "nameClaimed", hostName });
        },
        onError: () => {
          if (responder === this.#responder) this.#dispatch({ type: "nameRefused", hostName });
        },
      });
    } catch {
      this.#dispatch({ type: "nameRefused", hostName }); // no socket, or no memory: later
    }
  }

  withdraw(): void {
    const responder = this.#responder;
    this.#responder = undefined;
    responder?.close();
  }
}

/**
 * Nothing of these reaches the SDK: any packet while it has no address of its own, which it compares with a rival's, and throws where nothing
 * catches it; and its own packets, which some routers repeat, and in which it would see another device of its name.
 */
class MulticastSocket extends DnsSocket {
  #sent: Uint8Array | undefined;

  override read(): Packet | undefined {
    const packet = super.read();
    const isOwn = packet && this.#sent && bytesEqual(new Uint8Array(packet), this.#sent);
    return isOwn || Net.get("IP") === undefined ? DnsSocket.empty() : packet;
  }

  override write(buffer: ByteBuffer, address: string, port: number): void {
    if (buffer instanceof ArrayBuffer) this.#sent = new Uint8Array(buffer);
    super.write(buffer, address, port);
  }
}
