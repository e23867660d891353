// A device in a world in real time, twenty times as fast, whose ports real programs reach over real sockets. It checks and finds nothing
// new, and takes pushed images.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { VirtualDevice } from "../../host-sim/device/device.js";
import { exposeOnLoopback } from "../../host-sim/network/bridge.js";
import { imageOf, type Rig, type RigOptions, setUpRig, writeJson } from "./rig.js";

export const TOKEN = "let-me-in-please";
/** Short, to limit the test's time. */
export const CONFIG = { pushToken: TOKEN, checkSeconds: 10, trialSeconds: 10 };
const SPEED = 20;
const HOUR_MS = 3_600_000;

const HTTP_PORTS: readonly number[] = [80, 3232];

export interface LiveOptions extends Pick<RigOptions, "image" | "partitions" | "onLight"> {
  readonly prepare?: (device: VirtualDevice) => void;
}

export class LiveDevice {
  readonly folder = mkdtempSync(join(tmpdir(), "skyslot-live-"));
  readonly rig: Rig;
  readonly #doors = new Map<number, Awaited<ReturnType<typeof exposeOnLoopback>>>();
  #world: Promise<boolean> | undefined;
  #isOver = false;

  private constructor(rig: Rig) {
    this.rig = rig;
  }

  /**
   * @param ports of the device that are opened; only 80 and 3232 speak HTTP
   * @param options.prepare what is done to the device before it is powered on
   */
  static async start(ports: readonly number[], options: LiveOptions = {}): Promise<LiveDevice> {
    const { prepare, ...more } = options;
    const rig = await setUpRig({
      realTime: SPEED,
      image: await imageOf("base", "1.0.0", "esp32", CONFIG),
      ...more,
      lie: async (request, honest) => {
        const answer = await honest();
        return request.path === "/api/ota/check" ? nothingNew() : answer;
      },
    });
    const live = new LiveDevice(rig);
    const { network, device, world } = rig.desk;
    prepare?.(device);
    for (const devicePort of ports) {
      const isHttp = HTTP_PORTS.includes(devicePort);
      live.#doors.set(devicePort, await exposeOnLoopback({ network, device, devicePort, isHttp }));
    }
    // started twice: the portal of the first start has another address, and disappears with it
    for (const checkCount of [1, 2]) {
      device.powerOff();
      device.powerOn();
      const isOnline = () => rig.checks.length === checkCount;
      expect(await world.runUntil(isOnline, { limitMs: HOUR_MS })).equal(true);
    }
    // and continues beside the tests until their end
    live.#world = world.runUntil(() => live.#isOver, { limitMs: 24 * HOUR_MS });
    return live;
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.rig.desk.world.stop();
    await this.#world;
    for (const door of this.#doors.values()) door.close();
    await this.rig.close();
    rmSync(this.folder, { recursive: true });
  }

  /** On 127.0.0.1, where the device's port is. */
  portOf(devicePort: number): number {
    const door = this.#doors.get(devicePort);
    if (!door) throw new Error(`port ${devicePort} is not opened`);
    return door.port;
  }

  file(name: string, bytes: Uint8Array | string): string {
    const path = join(this.folder, name);
    writeFileSync(path, bytes);
    return path;
  }

  async until(done: () => boolean): Promise<void> {
    for (let tries = 0; !done(); tries++) {
      if (tries > 1_000) throw new Error(`not in time:\n${this.rig.trace.slice(-5).join("\n")}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** What runs is this version, in this slot, and it has passed its trial. */
  isValidated(running: string): boolean {
    return this.rig.running() === running && this.rig.checks.at(-1)?.slot_state === "valid";
  }
}

const nothingNew = () => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: writeJson({ update_available: false, time: 1_795_000_000 }),
});
