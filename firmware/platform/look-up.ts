// Finds the address of a host by its name, through the name servers of the network, or a public one where it names none.

import Resolver from "embedded:network/dns/resolver/udp";
import Net from "net";
import { DnsSocket } from "./dns-socket.js";

export class LookUp {
  #resolver: Resolver | undefined;
  #isOver = false;

  /** One of the two is called, once, unless it is closed before; at once where there is no network. */
  constructor(host: string, onFound: (address: string) => void, onFailed: () => void) {
    const end = (then: () => void) => {
      if (this.#isOver) return;
      this.#isOver = true;
      then(); // the resolver is still at work, and is closed with this
    };
    try {
      this.#resolver = new Resolver({ servers: dnsServers(), socket: { io: DnsSocket } });
      this.#resolver.resolve({
        host,
        onResolved: (_host, address) => end(() => onFound(address)),
        onError: () => end(onFailed),
      });
    } catch {
      end(onFailed);
    }
  }

  close(): void {
    this.#isOver = true;
    const resolver = this.#resolver;
    this.#resolver = undefined;
    try {
      resolver?.close();
    } catch {
      // it was closed already
    }
  }
}

function dnsServers(): string[] {
  const given = Net.get("DNS") as unknown;
  return Array.isArray(given) && given.length > 0 ? given : ["1.1.1.1"];
}
