// What a build of `node` is configured with besides what every build is: "config" in manifest-app.json.

import type { DhtKind } from "./core/dht.js";
import type { Role } from "./core/role.js";

export interface NodeConfig {
  /** What the node is; images for its role are for it. */
  readonly role: Role;
  /**
   * `radio`: updates come from a gateway of ours by ESP-NOW, without a network. `mesh`: from any painlessMesh gateway, in the network that the
   * node is set up for. Default: radio.
   */
  readonly link?: "radio" | "mesh";
  /** By radio: the name that its gateway has, too. */
  readonly group?: string;
  /** In a painlessMesh: IPv4 of the gateway; absent: the gateway connects to the node. */
  readonly meshGateway?: string;
  /** Of the button or motion sensor, for the roles that have one. */
  readonly inputPin?: number;
  /** What the role led switches. */
  readonly lightPin?: number;
  readonly dhtPin?: number;
  readonly dhtKind?: DhtKind;
  /** Between two readings of the DHT, 3 or more; default: 60. */
  readonly sampleSeconds?: number;
  readonly statusLed?: { readonly pin: number; readonly activeLow: boolean };
}
