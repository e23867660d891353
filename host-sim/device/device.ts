// A virtual ESP32: flash, a boot loader, and the firmware in the slot that the boot loader chooses. Each boot
// starts from the flash alone: everything else of the boot before is thrown away.
//
//   powerOn ─► boot loader ─► image of the slot ─► its bundle ─► machine runs ─► restart (reset reason) ─► boot loader …
//                  │ nothing boots                                  │ power cut
//                  ▼                                                ▼
//             tries over and over                                  off

import { type Engine, type EngineBoot, v8Engine } from "../engine/engine.js";
import { type BootResult, runBootLoader } from "../hardware/boot/boot-loader.js";
import { Ota } from "../hardware/boot/ota.js";
import { OTA_STATE } from "../hardware/boot/otadata.js";
import type { Chip } from "../hardware/chips.js";
import { Efuse } from "../hardware/efuse.js";
import { Flash, PowerCut } from "../hardware/flash/flash.js";
import { extractBundle } from "../hardware/image/app-image.js";
import { type HmacKeySource, hmacKeySource, initNvs } from "../hardware/nvs/nvs-init.js";
import { type StartedNvs, startNvs } from "../hardware/nvs/nvs-mend.js";
import {
  DATA_SUBTYPE_NVS,
  PARTITION_TABLE_BYTES,
  PARTITION_TABLE_OFFSET,
  PARTITION_TYPE_DATA,
  type Partition,
  parsePartitionTable,
} from "../hardware/partitions/partition-table.js";
import { Pins } from "../hardware/pins.js";
import { flashFactory } from "../hardware/serial-flasher.js";
import { type BootEnd, resetReasonAfter } from "../machine/boot-end.js";
import { type Machine, RESET_REASON } from "../machine/machine.js";
import { VirtualMachine } from "../machine/virtual-machine.js";
import { createModules } from "../modules/index.js";
import { type DeviceNetwork, VirtualNetwork } from "../network/virtual-network.js";
import { home, type Surroundings } from "../world/surroundings.js";
import type { Scheduled, World } from "../world/world.js";
import { type DeviceEvent, describeUncaught } from "./device-event.js";

/** From reset to the first line of firmware: boot loader, ESP-IDF, start of XS. */
const BOOT_MS = 350;
/** When nothing can be booted, the chip resets after this time, and tries again. */
const RETRY_MS = 1_000;
const DEFAULT_FLASH_BYTES = 8 * 1024 * 1024;

export interface DeviceOptions {
  readonly world: World;
  readonly name: string;
  readonly chip?: Chip;
  /** The chip's contents live on in it. Default: erased, of flashBytes. */
  readonly flash?: Flash;
  readonly flashBytes?: number;
  /** What is burned into the chip's eFuses, as in hardware/efuse-blocks.ts; written to. Default: nothing. */
  readonly efuseBlocks?: Uint8Array;
  /** A write over bytes that are not erased ends the run with UnerasedWrite, as in strict-writes.ts; default: the chip takes it. */
  readonly strictFlash?: boolean;
  /** Built with CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK: what has been validated once burns its secure version into the eFuses. */
  readonly antiRollback?: boolean;
  /** 6 bytes; default: made from the name. */
  readonly mac?: Uint8Array;
  /** Default: a separate network with nothing in it. */
  readonly network?: VirtualNetwork;
  /** What runs the firmware; default: V8. */
  readonly engine?: Engine;
  /** What firmware traces, in pieces as they come. */
  readonly onTrace?: (text: string) => void;
  readonly onEvent?: (event: DeviceEvent) => void;
  /** What its lights or its panel show, each time that firmware sets them. */
  readonly onLight?: Machine["onLight"];
  /** What it listens to, when it begins and with each change. */
  readonly onSense?: Machine["onSense"];
  /** What is around it, by the world's time; default: a home. */
  readonly surroundings?: (worldMs: number) => Surroundings;
  /** Called with each machine before its firmware starts. */
  readonly onMachine?: (machine: Machine) => void;
}

export class VirtualDevice {
  readonly name: string;
  readonly chip: Chip;
  readonly flash: Flash;
  /** Like the flash, they survive restarts and power cuts. */
  readonly efuse: Efuse;
  readonly mac: Uint8Array;
  readonly world: World;
  readonly network: VirtualNetwork;
  /** What is wired to its pins. */
  readonly pins = new Pins();
  #surroundings: Partial<Surroundings> = {};
  readonly #options: DeviceOptions;
  readonly #random: () => number;
  #machine: VirtualMachine | undefined;
  #connection: DeviceNetwork | undefined;
  #firmware: EngineBoot | undefined;
  #reset: Scheduled | undefined;
  #isPowered = false;
  #bootCount = 0;
  #resetReason: number = RESET_REASON.powerOn;
  #lastBoot: BootResult | undefined;
  /** How long the flash has kept the boot loader busy, and ESP-IDF before the firmware runs. */
  #bootFlashMs = 0;

  constructor(options: DeviceOptions) {
    this.#options = options;
    this.world = options.world;
    this.name = options.name;
    this.chip = options.chip ?? "esp32";
    this.flash = options.flash ?? new Flash(options.flashBytes ?? DEFAULT_FLASH_BYTES);
    this.efuse = new Efuse(this.chip, options.efuseBlocks ? { blocks: options.efuseBlocks } : {});
    this.#random = options.world.randomStream(`device/${options.name}`);
    this.mac = options.mac ?? macOf(options.world, options.name);
    this.network = options.network ?? new VirtualNetwork({ world: options.world });
    this.flash.onBusy = (ms) => {
      if (this.#machine) this.#machine.waitForFlash(ms);
      else this.#bootFlashMs += ms;
    };
  }

  /** Boots since the device was made. */
  get bootCount(): number {
    return this.#bootCount;
  }

  /** The partition whose firmware runs. */
  get running(): Partition | undefined {
    return this.#machine?.running;
  }

  /** Reset reason of the present boot, or of the next one: one of RESET_REASON. */
  get lastReset(): number {
    return this.#resetReason;
  }

  get isPowered(): boolean {
    return this.#isPowered;
  }

  /** What the boot loader found at the last boot. */
  get lastBoot(): BootResult | undefined {
    return this.#lastBoot;
  }

  /** The boot that runs. */
  get machine(): Machine | undefined {
    return this.#machine;
  }

  /** The partition table in flash. @throws PartitionTableError */
  get partitions(): Partition[] {
    const table = this.flash.read(PARTITION_TABLE_OFFSET, PARTITION_TABLE_BYTES);
    return parsePartitionTable(table, { flashBytes: this.flash.sizeBytes });
  }

  /** What a serial flasher does with a new device: erases it, writes the table, and the image to factory (or ota_0). */
  flashFactory(partitionCsv: string, image: Uint8Array): void {
    if (this.#isPowered) throw new Error(`device ${this.name} is running: power it off before it is flashed`);
    flashFactory(this.flash, partitionCsv, image);
  }

  /** From now on this is around it, whatever the rest of the house is like. */
  surroundWith(changes: Partial<Surroundings>): void {
    this.#surroundings = { ...this.#surroundings, ...changes };
  }

  /** Switches the device on; its firmware starts BOOT_MS later. */
  powerOn(): void {
    if (this.#isPowered) return;
    this.#isPowered = true;
    this.flash.powerRestored();
    this.#resetAfter(0, RESET_REASON.powerOn);
  }

  /** Takes the power away, between two events of the world. */
  powerOff(): void {
    if (!this.#isPowered) return;
    this.#switchOff();
    this.#machine?.powerOff();
    this.#machine = undefined;
    this.#emit({ type: "poweredOff" });
  }

  /** The supply sags below what the chip needs, and comes back: a reset of its own kind, which firmware sees. */
  brownOut(): void {
    if (!this.#isPowered) return;
    this.powerOff();
    this.powerOn();
    this.#resetReason = RESET_REASON.brownout;
  }

  #switchOff(): void {
    this.#isPowered = false;
    this.#resetReason = RESET_REASON.powerOn;
    this.#reset?.cancel();
    this.#reset = undefined;
  }

  #resetAfter(delayMs: number, reason: number): void {
    this.#resetReason = reason;
    this.#reset = this.world.schedule(delayMs + BOOT_MS, () => {
      this.#reset = undefined;
      this.#boot();
    });
  }

  #boot(): void {
    this.#bootCount += 1;
    this.#bootFlashMs = 0;
    try {
      this.#lastBoot = undefined;
      const partitions = this.partitions;
      if (this.#options.strictFlash) this.flash.strict = { exempt: partitions.filter(isNvs) };
      const boot = runBootLoader(this.flash, partitions, {
        rollback: true,
        chip: this.chip,
        antiRollback: this.#antiRollback,
      });
      this.#lastBoot = boot;
      if (boot.booted === undefined) {
        const reasons = boot.refused.map(({ partition, message }) => `${partition.label}: ${message}`);
        this.#bootFailed(
          `no bootable image (${reasons.join("; ") || "no app partition"})`,
          RESET_REASON.panic,
        );
      } else {
        this.#start(boot.booted, partitions);
      }
    } catch (error) {
      if (error instanceof PowerCut) this.#powerWasCut();
      else if (error instanceof Error && error.name === "PartitionTableError") {
        this.#bootFailed(error.message, RESET_REASON.panic);
      } else throw error;
    }
  }

  #start(running: Partition, partitions: readonly Partition[]): void {
    const bundle = extractBundle(this.flash.view(running.offset, running.size));
    if (bundle === undefined) {
      return this.#bootFailed(`the image in ${running.label} holds no firmware bundle`, RESET_REASON.panic);
    }
    const hmacKey = this.#hmacKeyFor(running);
    const { nvs, error, erasedFor } = this.#startNvs(running, partitions, hmacKey);
    // the SDK's main function gives up
    if (nvs === undefined) return this.#bootFailed(`NVS: ${error}`, RESET_REASON.panic);
    const connection = this.network.attach({ name: this.name, mac: this.mac });
    this.#connection = connection;
    const { flash, chip, mac } = this;
    this.pins.reset();
    const firmware = (this.#options.engine ?? v8Engine).start(bundle);
    this.#firmware = firmware;
    const machine: VirtualMachine = new VirtualMachine({
      hardware: {
        chip,
        flash,
        partitions,
        running,
        nvs,
        nvsErasedFor: erasedFor,
        hmacKey,
        mac,
        resetReason: this.#resetReason,
        network: connection.stack,
        radio: connection.radio,
        pins: this.pins,
      },
      realm: firmware.realm,
      world: this.world,
      random: this.#random,
      antiRollback: this.#antiRollback,
      aheadMs: this.#bootFlashMs,
      onTrace: (text) => this.#options.onTrace?.(text),
      onLight: this.#options.onLight,
      onSense: this.#options.onSense,
      surroundings: (worldMs) => ({
        ...(this.#options.surroundings ?? home)(worldMs),
        ...this.#surroundings,
      }),
      onEnd: (end, delayMs) => this.#ended(end, delayMs),
    });
    this.#machine = machine;
    this.#emit({
      type: "booted",
      partition: running,
      resetReason: this.#resetReason,
      bootCount: this.#bootCount,
    });
    this.#options.onMachine?.(machine);
    machine.start(() => firmware.run(createModules(machine)));
  }

  get #antiRollback(): Efuse | undefined {
    return this.#options.antiRollback ? this.efuse : undefined;
  }

  #startNvs(
    running: Partition,
    partitions: readonly Partition[],
    hmacKey: HmacKeySource | undefined,
  ): StartedNvs {
    const ota = new Ota(this.flash, partitions, running, { rollback: true, chip: this.chip });
    const isOnTrial = () => ota.stateOf(running).state === OTA_STATE.PENDING_VERIFY;
    return startNvs(this.flash, partitions, isOnTrial, hmacKey);
  }

  /** A key that is burned takes none of the firmware's own randomness. */
  #hmacKeyFor(running: Partition): HmacKeySource | undefined {
    const random = this.world.randomStream(`efuse/${this.name}`);
    return hmacKeySource(this.flash, running, { chip: this.chip, efuse: this.efuse, random });
  }

  /** Its NVS as the firmware that boots next will open it: before it is powered, for what is stored in its name. */
  openNvs(): ReturnType<typeof initNvs> {
    const copy = new Flash(this.flash.sizeBytes, this.flash.bytes);
    const { booted } = runBootLoader(copy, this.partitions, { rollback: true, chip: this.chip });
    return initNvs(this.flash, this.partitions, booted && this.#hmacKeyFor(booted));
  }

  #ended(end: BootEnd, delayMs: number): void {
    this.#machine = undefined;
    this.#leaveBoot();
    if (end.type === "powerOff") return;
    if (end.type === "powerCut") return this.#powerWasCut();
    if (end.type === "uncaught") this.#emit(describeUncaught(end));
    const resetReason = resetReasonAfter(end);
    this.#emit({ type: "restarted", cause: end.type, resetReason });
    // An observer may have switched the device off.
    const sleepMs = end.type === "deepSleep" ? end.ms : 0;
    if (this.#isPowered) this.#resetAfter(delayMs + sleepMs, resetReason);
  }

  #powerWasCut(): void {
    this.#switchOff();
    this.#leaveBoot();
    this.#emit({ type: "powerCut" });
  }

  #bootFailed(message: string, resetReason: number): void {
    this.#emit({ type: "bootFailed", message });
    if (this.#isPowered) this.#resetAfter(RETRY_MS + this.#bootFlashMs, resetReason);
  }

  #leaveBoot(): void {
    this.#firmware?.close();
    this.#firmware = undefined;
    this.#connection?.vanish();
    this.#connection = undefined;
  }

  #emit(event: DeviceEvent): void {
    this.#options.onEvent?.(event);
  }
}

const isNvs = ({ type, subtype }: Partition): boolean =>
  type === PARTITION_TYPE_DATA && subtype === DATA_SUBTYPE_NVS;

/** A MAC address of Espressif's, the same for the same seed and name. */
function macOf(world: World, name: string): Uint8Array {
  const random = world.randomStream(`mac/${name}`);
  const low = () => Math.floor(random() * 256);
  return Uint8Array.of(0x24, 0x6f, 0x28, low(), low(), low() & 0xfe);
}
