// A whole scene on a desk: a home with one Wi-Fi network, an update server behind it, one virtual device and a person with a
// phone. The same desk serves the tests (virtual time, the server called as a function) and `skyslot sim` (real time, a real
// server on loopback). Composition only: it decides nothing for the device.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type DeviceOptions, VirtualDevice } from "../device/device.js";
import type { DeviceEvent } from "../device/device-event.js";
import type { Engine } from "../engine/engine.js";
import type { Chip } from "../hardware/chips.js";
import type { Flash } from "../hardware/flash/flash.js";
import type { AccessPoint } from "../network/access-point.js";
import { bridgeToLoopback } from "../network/bridge.js";
import type { HttpHandler } from "../network/http-host.js";
import type { IpNode } from "../network/ip-node.js";
import type { PolicyOf } from "../network/link-policy.js";
import { VirtualNetwork } from "../network/virtual-network.js";
import { World } from "../world/world.js";
import { Person } from "./person.js";

/** The Wi-Fi network of the house. */
export const HOME = Object.freeze({ ssid: "Home + Garden", password: "corr&ct=horse%8#" });

/** The token that the person of the house chooses for a new device: changes in the house's network need it. */
export const OWNER_TOKEN = "garden-gate-open-7";

/** Where images for the desk look for their updates; this name leads to the desk's `server`. */
export const DESK_SERVER = "http://updates.skyslot.test:8080";

/** The update server: a function in this process, or a port on loopback. */
export type DeskServer = { readonly handler: HttpHandler } | { readonly loopbackPort: number };

export interface DeskOptions {
  readonly server: DeskServer;
  /** The image in the device's factory partition; absent: the flash is not changed. */
  readonly image?: Uint8Array | undefined;
  /** The file of its partition table, CSV; default: that of 8 MB. */
  readonly partitions?: string;
  readonly flash?: Flash;
  readonly chip?: Chip;
  readonly seed?: number;
  /** As of DeviceOptions, but true by default. */
  readonly strictFlash?: boolean;
  /** What runs the firmware; V8 by default. */
  readonly engine?: Engine;
  /** As of World. */
  readonly realTime?: boolean | number;
  /** Name and port that the image calls its server by; default: those of DESK_SERVER. */
  readonly serverUrl?: string;
  /** No person goes through the portal. */
  readonly manual?: boolean;
  readonly network?: { readonly ssid: string; readonly password: string };
  readonly policyOf?: PolicyOf;
  readonly onTrace?: (line: string) => void;
  readonly onEvent?: (event: DeviceEvent) => void;
  readonly onLight?: DeviceOptions["onLight"];
  readonly surroundings?: DeviceOptions["surroundings"];
}

const PARTITIONS = fileURLToPath(new URL("../../partitions/8mb.csv", import.meta.url));
const SERVER_ADDRESS = "203.0.113.10";

export class Desk {
  readonly world: World;
  readonly network: VirtualNetwork;
  readonly home: AccessPoint;
  readonly server: IpNode;
  readonly device: VirtualDevice;
  readonly person: Person;

  constructor(options: DeskOptions) {
    this.world = new World({ seed: options.seed ?? 1, realTime: options.realTime ?? false });
    this.network = new VirtualNetwork({ world: this.world });
    const wifi = options.network ?? HOME;
    this.home = this.network.addAccessPoint(wifi);
    const { hostname, port } = new URL(options.serverUrl ?? DESK_SERVER);
    this.server = this.network.addHost(hostname, SERVER_ADDRESS);
    this.#serve(options, Number(port || 80));
    this.device = new VirtualDevice({
      world: this.world,
      network: this.network,
      name: "device",
      chip: options.chip ?? "esp32",
      strictFlash: options.strictFlash ?? true,
      ...(options.flash ? { flash: options.flash } : {}),
      ...(options.engine ? { engine: options.engine } : {}),
      onTrace: lines(options.onTrace ?? (() => {})),
      ...(options.onEvent ? { onEvent: options.onEvent } : {}),
      onLight: options.onLight,
      ...(options.surroundings ? { surroundings: options.surroundings } : {}),
    });
    const table = options.partitions ?? PARTITIONS;
    if (options.image) this.device.flashFactory(readFileSync(table, "utf8"), options.image);
    this.person = new Person({ world: this.world, network: this.network, wifi, token: OWNER_TOKEN });
    if (!options.manual) this.person.watchForPortals();
  }

  #serve(options: DeskOptions, port: number): void {
    if ("handler" in options.server) {
      this.network.serveHttp(this.server, port, options.server.handler, options.policyOf);
      return;
    }
    const { loopbackPort } = options.server;
    bridgeToLoopback({
      world: this.world,
      host: this.server,
      port,
      realPort: loopbackPort,
      policyOf: options.policyOf,
    });
  }
}

/** Passes on whole lines of text that comes in pieces. */
function lines(take: (line: string) => void): (text: string) => void {
  let held = "";
  return (text) => {
    const parts = (held + text).split("\n");
    held = parts.pop() ?? "";
    for (const part of parts) take(part);
  };
}
