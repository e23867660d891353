// One boot of a device, running: the event loop of the SDK's main task, until the boot ends. Nothing of it outlives the boot.
//
//   ┌─► timers due ─► messages waiting by now ─┐      a message: a callback of the network …, or all promise jobs
//   └──────────── while anything is due ◄──────┘      queued since the last such message
//
// Each of the two phases is an event of the world. A message posted from inside a turn is an event too: so
// the queue has the order in which things were done, the network's answers among them, as if its task ran in between.
//
// Between them the world goes on until it is where the chip's clock is already: see chip-clock.ts.

import type { Realm, RealmHost } from "../engine/realm.js";
import { Ota } from "../hardware/boot/ota.js";
import type { Efuse } from "../hardware/efuse.js";
import { PowerCut } from "../hardware/flash/flash.js";
import { UnerasedWrite } from "../hardware/flash/strict-writes.js";
import type { NvsError } from "../hardware/nvs/nvs.js";
import { initNvs, type NvsInitError } from "../hardware/nvs/nvs-init.js";
import { home, type Surroundings } from "../world/surroundings.js";
import type { Scheduled, World } from "../world/world.js";
import { type BootEnd, BootOver, isStackOverflow } from "./boot-end.js";
import { ChipClock } from "./chip-clock.js";
import { type Hardware, type Machine, RESET_REASON } from "./machine.js";
import { TimerQueue } from "./timer-queue.js";

/**
 * Buffers made in one turn, garbage or not. A chip has some 200 KB and collects garbage; this only stops what would never
 * end, and is deliberately far above what a normal turn allocates.
 */
const TURN_BYTES_MAX = 16 * 1024 * 1024;

export interface VirtualMachineOptions {
  readonly hardware: Hardware;
  readonly realm: Realm;
  readonly world: World;
  readonly random: () => number;
  /** The eFuses, if the firmware is built with anti-rollback. */
  readonly antiRollback?: Efuse | undefined;
  /** Time that the boot has taken already. */
  readonly aheadMs?: number;
  readonly onTrace: (text: string) => void;
  readonly onLight?: Machine["onLight"];
  readonly onSense?: Machine["onSense"];
  readonly surroundings?: ((worldMs: number) => Surroundings) | undefined;
  /** Called once; `delayMs` is how far the device's clock is ahead of the world's. */
  readonly onEnd: (end: BootEnd, delayMs: number) => void;
}

export class VirtualMachine implements Machine {
  readonly chip: Machine["chip"];
  readonly flash: Machine["flash"];
  readonly partitions: Machine["partitions"];
  readonly running: Machine["running"];
  nvs: Machine["nvs"];
  readonly nvsErasedFor: Machine["nvsErasedFor"];
  readonly hmacKey: Machine["hmacKey"];
  readonly mac: Machine["mac"];
  readonly resetReason: number;
  readonly onLight: Machine["onLight"];
  readonly onSense: Machine["onSense"];
  readonly network: Machine["network"];
  readonly radio: Machine["radio"];
  readonly pins: Machine["pins"];
  readonly ota: Ota;
  readonly realm: Realm;
  readonly timers = new TimerQueue();
  readonly #options: VirtualMachineOptions;
  readonly #world: World;
  readonly #clock: ChipClock;
  readonly #messages: (() => void)[] = [];
  readonly #scheduled = new Set<Scheduled>();
  readonly #host: RealmHost;
  #jobs: (() => void)[] = [];
  #alive = true;
  #isTold = false;
  /** A mistake of the firmware that has to fail its test: no code of the firmware may catch it. */
  #mistake: UnerasedWrite | undefined;
  #ended: { readonly end: BootEnd; readonly delayMs: number } | undefined;
  /** Waiting for a message or a timer: no phase is under way. */
  #isAsleep = false;
  #wake: Scheduled | undefined;

  constructor(options: VirtualMachineOptions) {
    const { hardware } = options;
    this.chip = hardware.chip;
    this.flash = hardware.flash;
    this.partitions = hardware.partitions;
    this.running = hardware.running;
    this.nvs = hardware.nvs;
    this.nvsErasedFor = hardware.nvsErasedFor;
    this.hmacKey = hardware.hmacKey;
    this.mac = hardware.mac;
    this.resetReason = hardware.resetReason;
    this.network = hardware.network;
    this.radio = hardware.radio;
    this.pins = hardware.pins;
    this.ota = new Ota(hardware.flash, hardware.partitions, hardware.running, {
      rollback: true,
      chip: hardware.chip,
      antiRollback: options.antiRollback,
      restart: () => this.restart(RESET_REASON.software),
      abort: () => this.restart(RESET_REASON.panic),
    });
    this.onLight = options.onLight;
    this.onSense = options.onSense;
    this.#options = options;
    this.#world = options.world;
    this.realm = options.realm;
    this.#clock = new ChipClock(options.world, options.realm, options.aheadMs ?? 0);
    this.#host = {
      uptimeMs: () => this.uptimeMs(),
      random: () => this.random(),
      trace: (text) => this.trace(text),
      queueJob: (job) => this.#queueJob(job),
      overrun: () => this.#overrun(),
      outOfMemory: () => this.#end({ type: "outOfMemory" }),
      caught: (error) => this.#caught(error),
    };
  }

  get alive(): boolean {
    return this.#alive;
  }

  uptimeMs(): number {
    return this.#clock.uptimeMs;
  }

  random(): number {
    return this.#options.random();
  }

  trace(text: string): void {
    if (this.#alive) this.#options.onTrace(text);
  }

  /** Runs the module body, then starts the event loop. */
  start(runModule: () => void): void {
    this.#turn(runModule, true);
    this.#next(() => this.#timersPhase());
  }

  after(delayMs: number, turn: () => void): Scheduled {
    if (!this.#alive) return { cancel: () => {} };
    if (delayMs <= 0 && !this.#clock.isInTurn) {
      this.#post(turn);
      return { cancel: () => this.#unpost(turn) };
    }
    return this.#postLater(delayMs <= 0 ? 0 : delayMs + this.#clock.aheadMs, turn);
  }

  compute(ms: number): void {
    if (!this.#clock.isInTurn || ms <= 0) return;
    if (!this.#clock.compute(ms)) this.#overrun();
    this.realm.limitTicks(this.#tickLimit);
  }

  wait(ms: number): void {
    if (!this.#clock.isInTurn || ms <= 0) return;
    if (!this.#clock.wait(ms)) this.#overrun();
    this.realm.limitTicks(this.#tickLimit);
  }

  deinitNvs(): NvsError {
    if (this.nvs === undefined) return "ESP_ERR_NVS_NOT_INITIALIZED";
    this.nvs.close();
    this.nvs = undefined;
    return "ESP_OK";
  }

  initNvs(): NvsInitError {
    if (this.nvs !== undefined) return "ESP_OK";
    const { error, nvs } = initNvs(this.flash, this.partitions, this.hmacKey);
    this.nvs = nvs;
    return error;
  }

  widenWatchdog(): void {
    this.#clock.widenWatchdog();
    if (this.#clock.isInTurn) this.realm.limitTicks(this.#tickLimit);
  }

  /** The operation itself is done: code that has waited for too long ends at the next step. */
  waitForFlash(ms: number): void {
    this.#clock.waitForFlash(ms);
    if (this.#clock.isInTurn) this.realm.limitTicks(this.#tickLimit);
  }

  restart(reason: number): never {
    return this.#end({ type: "restart", reason });
  }

  deepSleep(ms: number): never {
    return this.#end({ type: "deepSleep", ms });
  }

  surroundings(): Surroundings {
    return (this.#options.surroundings ?? home)(this.#clock.localMs);
  }

  /** Ends the boot from outside a turn. */
  powerOff(): void {
    this.#finish({ type: "powerOff" });
  }

  get #tickLimit(): number {
    return this.#alive ? this.#clock.stepLimit : -1;
  }

  #queueJob(job: () => void): void {
    if (this.#jobs.length === 0) this.#postLater(0, RUN_JOBS);
    this.#jobs.push(job);
  }

  #postLater(delayMs: number, turn: () => void): Scheduled {
    const event = this.#world.schedule(delayMs, () => {
      this.#scheduled.delete(handle);
      this.#post(turn);
    });
    const handle: Scheduled = {
      cancel: () => {
        this.#scheduled.delete(handle);
        event.cancel();
        this.#unpost(turn);
      },
    };
    this.#scheduled.add(handle);
    return handle;
  }

  #post(turn: () => void): void {
    this.#messages.push(turn);
    if (this.#isAsleep && this.#alive) this.#next(() => this.#messagesPhase());
  }

  #unpost(turn: () => void): void {
    const waiting = this.#messages.indexOf(turn);
    if (waiting !== -1) this.#messages.splice(waiting, 1);
  }

  /** Runs one callback as a turn. An error that it does not catch ends the boot. */
  #turn(action: () => void, duringModule = false): boolean {
    if (!this.#alive) return false;
    this.#clock.beginTurn();
    const limits = { ticks: this.#tickLimit, bytes: TURN_BYTES_MAX };
    const charge = (stepCount: number): void => this.#clock.endTurn(stepCount, this.#alive);
    try {
      this.realm.enter(this.#host, limits, action, charge);
    } catch (error) {
      this.#failed(error, duringModule);
    }
    if (!this.#alive) this.#tellEnd();
    if (this.#mistake) throw this.#mistake;
    return this.#alive;
  }

  /** Lets a phase happen as soon as the chip is free, but not before `delayMs` have passed. */
  #next(phase: () => void, delayMs = 0): void {
    if (!this.#alive) return;
    this.#isAsleep = false;
    this.#wake?.cancel();
    this.#wake = this.#world.schedule(Math.max(delayMs, this.#clock.aheadMs), phase);
  }

  #timersPhase(): void {
    this.#clock.beginPhase();
    this.timers.execute(this.uptimeMs(), (callback) => this.#turn(callback));
    this.#next(() => this.#messagesPhase());
  }

  /** Runs the messages that are waiting when it begins. */
  #messagesPhase(): void {
    this.#clock.beginPhase();
    for (let count = this.#messages.length; count > 0 && this.#alive; count -= 1) {
      const message = this.#messages.shift();
      this.#clock.feedWatchdog();
      if (message === RUN_JOBS) this.#runJobs();
      else if (message !== undefined) this.#turn(message);
    }
    this.#clock.feedWatchdog();
    if (this.#alive) this.#sleepOrGoOn();
  }

  #sleepOrGoOn(): void {
    const next = this.timers.nextMs;
    const dueMs = next === undefined ? undefined : next - this.uptimeMs();
    if (this.#messages.length > 0 || (dueMs !== undefined && dueMs <= 0)) {
      this.#next(() => this.#timersPhase());
      return;
    }
    if (next !== undefined) {
      this.#next(() => this.#timersPhase(), this.#clock.untilUptime(next));
    }
    this.#isAsleep = true;
  }

  #runJobs(): void {
    const jobs = this.#jobs;
    this.#jobs = [];
    for (const job of jobs) if (!this.#turn(job)) return;
  }

  #overrun(): never {
    if (this.#alive) return this.#end({ type: "watchdog" });
    throw new BootOver("the boot is over");
  }

  #caught(error: unknown): void {
    if (!this.#alive) {
      this.realm.limitTicks(-1);
      throw new BootOver("the boot is over");
    }
    if (error instanceof PowerCut) this.#end({ type: "powerCut" });
    if (error instanceof UnerasedWrite) {
      this.#mistake = error;
      this.#end({ type: "powerOff" });
    }
    if (isStackOverflow(error)) this.#end({ type: "stackOverflow" });
  }

  #failed(error: unknown, duringModule: boolean): void {
    if (error instanceof BootOver || !this.#alive) return;
    if (error instanceof UnerasedWrite) {
      this.#mistake = error;
      this.#finish({ type: "powerOff" });
    } else if (error instanceof PowerCut) this.#finish({ type: "powerCut" });
    else if (isStackOverflow(error)) this.#finish({ type: "stackOverflow" });
    else this.#finish({ type: "uncaught", error, duringModule });
  }

  #end(end: BootEnd): never {
    this.#finish(end);
    throw new BootOver(`the boot is over: ${end.type}`);
  }

  /** Nothing runs from now on. In a turn the rest waits until its code is unwound: the stack may be full. */
  #finish(end: BootEnd): void {
    if (!this.#alive) return;
    this.#alive = false;
    // How deep the stack goes depends on Node: the time until then must not.
    const delayMs = end.type === "stackOverflow" ? 0 : this.#clock.aheadMs;
    this.#ended = { end, delayMs };
    if (this.#clock.isInTurn) this.realm.limitTicks(-1);
    else this.#tellEnd();
  }

  #tellEnd(): void {
    if (this.#isTold) return;
    this.#isTold = true;
    const ended = this.#ended ?? { end: { type: "stackOverflow" }, delayMs: 0 };
    this.#wake?.cancel();
    for (const scheduled of [...this.#scheduled]) scheduled.cancel();
    this.#messages.length = 0;
    this.#jobs = [];
    this.timers.clear();
    this.#options.onEnd(ended.end, ended.delayMs);
  }
}

/** The message that stands for all promise jobs queued so far. */
const RUN_JOBS = (): void => {};
