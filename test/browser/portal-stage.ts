// A new device among many Wi-Fi networks, and a phone in its setup network with a real browser. The
// device's time runs faster than real time, the page's timers do not.

import { Desk, type DeskOptions } from "../../host-sim/desk/desk.js";
import { exposeOnLoopback } from "../../host-sim/network/bridge.js";
import type { World } from "../../host-sim/world/world.js";
import { imageOf } from "../journey/rig.js";
import type { Hosts } from "./browser.js";

/** Android's connectivity probe: the portal answers it with its own page. */
export const PROBE = "http://connectivitycheck.gstatic.com/generate_204";
const NEIGHBOURS = [
  { ssid: "Werkstatt", password: "corr&ct=horse%8#", rssi: -49, channel: 1 },
  { ssid: "Café Zürich", rssi: -61, channel: 11 },
  { ssid: "FRITZ!Box 7590 JK", password: "9042 1187 3350", rssi: -68, channel: 1 },
  { ssid: "Müller & Söhne", password: "s3cr3t s3cr3t", rssi: -72, channel: 13 },
  { ssid: "WLAN-483920", password: "unbekannt", rssi: -84, channel: 3 },
  { ssid: "Behind the wall", password: "not known", rssi: -60, hidden: true },
] as const;

/** A hostile network name: anyone nearby can put one into the list. */
export const HOSTILE_SSID = "<img src=x onerror=alert(1)>";

export interface PortalStage {
  readonly desk: Desk;
  readonly hosts: Hosts;
  /** The device's own pages, in whichever network it is. */
  readonly url: string;
  /** The last frame of each strip, by pin. */
  readonly strips: ReadonlyMap<number, Uint8Array>;
  /** Networks that the page should list. */
  readonly visibleSsids: readonly string[];
  /** The device's log. */
  readonly trace: string[];
  /** The device's address in the home network, once it has joined. */
  homeAddress(): string | undefined;
  close(): void;
}

/** Powers the device on and waits until a phone has joined its setup network. */
export async function openPortalStage(options: {
  readonly speed: number;
  /** `base` by default. */
  readonly app?: string;
  /** Of additional networks, all equally far away. */
  readonly moreSsids?: readonly string[];
}): Promise<PortalStage> {
  const trace: string[] = [];
  const strips = new Map<number, Uint8Array>();
  const app = options.app ?? "base";
  const deskOptions: DeskOptions = {
    image: await imageOf(app, "1.0.0", "esp32", { type: app }),
    server: { handler: async () => ({ status: 503, headers: {}, body: new Uint8Array() }) },
    manual: true,
    realTime: options.speed,
    onTrace: (line) => trace.push(line),
    onLight: (light) => {
      if (light.type === "strip") strips.set(light.pin, light.pixels);
    },
  };
  const desk = new Desk(deskOptions);
  for (const neighbour of NEIGHBOURS) desk.network.addAccessPoint(neighbour);
  for (const ssid of options.moreSsids ?? [])
    desk.network.addAccessPoint({ ssid, password: "not given", rssi: -73 });
  const { network, device } = desk;
  const exposed = await exposeOnLoopback({ network, device, devicePort: 80 });
  device.powerOn();
  const pace = keepGoing(desk.world);
  await attachPhone(desk);
  return {
    desk,
    url: `http://localhost:${exposed.port}`,
    strips,
    hosts: { "192.168.4.1": exposed.port, [new URL(PROBE).hostname]: exposed.port },
    visibleSsids: [
      desk.home,
      ...desk.network.accessPoints.filter(({ hidden, ssid }) => !hidden && ssid !== desk.home.ssid),
    ].map(({ ssid }) => ssid),
    trace,
    homeAddress: () =>
      network
        .deviceNamed(device.name)
        ?.stack.interfaces.map(({ address }) => address)
        .find((address) => address.startsWith(`${desk.home.segment.prefix}.`)),
    close() {
      pace.stop();
      exposed.close();
      device.powerOff();
    },
  };
}

const SLICE_MS = 200;

/** Runs a world in slices, each from where the last one ended: when this computer is busy, the world's time waits. */
export function keepGoing(world: World): { stop(): void } {
  let isOver = false;
  const run = async () => {
    while (!isOver) await world.runUntil(() => isOver, { limitMs: SLICE_MS });
  };
  void run();
  return {
    stop() {
      isOver = true;
      world.stop();
    },
  };
}

const LOOK_EVERY_MS = 500;

/** The phone that shows the page: while it is connected the portal stays open long enough to be read. */
function attachPhone({ world, person: { phone } }: Desk): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const portal = phone.visibleSsids().find((ssid) => ssid.startsWith("Skyslot "));
      if (portal === undefined) world.schedule(LOOK_EVERY_MS, look);
      else phone.join(portal).then(resolve, reject);
    };
    look();
  });
}
