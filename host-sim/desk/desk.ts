// A whole scene on a desk: a home with one Wi-Fi network, an update server behind it, virtual devices and a person with a
// phone. The same desk serves the tests (virtual time, the server called as a function) and `skyslot sim` (real time, a real
// server on loopback). Composition only: it decides nothing for the device.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type DeviceOptions, VirtualDevice } from "../device/device.js";
import type { DeviceEvent } from "../device/device-event.js";
import type { Engine } from "../engine/engine.js";
import type { Chip } from "../hardware/chips.js";
import type { Flash } from "../hardware/flash/flash.js";
import type { Light, Sense } from "../hardware/gpio.js";
import type { AccessPoint } from "../network/access-point.js";
import { bridgeToLoopback } from "../network/bridge.js";
import type { HttpHandler } from "../network/http-host.js";
import type { IpNode } from "../network/ip-node.js";
import type { PolicyOf } from "../network/link-policy.js";
import type { TlsIdentity } from "../network/tls-stream.js";
import { VirtualNetwork } from "../network/virtual-network.js";
import { World } from "../world/world.js";
import { nameDevice } from "./name-device.js";
import { Person } from "./person.js";

/** The Wi-Fi network of the house. */
export const HOME = Object.freeze({ ssid: "Home + Garden", password: "corr&ct=horse%8#" });

/** The token that the person of the house chooses for a new device: changes in the house's network need it. */
export const OWNER_TOKEN = "garden-gate-open-7";

/** Where images for the desk look for their updates; this name leads to the desk's `server`. */
export const DESK_SERVER = "http://updates.skyslot.test:8080";

/** The update server: a function in this process, or a port on loopback. */
export type DeskServer =
  | { readonly handler: HttpHandler; readonly tls?: TlsIdentity }
  | { readonly loopbackPort: number };

/** One device on the desk. */
export interface DeskDevice {
  /** No two are the same; its MAC address follows from it. */
  readonly name: string;
  /** The image in its factory partition; absent: the flash is not changed. */
  readonly image?: Uint8Array | undefined;
  /** The file of its partition table, CSV; default: that of 8 MB. */
  readonly partitions?: string | undefined;
  readonly flash?: Flash | undefined;
  /** As of DeviceOptions. */
  readonly efuseBlocks?: Uint8Array | undefined;
  readonly chip?: Chip | undefined;
  /** What runs the firmware; V8 by default. */
  readonly engine?: Engine | undefined;
  /** The id that its owner gave it; absent: the one made from its MAC address. */
  readonly id?: string | undefined;
}

export interface DeskOptions extends Omit<DeskDevice, "name" | "id"> {
  readonly server: DeskServer;
  /** Instead of the one device that the other options describe. */
  readonly devices?: readonly DeskDevice[];
  readonly seed?: number;
  /** As of DeviceOptions, but true by default. */
  readonly strictFlash?: boolean;
  /** As of World. */
  readonly realTime?: boolean | number;
  /** Name and port that the image calls its server by; default: those of DESK_SERVER. */
  readonly serverUrl?: string;
  /** No person goes through the portal. */
  readonly manual?: boolean;
  /** What the person gives a new device. */
  readonly authority?: string | undefined;
  readonly network?: { readonly ssid: string; readonly password: string };
  readonly policyOf?: PolicyOf;
  readonly onTrace?: (line: string, device: string) => void;
  readonly onEvent?: (event: DeviceEvent, device: string) => void;
  readonly onLight?: (light: Light, device: string) => void;
  readonly onSense?: (sense: Sense, device: string) => void;
  readonly surroundings?: DeviceOptions["surroundings"];
}

const PARTITIONS = fileURLToPath(new URL("../../partitions/8mb.csv", import.meta.url));
const SERVER_ADDRESS = "203.0.113.10";

export class Desk {
  readonly world: World;
  readonly network: VirtualNetwork;
  readonly home: AccessPoint;
  readonly server: IpNode;
  /** Of the update server. */
  readonly serverAddress = SERVER_ADDRESS;
  readonly devices: readonly VirtualDevice[];
  readonly person: Person;

  constructor(options: DeskOptions) {
    this.world = new World({ seed: options.seed ?? 1, realTime: options.realTime ?? false });
    this.network = new VirtualNetwork({ world: this.world });
    const wifi = options.network ?? HOME;
    this.home = this.network.addAccessPoint(wifi);
    const { hostname, port, protocol } = new URL(options.serverUrl ?? DESK_SERVER);
    this.server = this.network.addHost(hostname, SERVER_ADDRESS);
    this.#serve(options, Number(port || (protocol === "https:" ? 443 : 80)));
    const { devices = [{ name: "device", ...options }] } = options;
    this.devices = devices.map((one) => this.#place(one, options));
    const { authority } = options;
    this.person = new Person({
      world: this.world,
      network: this.network,
      wifi,
      token: OWNER_TOKEN,
      ...(authority === undefined ? {} : { authority }),
    });
    if (!options.manual) this.person.watchForPortals();
  }

  /** The first device, which is the only one unless more were asked for. */
  get device(): VirtualDevice {
    const [first] = this.devices;
    if (!first) throw new RangeError("there is no device on the desk");
    return first;
  }

  #place(one: DeskDevice, options: DeskOptions): VirtualDevice {
    const { name, flash, efuseBlocks, engine, id, image } = one;
    const { onTrace, onEvent, onLight, onSense, surroundings } = options;
    const device = new VirtualDevice({
      world: this.world,
      network: this.network,
      name,
      chip: one.chip ?? "esp32",
      strictFlash: options.strictFlash ?? true,
      ...(flash ? { flash } : {}),
      ...(efuseBlocks ? { efuseBlocks } : {}),
      ...(engine ? { engine } : {}),
      onTrace: lines((line) => onTrace?.(line, name)),
      ...(onEvent ? { onEvent: (event: DeviceEvent) => onEvent(event, name) } : {}),
      onLight: onLight && ((light) => onLight(light, name)),
      onSense: onSense && ((sense) => onSense(sense, name)),
      ...(surroundings ? { surroundings } : {}),
    });
    if (image) device.flashFactory(readFileSync(one.partitions ?? PARTITIONS, "utf8"), image);
    if (id !== undefined) nameDevice(device, id);
    return device;
  }

  #serve(options: DeskOptions, port: number): void {
    if ("handler" in options.server) {
      const { handler, tls } = options.server;
      this.network.serveHttp(this.server, port, handler, options.policyOf, tls);
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
