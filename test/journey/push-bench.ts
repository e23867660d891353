// A device at home, and a client that pushes images to it; shared by the tests of pushing.

import { expect } from "chai";
import type { VirtualDevice } from "../../host-sim/device/device.js";
import type { World } from "../../host-sim/world/world.js";
import { Pusher, type PushOptions } from "./pusher.js";
import { imageOf, type Lie, type Rig, readJson, releaseOf, setUpRig, writeJson } from "./rig.js";

export const HOUR_MS = 3_600_000;
export const TOKEN = "let me in, please";
export const CONFIG = { pushToken: TOKEN };

/** A server without updates. */
export const nothingNew: Lie = async ({ path }, honest) => {
  const answer = await honest();
  if (path !== "/api/ota/check" || answer.status !== 200) return answer;
  return { ...answer, body: writeJson({ update_available: false, time: readJson(answer.body!).time }) };
};

export class PushBench {
  readonly rig: Rig;
  readonly pusher: Pusher;
  /** Version 1.1.0, newer than the device's. */
  readonly image: Uint8Array;
  readonly release: string;

  private constructor(rig: Rig, image: Uint8Array, release: string) {
    this.rig = rig;
    this.image = image;
    this.release = release;
    this.pusher = new Pusher(rig.desk, () => this.address);
  }

  /** A device at home with its first firmware, version 1.0.0, built with `config`. */
  static async start(
    options: Parameters<typeof setUpRig>[0] = {},
    config: object = CONFIG,
  ): Promise<PushBench> {
    const image = await imageOf("base", "1.1.0", "esp32", CONFIG);
    const release = await releaseOf(image);
    const first = await imageOf("base", "1.0.0", "esp32", config);
    const rig = await setUpRig({ lie: nothingNew, image: first, ...options });
    const bench = new PushBench(rig, image, release);
    rig.desk.device.powerOn();
    await bench.atHome(1);
    return bench;
  }

  /** Where the device is now. */
  get address(): string {
    return (this.rig.checks.at(-1) as unknown as { address: string }).address;
  }

  get device(): VirtualDevice {
    return this.rig.desk.device;
  }

  get world(): World {
    return this.rig.desk.world;
  }

  close(): Promise<void> {
    return this.rig.close();
  }

  /** Waits for the device's check of that number. */
  async atHome(checkCount: number): Promise<void> {
    const isThere = () => this.rig.checks.length >= checkCount;
    expect(await this.world.runUntil(isThere, { limitMs: HOUR_MS })).equal(true);
    await this.world.runFor(1_000);
  }

  /** Restarts the device, and waits until it has checked. */
  async powerCycle(): Promise<void> {
    this.device.powerOff();
    this.device.powerOn();
    await this.atHome(this.rig.checks.length + 1);
  }

  async acceptUnsigned(): Promise<void> {
    expect(this.device.machine?.nvs?.set("skyslot", "push.unsigned", "str", "1")).equal("ESP_OK");
    await this.powerCycle();
  }

  /** A push with token and release. */
  signed(more: PushOptions = {}): PushOptions {
    return { token: TOKEN, ...more, headers: { "x-skyslot-release": this.release, ...more.headers } };
  }

  /** Sectors of the first OTA slot that were ever erased. */
  get erasedSectorCount(): number {
    const slot = this.device.partitions.find(({ label }) => label === "ota_0")!;
    const sectors = Array.from({ length: 512 }, (_, i) => i + slot.offset / 4096);
    return sectors.filter((sector) => this.device.flash.eraseCountOf(sector) > 0).length;
  }

  /** It runs, and nothing else can be booted. */
  async expectOldFirmware(): Promise<void> {
    const { device, world } = this;
    await world.runFor(40_000);
    expect(device.running?.label).equal("factory");
    device.powerOff();
    device.powerOn();
    await world.runFor(1_000);
    expect(device.running?.label).equal("factory");
  }

  async expectValidated(): Promise<void> {
    const isValidated = () => {
      const { current_version, slot_state } = this.rig.checks.at(-1) ?? {};
      return current_version === "1.1.0" && slot_state === "valid";
    };
    expect(await this.world.runUntil(isValidated, { limitMs: HOUR_MS })).equal(true);
    expect(this.device.running?.label).equal("ota_0");
    expect(this.device.machine?.nvs?.get("skyslot", "install").error).equal("ESP_ERR_NVS_NOT_FOUND");
    expect(this.rig.reports).deep.equal([]);
  }
}
