/**
 * One broadcast domain: the nodes that hear each other, the gateway's way out, and who can be reached now. Carries no
 * packets itself.
 */

import type { IpNode } from "./ip-node.js";
import type { PolicyOf } from "./link-policy.js";

export interface Uplink {
  readonly latencyMs: number;
  hostAt(address: string): IpNode | undefined;
}

export class Segment {
  /** The first three parts of every address here, such as "192.168.1". */
  readonly prefix: string;
  readonly latencyMs: number;
  readonly nodes = new Map<string, IpNode>();
  /** The way to everything else; undefined where nothing is behind the gateway. */
  readonly uplink: Uplink | undefined;
  /** Faults of connections over this segment. */
  policyOf: PolicyOf | undefined;
  /** Addresses that DHCP has given, by MAC. */
  readonly #leases = new Map<string, string>();
  readonly #firstLease: number;

  constructor(options: {
    prefix: string;
    latencyMs?: number;
    firstLease?: number;
    uplink?: Uplink | undefined;
  }) {
    this.prefix = options.prefix;
    this.latencyMs = options.latencyMs ?? 2;
    this.uplink = options.uplink;
    this.#firstLease = options.firstLease ?? 100;
  }

  /** Whether the node's packets get in and out now; radios override it. */
  isReachable(_node: IpNode): boolean {
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
