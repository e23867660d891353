// Runs any module file as the app of a fresh virtual device, as `skyslot sim run FILE` does: bundled, made into an app image,
// flashed into the factory partition, and left alone in virtual time until nothing is left to happen.

import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { VirtualDevice } from "../device/device.js";
import type { DeviceEvent } from "../device/device-event.js";
import type { Engine } from "../engine/engine.js";
import type { Chip } from "../hardware/chips.js";
import type { Flash } from "../hardware/flash/flash.js";
import { buildFirmwareImage } from "../hardware/image/app-image.js";
import { bundleModule } from "../image-build/bundle.js";
import { VirtualNetwork } from "../network/virtual-network.js";
import { World } from "../world/world.js";

export interface ProgramOptions {
  /** What the program traces, as it comes. */
  readonly out: (text: string) => void;
  /** Uncaught errors, with their stacks. */
  readonly err?: (text: string) => void;
  /** An access point in range; the program joins it by itself. */
  readonly network?: { readonly ssid: string; readonly password?: string };
  /** "none": the device starts without any network interface. Default: one without a link; only 127.0.0.1 is reachable. */
  readonly interface?: "none" | "unlinked";
  readonly chip?: Chip;
  /** What runs the program; default: V8. */
  readonly engine?: Engine;
  /** Of virtual time. */
  readonly limitMs?: number;
  readonly seed?: number;
  /** What `mc/config` exports to the program. */
  readonly config?: object;
  /** Of 8 MiB; default: a typical part. */
  readonly flash?: Flash;
}

const DEFAULT_LIMIT_MS = 10 * 60 * 1000;
/** A program may restart by an uncaught error on purpose, but not endlessly. */
const UNCAUGHT_COUNT_MAX = 20;
/** A real image with the engine in it is never smaller. */
const BUNDLE_BYTES_MIN = 66_000;
const PARTITIONS = new URL("../../partitions/8mb.csv", import.meta.url);

/** @returns the exit status: 0, or 1 if an error was uncaught or the program could not be bundled */
export async function runProgram(file: string, options: ProgramOptions): Promise<0 | 1> {
  const err = options.err ?? (() => {});
  const world = new World({ seed: options.seed ?? 1 });
  const network = new VirtualNetwork({ world });
  if (options.network !== undefined) network.addAccessPoint({ channel: 6, rssi: -50, ...options.network });
  let uncaughtCount = 0;
  let isOver = false;
  const device = new VirtualDevice({
    world,
    network,
    name: "program",
    chip: options.chip ?? "esp32c3",
    ...(options.engine === undefined ? {} : { engine: options.engine }),
    ...(options.flash === undefined ? {} : { flash: options.flash }),
    onTrace: options.out,
    onMachine: (machine) => {
      if (options.interface !== "none") machine.network.interfaceStarted();
    },
    onEvent: (event) => {
      if (event.type === "bootFailed") err(`${event.message}\n`);
      if (event.type !== "uncaught") return;
      err(describe(event));
      uncaughtCount += 1;
      // What throws while it starts would do so at every start.
      isOver ||= event.duringModule || uncaughtCount >= UNCAUGHT_COUNT_MAX;
    },
  });
  let image: Uint8Array;
  try {
    image = await programImage(file, device.chip, options.config);
  } catch (error) {
    err(`${error instanceof Error ? error.message : error}\n`);
    return 1;
  }
  device.flashFactory(await readFile(PARTITIONS, "utf8"), image);
  device.powerOn();
  await world.runUntil(() => isOver, { limitMs: options.limitMs ?? DEFAULT_LIMIT_MS });
  device.powerOff();
  return uncaughtCount > 0 ? 1 : 0;
}

async function programImage(file: string, chip: Chip, config: object | undefined): Promise<Uint8Array> {
  const bundle = await bundleModule(file, config === undefined ? {} : { config });
  return buildFirmwareImage({
    chip,
    version: "0.0.0",
    project: basename(file).slice(0, 31),
    bundle: `${bundle}//${"-".repeat(Math.max(0, BUNDLE_BYTES_MIN - bundle.length))}\n`,
  });
}

function describe(event: Extract<DeviceEvent, { type: "uncaught" }>): string {
  return `uncaught ${event.name}: ${event.message}\n${event.stack === "" ? "" : `${event.stack}\n`}`;
}
