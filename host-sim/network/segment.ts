/**
 * One broadcast domain: the nodes that hear each other, the gateway's uplink, and which nodes can be reached now. Carries no
 * packets itself.
 */

import type { PolicyOf, Swallowing } from "./link-policy.js";

export interface Uplink<Node> {
  readonly latencyMs: number;
  hostAt(address: string): Node | undefined;
}

/** @typeParam Node what is attached to it: an IP stack */
export class Segment<Node> {
  /** The first three parts of every address here, such as "192.168.1". */
  prefix: string;
  readonly latencyMs: number;
  readonly nodes = new Map<string, Node>();
  /** The way to everything else; undefined where nothing is behind the gateway. */
  readonly uplink: Uplink<Node> | undefined;
  /** Faults of connections over this segment. */
  policyOf: PolicyOf | undefined;
  /** What is lost between the stations and everything else, and whom that concerns. */
  swallowing: Swallowing | undefined;
  readonly stations = new Set<Node>();
  #passedBytes = 0;
  /** Addresses that DHCP has given, by MAC. */
  readonly #leases = new Map<string, string>();
  #firstLease: number;

  constructor(options: {
    prefix: string;
    latencyMs?: number;
    firstLease?: number;
    uplink?: Uplink<Node> | undefined;
  }) {
    this.prefix = options.prefix;
    this.latencyMs = options.latencyMs ?? 2;
    this.uplink = options.uplink;
    this.#firstLease = options.firstLease ?? 100;
  }

  /** Whether the node's packets get in and out now; radios override it. */
  isReachable(_node: Node): boolean {
    return true;
  }

  /** Whether a packet gets through. One that has to be heard by two stations crosses the air twice. */
  passes(from: Node, to: Node, packet: { readonly byteCount: number; readonly isDns?: boolean }): boolean {
    const { swallowing } = this;
    if (swallowing === undefined) {
      this.#passedBytes = 0;
      return true;
    }
    this.#passedBytes += packet.byteCount;
    if (packet.isDns && swallowing.exceptDns) return true;
    if (this.#passedBytes <= (swallowing.afterBytes ?? 0)) return true;
    const { direction } = swallowing;
    const isLostUp = direction !== "down" && this.stations.has(from);
    const isLostDown = direction !== "up" && this.stations.has(to);
    return !isLostUp && !isLostDown;
  }

  /** Takes an address away from a MAC: it gets another one. */
  withdraw(mac: string): void {
    const host = Number(this.#leases.get(mac)?.split(".").at(-1) ?? 0);
    this.#leases.delete(mac);
    this.#firstLease = Math.max(this.#firstLease, host + 1);
  }

  /** The address of a MAC: the one it had before, or the next free one. */
  lease(mac: string): string {
    const known = this.#leases.get(mac);
    if (known !== undefined) return known;
    let host = this.#firstLease;
    const taken = new Set([...this.nodes.keys(), ...this.#leases.values()]);
    while (taken.has(`${this.prefix}.${host}`)) host += 1;
    const address = `${this.prefix}.${host}`;
    this.#leases.set(mac, address);
    return address;
  }
}
