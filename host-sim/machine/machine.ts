// What one boot of one virtual device offers to the virtual SDK modules. Everything in it dies with the boot: the modules
// keep their state in objects that belong to a machine, never at module level.

import type { Realm } from "../engine/realm.js";
import type { Ota } from "../hardware/boot/ota.js";
import type { Chip } from "../hardware/chips.js";
import type { Flash } from "../hardware/flash/flash.js";
import type { Light, Sense } from "../hardware/gpio.js";
import type { Nvs, NvsError } from "../hardware/nvs/nvs.js";
import type { HmacKeySource, NvsInitError } from "../hardware/nvs/nvs-init.js";
import type { Partition } from "../hardware/partitions/partition.js";
import type { Pins } from "../hardware/pins.js";
import type { NetworkStack } from "../network/network-stack.js";
import type { WifiRadio } from "../network/radio.js";
import type { Surroundings } from "../world/surroundings.js";
import type { Scheduled } from "../world/world.js";
import type { TimerQueue } from "./timer-queue.js";

export type { Realm } from "../engine/realm.js";
export type { Scheduled } from "../world/world.js";

/** esp_reset_reason_t, as far as virtual devices restart. */
export const RESET_REASON = Object.freeze({
  powerOn: 1,
  software: 3,
  panic: 4,
  taskWatchdog: 6,
  deepSleep: 8,
  brownout: 9,
});

/** The hardware under one boot. */
export interface Hardware {
  readonly chip: Chip;
  readonly flash: Flash;
  readonly partitions: readonly Partition[];
  /** The partition whose image runs. */
  readonly running: Partition;
  /** Undefined when there is no NVS partition or it cannot be mounted. */
  readonly nvs: Nvs | undefined;
  /** Where the image has its settings encrypted by the HMAC peripheral. */
  readonly hmacKey?: HmacKeySource | undefined;
  /** Why NVS was erased as this boot began. */
  readonly nvsErasedFor?: NvsInitError | undefined;
  /** The base MAC address, 6 bytes. */
  readonly mac: Uint8Array;
  /** One of RESET_REASON: why this boot happened. */
  readonly resetReason: number;
  readonly network: NetworkStack;
  readonly radio: WifiRadio;
  /** With what is wired to them. */
  readonly pins: Pins;
}

export interface Machine extends Hardware {
  /** nvs_flash_deinit: what was open in it answers with ESP_ERR_NVS_INVALID_HANDLE from then on. */
  deinitNvs(): NvsError;
  /** nvs_flash_init; without an effect while it is open. */
  initNvs(): NvsInitError;
  readonly ota: Ota;
  readonly timers: TimerQueue;
  /** Constructors for whatever is handed to firmware: buffers, errors, arrays. */
  readonly realm: Realm;
  /** False as soon as the boot is over; no turn runs then. */
  readonly alive: boolean;

  /** Milliseconds since this boot, a whole number. Goes on while firmware computes. */
  uptimeMs(): number;
  /** The device's own randomness, in [0, 1). */
  random(): number;
  /**
   * Lets `turn` run later as a turn of the device's event loop: an error that it does not catch restarts the device. The
   * promise jobs that it makes run after it, with the messages that are waiting by then.
   */
  after(delayMs: number, turn: () => void): Scheduled;
  /** Native code occupies the chip for this time: nothing else runs on this device meanwhile. */
  compute(ms: number): void;
  /** The firmware's task waits for this time (Timer.delay, vTaskDelay): nothing else of the firmware runs, but the chip's other tasks do. */
  wait(ms: number): void;
  /** From now on the task watchdog waits for twice as long, until this boot ends. */
  widenWatchdog(): void;
  /** Restarts the chip: unwinds the running code with a signal that it cannot catch. */
  restart(reason: number): never;
  /** Ends this boot as restart does; the next one begins when the time has passed. */
  deepSleep(ms: number): never;
  /** What there is to be measured now. */
  surroundings(): Surroundings;
  /** Prints what firmware traces, as it is, without adding a line end. */
  trace(text: string): void;
  /** Called with what the device's lights or its panel show, each time that firmware sets them. */
  readonly onLight?: ((light: Light) => void) | undefined;
  /** Called with what the firmware listens to: when it begins, and with each change. */
  readonly onSense?: ((sense: Sense) => void) | undefined;
}
