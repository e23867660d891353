// The devices of the sample fleet: each checks, updates itself, fails now and then, and some are not heard of any more.

import type { FastifyInstance } from "fastify";
import type { CheckResponse, UpdateResponse } from "../../firmware/core/wire.js";
import { sendSampleCheck } from "./sample-check.js";
import { type PublishedRelease, type Publisher, SAMPLE_CHIPS } from "./sample-releases.js";

type Random = () => number;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Devices check every two minutes. Of their past checks only some are generated. */
const PAUSE_MS = 72 * HOUR_MS;
/** And in the days before the end, when rollouts are under way. */
const CLOSE_PAUSE_MS = 4 * HOUR_MS;
const CLOSE_MS = 62 * HOUR_MS;
/** The part of a fleet that is gone: broken, or without power. */
const GONE_FRACTION = 0.07;
const FAILURE_FRACTION = 0.03;

export function makeSampleDevices(count: number, from: number, to: number, random: Random): SampleDevice[] {
  const types = ["base", "base", "led", "led", "led", "cms"];
  return Array.from({ length: count }, (_, index) => {
    const type = types[index % types.length] ?? "base";
    const number = (0x24_0a_c4 + Math.floor(random() * 0xff_ff)).toString(16).padStart(6, "0");
    // The fleet grows: most are there in the first days, the last come shortly before the end.
    const firstAt = from + random() ** 2 * (to - from) * 0.95;
    const goneAt = random() < GONE_FRACTION ? firstAt + random() * (to - firstAt) : Number.POSITIVE_INFINITY;
    return new SampleDevice({
      id: `${type}-${number}-${index}`,
      type,
      address: index,
      firstAt,
      goneAt,
      endsAt: to,
      random,
    });
  });
}

interface DeviceOptions {
  readonly id: string;
  readonly type: string;
  readonly address: number;
  readonly firstAt: number;
  readonly goneAt: number;
  readonly endsAt: number;
  readonly random: Random;
}

/** What it is about to find out of the release that it has installed. */
interface Trial {
  readonly firmwareId: number;
  readonly release: PublishedRelease;
  readonly isGood: boolean;
}

export class SampleDevice {
  dueAt: number;
  readonly #options: DeviceOptions;
  /** Its own, so that its history does not depend on the other devices. */
  readonly #draws: readonly number[];
  #drawCount = 0;
  #running: PublishedRelease | undefined;
  #bootCount = 1;
  #trial: Trial | undefined;
  #isGone = false;

  constructor(options: DeviceOptions) {
    this.#options = options;
    this.#draws = Array.from({ length: 97 }, options.random);
    this.dueAt = options.firstAt;
  }

  get isThere(): boolean {
    return !this.#isGone && this.#running !== undefined;
  }

  async act(app: FastifyInstance, publisher: Publisher, time: number): Promise<void> {
    const { goneAt, endsAt } = this.#options;
    if (time >= goneAt) {
      this.#isGone = true;
      this.dueAt = Number.POSITIVE_INFINITY;
      return;
    }
    this.#running ??= publisher.first(this.#options.type);
    const resetReason = this.#endTrial();
    const offer = await this.#check(app, resetReason);
    if (offer.update_available) await this.#install(app, publisher, offer);
    const pause = endsAt - time < CLOSE_MS ? CLOSE_PAUSE_MS : PAUSE_MS;
    this.dueAt = time + (this.#trial ? 10 * MINUTE_MS : pause * (0.5 + this.#draw()));
  }

  /** The restart after an update: either the new image runs, or the old one is back. */
  #endTrial(): string {
    const trial = this.#trial;
    if (!trial) return "power-on";
    this.#trial = undefined;
    this.#bootCount += trial.isGood ? 1 : 2;
    if (!trial.isGood) return "task-watchdog";
    this.#running = trial.release;
    return "software";
  }

  async #check(app: FastifyInstance, resetReason: string): Promise<CheckResponse> {
    const { id, type, address } = this.#options;
    const state = {
      id,
      type,
      chip: SAMPLE_CHIPS[type] ?? "esp32",
      version: this.#running?.version ?? "1.0.0",
      build: 0,
      imageSha256: this.#running?.imageSha256 ?? "",
      slotState: "valid",
      bootCount: this.#bootCount,
      resetReason,
      address: `192.168.${1 + Math.floor(address / 250)}.${2 + (address % 250)}`,
    } as const;
    const answer = await sendSampleCheck(app, state, () => this.#draw());
    if (!answer) throw new Error(`sample data: the check of ${id} was refused`);
    return answer;
  }

  async #install(app: FastifyInstance, publisher: Publisher, offer: UpdateResponse): Promise<void> {
    const release = publisher.find(offer.firmware_id);
    if (!release) return;
    const report = (payload: object) =>
      app.inject({
        method: "POST",
        url: "/api/ota/status",
        payload: { device_id: this.#options.id, firmware_id: offer.firmware_id, ...payload },
      });
    await report({
      status: "downloading",
      step: "downloading",
      bytes_downloaded: Math.floor(offer.file_size / 3),
    });
    if (this.#draw() < FAILURE_FRACTION) {
      await report({
        status: "failed",
        error_code: "DOWNLOAD_FAILED",
        error_message: "the server could not be reached for 10 minutes",
      });
      return;
    }
    await report({ status: "installing", step: "armed", bytes_downloaded: offer.file_size });
    const isGood = this.#draw() >= (release.badFraction ?? 0);
    this.#trial = { firmwareId: offer.firmware_id, release, isGood };
  }

  #draw(): number {
    return this.#draws[this.#drawCount++ % this.#draws.length] ?? 0;
  }
}
