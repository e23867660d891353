// The UDP socket of the SDK's DNS code (resolver and multicast DNS): a datagram that its parser cannot handle is replaced by an empty one. So
// is one that came together with the answer: the resolver closes its socket at the answer, and reads on in the same turn.

import UDP, { type Packet } from "embedded:io/socket/udp";
import { isSoundDns } from "../core/wifi/dns-check.js";

/** A header: no question, no answer. */
const EMPTY_BYTES = 12;

export class DnsSocket extends UDP {
  override read(): Packet | undefined {
    const packet = this.#readOpen();
    if (packet && isSoundDns(new Uint8Array(packet))) return packet;
    return DnsSocket.empty();
  }

  static empty(): Packet {
    return Object.assign(new ArrayBuffer(EMPTY_BYTES), { address: "0.0.0.0", port: 0 });
  }

  /** Nothing if the socket is closed. */
  #readOpen(): Packet | undefined {
    try {
      return super.read();
    } catch {
      return undefined;
    }
  }
}
