/**
 * The IP stack of one boot of a device, with lwIP's limits under the Moddable SDK's settings. Dies with the boot.
 */

import type { World } from "../world/world.js";
import { IpNode } from "./ip-node.js";

/** TCP_SND_BUF of the SDK's sdkconfig, and what skyslot-tcp.c leaves of the window of a connection that is accepted: four segments. */
const DEVICE_BUFFER_BYTES = 5744;
/** TCP_WND of our sdkconfig. */
const DEVICE_WINDOW_BYTES = 16_384;
const RETRANSMIT_MS = 1500;
/** CONFIG_LWIP_MAX_ACTIVE_TCP and CONFIG_LWIP_MAX_UDP_PCBS. */
const CONNECTION_COUNT_MAX = 16;
const UDP_COUNT_MAX = 16;

export class NetworkStack extends IpNode {
  /** DNS servers, as DHCP has given them. */
  dnsServers: readonly string[] = [];
  /** CONFIG_LWIP_LOCAL_HOSTNAME, until firmware sets another. */
  override hostName = "espressif";
  #startedInterfaceCount = 0;

  constructor(options: { world: World; name: string }) {
    super({
      world: options.world,
      name: options.name,
      windowBytes: DEVICE_WINDOW_BYTES,
      acceptedWindowBytes: DEVICE_BUFFER_BYTES,
      sendBytes: DEVICE_BUFFER_BYTES,
      retransmitMs: RETRANSMIT_MS,
      connectionCountMax: CONNECTION_COUNT_MAX,
      udpCountMax: UDP_COUNT_MAX,
    });
  }

  /** Whether there is a default interface: without one the SDK's sockets throw "no network". */
  get hasInterface(): boolean {
    return this.#startedInterfaceCount > 0;
  }

  /** An interface has been started, with or without a link: 127.0.0.1 works from now on. */
  interfaceStarted(): void {
    this.#startedInterfaceCount += 1;
  }

  interfaceStopped(): void {
    this.#startedInterfaceCount -= 1;
  }
}
