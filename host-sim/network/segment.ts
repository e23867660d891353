/**
 * One broadcast domain: the nodes that hear each other, the gateway's uplink, and which nodes can be reached now. Carries no
 * packets itself.
 */

import type { PolicyOf } from "./link-policy.js";

export interface Uplink<Node> {
  readonly latencyMs: number;
  hostAt(address: string): Node | undefined;
}

/** @typeParam Node what is attached to it: an IP stack */
export class Segment<Node> {
  /** The first three parts of every address here, such as "192.168.1". */
  readonly prefix: string;
  readonly latencyMs: number;
  readonly nodes = new Map<string, Node>();
  /** The way to everything else; undefined where nothing is behind the gateway. */
  readonly uplink: Uplink<Node> | undefined;
  /** Faults of connections over this segment. */
  policyOf: PolicyOf | undefined;
  /** Addresses that DHCP has given, by MAC. */
  readonly #leases = new Map<string, string>();
  readonly #firstLease: number;

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
