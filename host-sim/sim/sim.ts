// `skyslot sim`: one virtual device in real time at the desk, talking to a real update server on loopback. With --manual its portal is
// a page for the user's own browser. Also what `npm start` runs: that only adds a server and a summary.

import { PUSH_PORT } from "../../firmware/core/local/push.js";
import { Desk, type DeskOptions } from "../desk/desk.js";
import type { VirtualDevice } from "../device/device.js";
import { describeEvent, Watch } from "../device/watch.js";
import { exposeOnLoopback } from "../network/bridge.js";
import { showLights } from "./drawing.js";
import type { Terminal } from "./terminal.js";
import { factsOf } from "./web-view/facts.js";
import { openView, type View } from "./web-view/view.js";

export interface SimOptions
  extends Pick<DeskOptions, "image" | "flash" | "chip" | "seed" | "serverUrl" | "network" | "manual"> {
  /** Loopback port of the update server. */
  readonly loopbackPort: number;
  /** Times as fast as the clock on the wall. */
  readonly speed?: number;
  readonly terminal: Terminal;
  /** Size of the update, bytes, if known: for the progress bar. */
  readonly updateBytes?: number;
  /** Loopback port for the device's own pages; 0 or absent: a free one. */
  readonly portalPort?: number;
  /** Loopback port for images that are pushed to the device; absent: none, 0: a free one. */
  readonly pushPort?: number;
  /** Loopback port for the page that shows the device; 0 or absent: a free one. */
  readonly viewPort?: number;
  /** Folder for pictures of what the device's lights show. */
  readonly show?: string | undefined;
}

export interface Sim {
  readonly device: VirtualDevice;
  readonly watch: Watch;
  /** The device's own pages, in the user's browser. */
  readonly portalUrl: string;
  /** Where images are pushed to it; `undefined`: from nowhere. */
  readonly pushUrl: string | undefined;
  /** A page that shows its lights and its panel live. */
  readonly viewUrl: string;
  /** Seconds on the device's clock since power on. */
  readonly seconds: () => number;
  /** Runs until `done` or stop. */
  run(done: () => boolean): Promise<boolean>;
  stop(): void;
}

/** About the rate at which an ESP32 receives and writes to flash. */
const LINK = Object.freeze({ bytesPerSecond: 40 * 1024 });
const YEAR_MS = 365 * 24 * 3600 * 1000;

export async function startSim(options: SimOptions): Promise<Sim> {
  const { terminal, updateBytes = 0 } = options;
  const keepPicture = options.show === undefined ? undefined : showLights(options.show);
  let view: View | undefined;
  const desk = new Desk({
    ...options,
    server: { loopbackPort: options.loopbackPort },
    realTime: options.speed ?? true,
    strictFlash: false, // the user's own app may write twice on purpose
    policyOf: () => LINK,
    onTrace: (line) => sayTrace(terminal, line),
    onEvent: (event) => {
      const text = describeEvent(event);
      if (text) terminal.note(text);
    },
    onLight: (light) => {
      keepPicture?.(light);
      view?.show(light);
    },
  });
  const watch = new Watch(desk.device, (label, { bytesWritten }) => {
    if (updateBytes > 0) terminal.progress(`writing ${label}`, bytesWritten, updateBytes);
  });
  const portal = await exposeOnLoopback({
    network: desk.network,
    device: desk.device,
    devicePort: 80,
    realPort: options.portalPort ?? 0,
  });
  const ports = [portal];
  const closePorts = () => {
    for (const port of ports) port.close();
  };
  try {
    view = await openView({ facts: () => factsOf(desk.device), port: options.viewPort ?? 0 });
    if (options.pushPort !== undefined) ports.push(await exposePush(desk, options.pushPort));
  } catch (error) {
    closePorts();
    view?.close();
    throw error;
  }
  const { url: viewUrl } = view;
  const [, push] = ports;
  desk.device.powerOn();
  return {
    device: desk.device,
    watch,
    portalUrl: `http://localhost:${portal.port}`,
    pushUrl: push && `http://localhost:${push.port}/update`,
    viewUrl,
    seconds: () => Math.round(desk.world.nowMs / 100) / 10,
    run: (done) => desk.world.runUntil(done, { limitMs: YEAR_MS }),
    stop() {
      desk.world.stop();
      closePorts();
      view?.close();
    },
  };
}

const exposePush = ({ network, device }: Desk, realPort: number) =>
  exposeOnLoopback({ network, device, devicePort: PUSH_PORT, realPort });

/** The firmware's log lines begin with their level. */
function sayTrace(terminal: Terminal, line: string): void {
  const [, level, text] = /^(info|warn|error): (.*)$/.exec(line) ?? [];
  if (level === "info") terminal.note(`device: ${text}`);
  else terminal.warn(`device: ${text ?? line}`);
}
