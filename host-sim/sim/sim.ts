// `skyslot sim`: virtual devices in real time at the desk, talking to a real update server on loopback. With --manual their portals are
// pages for the user's own browser. Also what `npm start` runs: that only adds a server and a summary.

import { Desk, type DeskOptions } from "../desk/desk.js";
import type { VirtualDevice } from "../device/device.js";
import { describeEvent, heldBytes, Watch } from "../device/watch.js";
import { startTlsThread } from "../network/tls-engine.js";
import { announcedImage } from "./announced.js";
import { type DoorOptions, type Doors, openDoors } from "./doors.js";
import { showLights } from "./drawing.js";
import type { Terminal } from "./terminal.js";
import { carryOut } from "./web-view/control.js";
import { factsOf } from "./web-view/facts.js";
import { SceneReader } from "./web-view/scene-reader.js";
import type { TargetImage } from "./web-view/update-state.js";
import { openView, type View } from "./web-view/view.js";

export interface SimOptions
  extends Pick<
      DeskOptions,
      "image" | "flash" | "chip" | "devices" | "seed" | "serverUrl" | "network" | "manual"
    >,
    DoorOptions {
  /** Loopback port of the update server. */
  readonly loopbackPort: number;
  /** Times as fast as the clock on the wall. */
  readonly speed?: number;
  readonly terminal: Terminal;
  /** Loopback port for the page that shows the devices; 0 or absent: a free one. */
  readonly viewPort?: number;
  /** Folder for pictures of what the devices' lights show. */
  readonly show?: string | undefined;
}

/** One device of the simulator, and how it is reached from this computer. */
export interface SimDevice extends Omit<Doors, "close"> {
  readonly device: VirtualDevice;
  readonly watch: Watch;
}

export interface Sim {
  /** At least one. */
  readonly devices: readonly SimDevice[];
  /** A page that shows their lights and panels live. */
  readonly viewUrl: string;
  /** Seconds on the world's clock since power on. */
  readonly seconds: () => number;
  /** Runs until `done` or stop. */
  run(done: () => boolean): Promise<boolean>;
  stop(): void;
}

/** About the rate at which an ESP32 receives and writes to flash. */
const LINK = Object.freeze({ bytesPerSecond: 40 * 1024 });
const YEAR_MS = 365 * 24 * 3600 * 1000;

/** Where programs of this computer appear in the home's network. */
const GUEST = Object.freeze({ name: "this-computer.home", lastPart: 250 });

export async function startSim(options: SimOptions): Promise<Sim> {
  const { terminal } = options;
  const keepPicture = options.show === undefined ? undefined : showLights(options.show);
  let view: View | undefined;
  const isOne = (options.devices ?? []).length < 2;
  const labelOf = (name: string) => (isOne ? "device" : name);
  const announced = new Map<string, TargetImage>();
  const desk = new Desk({
    ...options,
    server: { loopbackPort: options.loopbackPort },
    realTime: options.speed ?? true,
    strictFlash: false, // the user's own app may write twice on purpose
    policyOf: () => LINK,
    onTrace: (line, name) => {
      const image = announcedImage(line);
      if (image) announced.set(name, image);
      sayTrace(terminal, labelOf(name), line);
    },
    onEvent: (event, name) => {
      const text = describeEvent(event);
      if (text) terminal.note(isOne ? text : `${name}: ${text}`);
    },
    onSense: (sense, name) => view?.sense(name, sense),
    onLight: (light, name) => {
      keepPicture?.(light, isOne ? "" : name);
      view?.show(name, light);
    },
  });
  const guest = desk.network.addHost(GUEST.name, `${desk.home.segment.prefix}.${GUEST.lastPart}`);
  const opened: Doors[] = [];
  const closeDoors = () => {
    for (const doors of opened) doors.close();
  };
  const devices: SimDevice[] = [];
  try {
    for (const [index, device] of desk.devices.entries()) {
      const doors = await openDoors(desk, guest, device, index, options);
      opened.push(doors);
      const watch = new Watch(device, (label, record) => {
        const image = announced.get(device.name);
        const what = isOne ? `writing ${label}` : `${device.name}: writing ${label}`;
        if (image) terminal.progress(what, heldBytes(record), image.bytes);
      });
      devices.push({ device, watch, ...doors });
    }
    const scene = isOne ? undefined : new SceneReader(desk, devices, (_, name) => announced.get(name ?? ""));
    view = await openView({
      facts: () => devices.map(sceneFacts),
      scene: scene && (() => scene.take()),
      act: (action) => carryOut(desk, action),
      port: options.viewPort ?? 0,
    });
  } catch (error) {
    closeDoors();
    throw error;
  }
  const { url: viewUrl } = view;
  if (options.serverUrl?.startsWith("https:")) startTlsThread();
  for (const { device } of devices) device.powerOn();
  return {
    devices,
    viewUrl,
    seconds: () => Math.round(desk.world.nowMs / 100) / 10,
    run: (done) => desk.world.runUntil(done, { limitMs: YEAR_MS }),
    stop() {
      desk.world.stop();
      closeDoors();
      view?.close();
    },
  };
}

const sceneFacts = ({ device, portalUrl }: SimDevice) => ({
  ...factsOf(device),
  name: device.name,
  pages: `${portalUrl}/`,
});

/** The firmware's log lines begin with their level. */
function sayTrace(terminal: Terminal, who: string, line: string): void {
  const [, level, text] = /^(info|warn|error): (.*)$/.exec(line) ?? [];
  if (level === "info") terminal.note(`${who}: ${text}`);
  else terminal.warn(`${who}: ${text ?? line}`);
}
