// The UDP socket of what in the SDK speaks DNS (its resolver, its multicast DNS): a datagram that its parser cannot bear is replaced by
// one that says nothing.

import UDP, { type Packet } from "embedded:io/socket/udp";
import { isSoundDns } from "../core/wifi/dns-check.js";

/** A header: no question, no answer. */
const EMPTY_BYTES = 12;

export class DnsSocket extends UDP {
  override read(): Packet | undefined {
    const packet = super.read();
    if (packet && isSoundDns(new Uint8Array(packet))) return packet;
    return Object.assign(new ArrayBuffer(EMPTY_BYTES), { address: "0.0.0.0", port: 0 });
  }
}
