// What every batch of inputs starts from: the contents of a flash with a new device, with one at home, and with one whose owner accepts
// unsigned images. One flash is used again and again; only what a batch has changed is put back.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Engine } from "../../../host-sim/engine/engine.js";
import { runBootLoader } from "../../../host-sim/hardware/boot/boot-loader.js";
import { Flash, SECTOR_BYTES } from "../../../host-sim/hardware/flash/flash.js";
import type { Nvs } from "../../../host-sim/hardware/nvs/nvs.js";
import { initNvs } from "../../../host-sim/hardware/nvs/nvs-init.js";
import {
  PARTITION_TABLE_BYTES,
  PARTITION_TABLE_OFFSET,
  type Partition,
  parsePartitionTable,
} from "../../../host-sim/hardware/partitions/partition-table.js";
import { flashFactory } from "../../../host-sim/hardware/serial-flasher.js";
import { House } from "./house.js";
import {
  type FuzzApp,
  type FuzzKey,
  fuzzedImage,
  fuzzKey,
  type ImageOptions,
  strangersImage,
} from "./image.js";

export type { FuzzApp };

/** `new`: nobody has set it up. `home`: it is in its owner's network. `open`: its owner accepts unsigned images too. */
export type Start = "new" | "home" | "open";

const FLASH_BYTES = 8 * 1024 * 1024;
const tableOf = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../partitions/${name}.csv`, import.meta.url)), "utf8");
/** These have a cache for images of others. */
const GATEWAYS: readonly FuzzApp[] = Object.freeze(["receiver", "mesh-gateway"]);
const SETUP_LIMIT_MS = 600_000;
const NAMESPACE = "skyslot";

export interface GroundOptions extends ImageOptions {
  /** What runs the firmware under the fuzz; default: V8. */
  readonly engine?: Engine | undefined;
}

export class Ground {
  readonly key: FuzzKey;
  readonly engine: Engine | undefined;
  readonly app: FuzzApp;
  readonly image: Uint8Array;
  /** Another image, which would start. */
  readonly stranger = strangersImage();
  readonly flash = new Flash(FLASH_BYTES);
  readonly partitions: readonly Partition[];
  readonly #scratch = new Flash(FLASH_BYTES);
  /** The device's id, as it tells the server. */
  deviceId = "";
  readonly #contents = new Map<Start, Uint8Array>();
  /** What the flash holds now, but for the sectors that have changed since. */
  #loaded: Start = "new";
  readonly #changed = new Set<number>();

  private constructor(key: FuzzKey, image: Uint8Array, app: FuzzApp, engine: Engine | undefined) {
    this.key = key;
    this.engine = engine;
    this.app = app;
    this.image = image;
    flashFactory(this.flash, tableOf(GATEWAYS.includes(app) ? "8mb-gateway" : "8mb"), image);
    this.#keep("new");
    this.partitions = parsePartitionTable(this.flash.read(PARTITION_TABLE_OFFSET, PARTITION_TABLE_BYTES), {
      flashBytes: FLASH_BYTES,
    });
    this.flash.onOperation = ({ offset, length }, when) => {
      if (when === "after") this.touched(offset, length);
    };
  }

  static async make({ engine, ...options }: GroundOptions = {}): Promise<Ground> {
    const key = await fuzzKey();
    const ground = new Ground(key, await fuzzedImage(key, options), options.app ?? "base", engine);
    await ground.#settleIn();
    return ground;
  }

  /** Brings the flash into the state of a start. */
  load(start: Start): Flash {
    const contents = this.contentsOf(start);
    if (start !== this.#loaded) this.flash.bytes.set(contents);
    else
      for (const sector of this.#changed) {
        const offset = sector * SECTOR_BYTES;
        this.flash.bytes.set(contents.subarray(offset, offset + SECTOR_BYTES), offset);
      }
    this.#loaded = start;
    this.#changed.clear();
    return this.flash;
  }

  contentsOf(start: Start): Uint8Array {
    const contents = this.#contents.get(start);
    if (contents === undefined) throw new Error(`there is no start "${start}"`);
    return contents;
  }

  /** These bytes were changed from outside. */
  readonly touched = (offset: number, length: number): void => {
    const last = Math.floor((offset + length - 1) / SECTOR_BYTES);
    for (let sector = Math.floor(offset / SECTOR_BYTES); sector <= last; sector++) this.#changed.add(sector);
  };

  /** The settings in the flash. */
  openNvs(): Nvs {
    const { error, nvs } = initNvs(this.flash, this.partitions);
    if (!nvs) throw new Error(`NVS of the fuzzed device cannot be opened: ${error}`);
    return nvs;
  }

  /** Whether a partition holds the image under the fuzz. */
  readonly isOurs = ({ offset }: Partition, bytes = this.flash.bytes): boolean =>
    Buffer.compare(bytes.subarray(offset, offset + this.image.length), this.image) === 0;

  /** What the boot loader would start now, which is tried on a copy: it writes. */
  wouldStart(): { readonly partition: Partition; readonly isOurs: boolean } | undefined {
    this.#scratch.bytes.set(this.flash.bytes);
    const table = this.#scratch.read(PARTITION_TABLE_OFFSET, PARTITION_TABLE_BYTES);
    const partitions = parsePartitionTable(table, { flashBytes: FLASH_BYTES });
    const { booted } = runBootLoader(this.#scratch, partitions, { rollback: true, chip: "esp32" });
    if (!booted) return undefined;
    return { partition: booted, isOurs: this.isOurs(booted, this.#scratch.bytes) };
  }

  async #settleIn(): Promise<void> {
    const house = new House({ flash: this.load("new"), seed: 1, isOurs: this.isOurs, app: this.app });
    house.callPerson();
    house.device.powerOn();
    if (!(await house.until(() => house.server.checkCount > 1, SETUP_LIMIT_MS)))
      throw new Error("the fuzzed device cannot be set up");
    await house.during(1_000);
    house.device.powerOff();
    this.deviceId = (JSON.parse(house.server.lastCheck) as { device_id: string }).device_id;
    this.#keep("home");
    this.openNvs().set(NAMESPACE, "push.unsigned", "str", "1");
    this.#keep("open");
    this.#loaded = "open";
    this.#changed.clear();
  }

  #keep(start: Start): void {
    this.#contents.set(start, this.flash.bytes.slice());
  }
}
