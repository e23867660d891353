// The time on one boot's chip. The world stands still inside an event, but code takes time on a chip: each step that the meter
// counts is STEP_MS, and the chip's clock runs ahead of the world's by what its code took. It never waits: whoever runs the
// next phase asks how far ahead the chip is.

import type { World } from "../world.js";
import type { Realm } from "./realm.js";

/** 542 instructions an iteration of a small loop on the real chip, at 160 MHz. */
const STEP_MS = 542 / 160_000;
/** CONFIG_ESP_TASK_WDT_TIMEOUT_S: who computes longer in one turn is restarted. About 1.48 million steps. */
const WATCHDOG_MS = 5_000;
/** Floating-point dust on the world's clock must not keep a timer from being due. */
const DUST_MS = 1e-6;

export class ChipClock {
  readonly #world: World;
  /** Its meter counts the steps of the present turn. */
  readonly #realm: Realm;
  readonly #bootedAtMs: number;
  /** Until then, on the world's clock, the code that ran keeps the chip busy. */
  #busyUntilMs: number;
  /** Time the present turn was blocked, besides its steps. */
  #blockedMs = 0;
  /** Of the present turn, time with the flash: other tasks run meanwhile, so the watchdog does not count it. */
  #flashMs = 0;
  #isInTurn = false;

  /** @param aheadMs time that the boot has taken already */
  constructor(world: World, realm: Realm, aheadMs: number) {
    this.#world = world;
    this.#realm = realm;
    this.#bootedAtMs = world.nowMs + aheadMs;
    this.#busyUntilMs = this.#bootedAtMs;
  }

  /** Firmware's code runs. */
  get isInTurn(): boolean {
    return this.#isInTurn;
  }

  /** The chip's clock on the world's scale. */
  get localMs(): number {
    const turnMs = this.#isInTurn ? this.#turnMs(this.#realm.tickCount) : 0;
    return Math.max(this.#world.nowMs, this.#busyUntilMs) + turnMs;
  }

  /** How far the chip is ahead of the world; 0 or more. */
  get aheadMs(): number {
    return this.localMs - this.#world.nowMs;
  }

  /** Since this boot, a whole number. */
  get uptimeMs(): number {
    return Math.floor(this.localMs - this.#bootedAtMs + DUST_MS);
  }

  /** From the world's present to a moment of this boot; negative when it is past. */
  untilUptime(uptimeMs: number): number {
    return this.#bootedAtMs + uptimeMs - this.#world.nowMs;
  }

  /** Steps that the present turn may take in all before the watchdog bites. */
  get stepLimit(): number {
    return Math.floor((WATCHDOG_MS - this.#blockedMs) / STEP_MS);
  }

  beginTurn(): void {
    this.#busyUntilMs = Math.max(this.#world.nowMs, this.#busyUntilMs);
    this.#blockedMs = 0;
    this.#flashMs = 0;
    this.#isInTurn = true;
  }

  /** `isCharged`: what the turn took keeps the chip busy from now on; not when its boot is over. */
  endTurn(stepCount: number, isCharged: boolean): void {
    this.#isInTurn = false;
    if (isCharged) this.#busyUntilMs += this.#turnMs(stepCount);
  }

  /** Blocks the present turn, at most until the watchdog bites; false then. */
  block(ms: number): boolean {
    const leftMs = WATCHDOG_MS - this.#blockedMs - this.#realm.tickCount * STEP_MS;
    this.#blockedMs += Math.min(ms, leftMs);
    return ms < leftMs;
  }

  /** The computing thread waits for the flash; an erase lets other tasks run (CONFIG_SPI_FLASH_YIELD_DURING_ERASE). */
  waitForFlash(ms: number): void {
    if (this.#isInTurn) this.#flashMs += ms;
    else this.#busyUntilMs = this.localMs + ms;
  }

  #turnMs(stepCount: number): number {
    return this.#blockedMs + this.#flashMs + stepCount * STEP_MS;
  }
}
