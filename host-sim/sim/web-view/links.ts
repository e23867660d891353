// Which virtual devices speak to each other, and how well: counted from the frames in the air and from the connections that are open. A device
// without a network hangs on the one in the network with which it exchanges most. Never says anything itself.

import { MESH_PORT } from "../../../firmware/core/mesh/vocabulary.js";
import type { Desk } from "../../desk/desk.js";
import type { VirtualDevice } from "../../device/device.js";
import { BROADCAST } from "../../network/espnow-air.js";

/** What the update server is called in a link. */
const SERVER = "server";

export interface SceneLink {
  /** SERVER, or the name of a device: the one that is nearer to the server. */
  readonly from: string;
  readonly to: string;
  readonly medium: "wifi" | "espnow" | "tcp";
  /** Whether there is a way now. */
  readonly isUp: boolean;
  /** Open connections; by ESP-NOW: frames a second, both ways, tries and what was broadcast for it counted. */
  readonly traffic: number;
  /** Share of the frames that were missed, 0 to 1. */
  readonly missed: number;
}

interface Count {
  frames: number;
  missed: number;
  /** Frames to one alone: who belongs together sends them. Older ones count less. */
  own: number;
}

/** What was said at one look is worth half as much 35 looks later. */
const FADING = 0.98;
/** Frames to all say little about who belongs to whom. */
const OWN_WEIGHT = 1000;
/** By ESP-NOW: nothing was heard for so long. Nodes ask once in two minutes at the latest. */
const SILENCE_MS = 180_000;

export class LinkMeter {
  readonly #desk: Desk;
  readonly #names: ReadonlyMap<string, string>;
  readonly #counts = new Map<string, Count>();
  readonly #heardAtMs = new Map<string, number>();
  /** Devices that have been in the house's network: the others hang on these. */
  readonly #settled = new Set<string>();
  #lookedAtMs = 0;

  constructor(desk: Desk) {
    this.#desk = desk;
    this.#names = new Map(desk.devices.map(({ mac, name }) => [macText(mac), name]));
    desk.network.espNow.listeners.add((frame, to, isHeard) => {
      const [sender, receiver] = [this.#names.get(frame.from), this.#names.get(to)];
      if (sender === undefined || receiver === undefined) return;
      const count = this.#countOf(sender, receiver);
      count.frames += 1;
      if (!isHeard) count.missed += 1;
      else this.#heardAtMs.set(pairOf(sender, receiver), desk.world.nowMs);
      if (frame.to !== BROADCAST) count.own += 1;
    });
  }

  /** All links, with what went over them since the last look. */
  take(): readonly SceneLink[] {
    const { devices, world } = this.#desk;
    const seconds = Math.max(0.001, (world.nowMs - this.#lookedAtMs) / 1000);
    this.#lookedAtMs = world.nowMs;
    for (const device of devices) if (this.#addressOf(device)) this.#settled.add(device.name);
    const links = devices.flatMap((device) =>
      this.#settled.has(device.name) ? this.#overIp(device) : this.#overAir(device, seconds),
    );
    for (const count of this.#counts.values()) {
      count.frames = 0;
      count.missed = 0;
      count.own *= FADING;
    }
    return links;
  }

  /** To the update server; or to another device in the same painlessMesh, of which one leads. */
  #overIp(device: VirtualDevice): readonly SceneLink[] {
    const isUp = this.#addressOf(device) !== undefined;
    const connections = this.#stackOf(device)?.connections ?? [];
    const leader = this.#meshNeighbours(device).find((other) => this.#leads(other, device));
    if (leader) return [{ from: leader.name, to: device.name, medium: "tcp", isUp, traffic: 1, missed: 0 }];
    const server = this.#desk.serverAddress;
    const traffic = connections.filter(({ remoteAddress }) => remoteAddress === server).length;
    return [{ from: SERVER, to: device.name, medium: "wifi", isUp, traffic, missed: 0 }];
  }

  #overAir(device: VirtualDevice, seconds: number): readonly SceneLink[] {
    let best: { readonly name: string; readonly count: Count } | undefined;
    for (const name of this.#settled) {
      const count = this.#counts.get(pairOf(name, device.name));
      if (count && worth(count) > (best ? worth(best.count) : 0)) best = { name, count };
    }
    const heardAtMs = best && this.#heardAtMs.get(pairOf(best.name, device.name));
    if (!best || heardAtMs === undefined) return [];
    const { frames, missed } = best.count;
    return [
      {
        from: best.name,
        to: device.name,
        medium: "espnow",
        isUp: device.isPowered && this.#desk.world.nowMs - heardAtMs < SILENCE_MS,
        traffic: Math.round((10 * frames) / seconds) / 10,
        missed: frames === 0 ? 0 : Math.round((100 * missed) / frames) / 100,
      },
    ];
  }

  #meshNeighbours(device: VirtualDevice): readonly VirtualDevice[] {
    const found = new Set<VirtualDevice>();
    for (const { localPort, remotePort, remoteAddress } of this.#stackOf(device)?.connections ?? []) {
      if (localPort !== MESH_PORT && remotePort !== MESH_PORT) continue;
      const other = this.#desk.devices.find((one) => this.#addressOf(one) === remoteAddress);
      if (other && other !== device) found.add(other);
    }
    return [...found];
  }

  /** Who has more neighbours; of two the one that stands first on the desk. */
  #leads(other: VirtualDevice, device: VirtualDevice): boolean {
    const more = this.#meshNeighbours(other).length - this.#meshNeighbours(device).length;
    const { devices } = this.#desk;
    return more > 0 || (more === 0 && devices.indexOf(other) < devices.indexOf(device));
  }

  #stackOf(device: VirtualDevice) {
    return this.#desk.network.deviceNamed(device.name)?.stack;
  }

  /** In the network of the house; in one of its own it is not in any for the others. */
  #addressOf(device: VirtualDevice): string | undefined {
    const { segment } = this.#desk.home;
    return this.#stackOf(device)?.interfaces.find((one) => one.segment === segment)?.address;
  }

  #countOf(one: string, other: string): Count {
    const pair = pairOf(one, other);
    const known = this.#counts.get(pair) ?? { frames: 0, missed: 0, own: 0 };
    this.#counts.set(pair, known);
    return known;
  }
}

const worth = ({ own, frames }: Count): number => own * OWN_WEIGHT + frames;

const pairOf = (one: string, other: string): string => (one < other ? `${one} ${other}` : `${other} ${one}`);

const macText = (mac: Uint8Array): string =>
  Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join(":");
