// The time on one boot's chip. The world stands still inside an event, but code takes time on a chip: each step that the meter
// counts is STEP_MS, and the chip's clock runs ahead of the world's by what its code took. It never waits: the event
// loop asks how far ahead the chip is before it runs the next phase. It feeds the watchdog with what the loop does in that time.

import type { Realm } from "../engine/realm.js";
import type { World } from "../world/world.js";
import { Watchdog } from "./watchdog.js";

/** 542 instructions an iteration of a small loop on the real chip, at 160 MHz. */
const STEP_MS = 542 / 160_000;
/** A rounding error of the world's clock must not keep a timer from being due. */
const ROUNDING_MS = 1e-6;
/**
 * The flash driver lets other tasks run for a tick between two operations of one call when it has occupied the chip for this time
 * (CONFIG_SPI_FLASH_ERASE_YIELD_DURATION_MS, CONFIG_SPI_FLASH_ERASE_YIELD_TICKS); never inside one, nor after other code has run.
 */
const FLASH_YIELD_AFTER_MS = 20;
const TICK_MS = 1;

export class ChipClock {
  readonly #world: World;
  /** Its meter counts the steps of the present turn. */
  readonly #realm: Realm;
  readonly #bootedAtMs: number;
  readonly #watchdog: Watchdog;
  /** Until then, on the world's clock, the code that ran keeps the chip busy. */
  #busyUntilMs: number;
  /** Time the present turn was blocked, besides its steps. */
  #blockedMs = 0;
  #isInTurn = false;
  /** The flash operations that follow each other without any code in between: how long they have taken, and when the last one ended. */
  #flashMs = 0;
  #flashEndMs = -1;

  /** @param aheadMs time that the boot has taken already */
  constructor(world: World, realm: Realm, aheadMs: number) {
    this.#world = world;
    this.#realm = realm;
    this.#bootedAtMs = world.nowMs + aheadMs;
    this.#busyUntilMs = this.#bootedAtMs;
    this.#watchdog = new Watchdog(this.#bootedAtMs);
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
    return Math.floor(this.localMs - this.#bootedAtMs + ROUNDING_MS);
  }

  /** From the world's present to a moment of this boot; negative when it is past. */
  untilUptime(uptimeMs: number): number {
    return this.#bootedAtMs + uptimeMs - this.#world.nowMs;
  }

  /** Steps that the present turn may take in all before the watchdog fires. */
  get stepLimit(): number {
    const atMs = Math.max(this.#world.nowMs, this.#busyUntilMs) + this.#blockedMs;
    return Math.floor((this.#watchdog.deadlineMs - atMs) / STEP_MS);
  }

  /** A phase of the loop begins. If the chip has been free before, the loop was waiting. */
  beginPhase(): void {
    const { nowMs } = this.#world;
    if (nowMs <= this.#busyUntilMs + ROUNDING_MS) return;
    this.#watchdog.idleFeeds(nowMs);
    this.#watchdog.loopFeeds(nowMs);
  }

  /** Between two messages. */
  feedWatchdog(): void {
    this.#watchdog.loopFeeds(this.localMs);
  }

  widenWatchdog(): void {
    this.#watchdog.widen(this.localMs);
  }

  beginTurn(): void {
    this.#busyUntilMs = Math.max(this.#world.nowMs, this.#busyUntilMs);
    this.#blockedMs = 0;
    this.#isInTurn = true;
  }

  /** `isCharged`: what the turn took keeps the chip busy from now on; not when its boot is over. */
  endTurn(stepCount: number, isCharged: boolean): void {
    this.#isInTurn = false;
    if (isCharged) this.#busyUntilMs += this.#turnMs(stepCount);
  }

  /** Native code computes, at most until the watchdog fires; false then. */
  compute(ms: number): boolean {
    const leftMs = this.#watchdog.deadlineMs - this.localMs;
    this.#blockedMs += Math.max(0, Math.min(ms, leftMs));
    return ms < leftMs;
  }

  /** The loop's task waits in the midst of a turn: other tasks run, but it does not feed the watchdog. False as above. */
  wait(ms: number): boolean {
    this.#watchdog.idleFeeds(this.localMs);
    const isOver = !this.compute(ms);
    this.#watchdog.idleFeeds(this.localMs);
    return !isOver;
  }

  /** The computing thread waits for the flash, and so does every other task: nothing runs while the flash is programmed or erased. */
  waitForFlash(ms: number): void {
    const startMs = this.localMs;
    if (startMs > this.#flashEndMs) this.#flashMs = 0;
    const yieldsMs = this.#flashMs >= FLASH_YIELD_AFTER_MS ? TICK_MS : 0;
    if (yieldsMs > 0) {
      this.#flashMs = 0;
      this.#watchdog.idleFeeds(startMs);
    }
    this.#flashMs += ms;
    if (this.#isInTurn) this.#blockedMs += ms + yieldsMs;
    else this.#busyUntilMs = startMs + ms + yieldsMs;
    this.#flashEndMs = this.localMs;
  }

  #turnMs(stepCount: number): number {
    return this.#blockedMs + stepCount * STEP_MS;
  }
}
