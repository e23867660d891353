/**
 * The network around the devices: access points in range, hosts of the wider network and their names, and the devices
 * that are powered. One per world. Opens no real socket; bridges are in bridge.ts.
 */

import type { World } from "../world/world.js";
import { AccessPoint, type AccessPointOptions } from "./access-point.js";
import type { AirNetwork } from "./air.js";
import { EspNowAir } from "./espnow-air.js";
import { type HttpHandler, serveHttp } from "./http-host.js";
import { IpNode, type TcpListener } from "./ip-node.js";
import type { PolicyOf } from "./link-policy.js";
import { NetworkStack } from "./network-stack.js";
import { type Air, WifiRadio } from "./radio.js";
import type { TcpSocket } from "./tcp-socket.js";
import type { TlsIdentity } from "./tls-stream.js";

/** What lies behind a router is this much further away, one way. */
const UPLINK_LATENCY_MS = 8;

/** The network side of one boot of a device. */
export interface DeviceNetwork {
  readonly stack: NetworkStack;
  readonly radio: WifiRadio;
  /** Power has gone or the chip restarts: everything vanishes without a word. */
  vanish(): void;
}

export class VirtualNetwork {
  readonly world: World;
  readonly accessPoints: AccessPoint[] = [];
  /** In which the devices speak to each other without an access point. */
  readonly espNow: EspNowAir;
  #softNetworks = new Set<AirNetwork>();
  #hosts = new Map<string, IpNode>();
  #names = new Map<string, string>();
  #devices = new Map<string, DeviceNetwork>();

  constructor(options: { world: World }) {
    this.world = options.world;
    this.espNow = new EspNowAir(options.world);
  }

  /** Puts a router into range. */
  addAccessPoint(options: AccessPointOptions): AccessPoint {
    const accessPoint = new AccessPoint({
      ...options,
      world: this.world,
      index: this.accessPoints.length + 1,
      uplink: { latencyMs: UPLINK_LATENCY_MS, hostAt: (address) => this.#hosts.get(address) },
      resolve: (name) => this.resolve(name),
    });
    this.accessPoints.push(accessPoint);
    return accessPoint;
  }

  /**
   * Adds a host. With an address in a router's LAN it stands there, otherwise behind every router.
   * @param options.tcp what accepts connections, by port
   */
  addHost(
    name: string,
    address: string,
    options: { tcp?: Readonly<Record<number, (socket: TcpSocket) => void>> } = {},
  ): IpNode {
    const host = new IpNode({ world: this.world, name });
    this.#names.set(name.toLowerCase(), address);
    const lan = this.accessPoints.find(({ segment }) => address.startsWith(`${segment.prefix}.`));
    if (lan === undefined) this.#hosts.set(address, host);
    else host.addInterface(address, lan.segment);
    for (const [port, accept] of Object.entries(options.tcp ?? {})) host.listen(Number(port), accept);
    return host;
  }

  /** The address of a name, as routers' DNS servers answer it. */
  resolve(name: string): string | undefined {
    return this.#names.get(name.toLowerCase());
  }

  /** Gives a name another address, or takes it away. */
  setName(name: string, address: string | undefined): void {
    if (address === undefined) this.#names.delete(name.toLowerCase());
    else this.#names.set(name.toLowerCase(), address);
  }

  /** Answers HTTP on a host's port by a function, with `tls` HTTPS; `policyOf` decides about the faults of each connection. */
  serveHttp(
    host: IpNode,
    port: number,
    handler: HttpHandler,
    policyOf?: PolicyOf,
    tls?: TlsIdentity,
  ): TcpListener {
    return serveHttp({ world: this.world, host, port, handler, policyOf, tls });
  }

  /** Plugs in a device for one boot; the one before under the same name vanishes. */
  attach(device: { readonly name: string; readonly mac: Uint8Array }): DeviceNetwork {
    this.#devices.get(device.name)?.vanish();
    const stack = new NetworkStack({ world: this.world, name: device.name });
    const air: Air = {
      espNow: this.espNow,
      networks: () => this.networks(),
      appear: (network) => this.#softNetworks.add(network),
      disappear: (network) => this.#softNetworks.delete(network),
    };
    const radio = new WifiRadio({ world: this.world, air, stack, mac: device.mac });
    const vanish = (): void => {
      radio.vanish();
      stack.vanish();
      if (this.#devices.get(device.name) === attached) this.#devices.delete(device.name);
    };
    const attached = { stack, radio, vanish };
    this.#devices.set(device.name, attached);
    return attached;
  }

  /** The network side of a device that is powered. */
  deviceNamed(name: string): DeviceNetwork | undefined {
    return this.#devices.get(name);
  }

  /** Every Wi-Fi network in range, hidden and switched off ones too. */
  networks(): readonly AirNetwork[] {
    return [...this.accessPoints, ...this.#softNetworks];
  }
}
