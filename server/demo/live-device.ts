// A device of the sample fleet from now on: it checks, downloads what it is offered, restarts, and passes its trial or rolls back, in real
// time. It has no hardware and verifies no signature: what it shows is the server.
//
//   idle ──offer──▶ downloading ──all bytes──▶ armed ──restart──▶ trial ──▶ idle (new image, or the old one again)
//                        └──fails──▶ idle

import { createHash } from "node:crypto";
import type { FastifyInstance } from "fastify";
import type { StatusRequest, UpdateResponse } from "../../firmware/core/wire.js";
import { inspectImage } from "../../release/describe.js";
import { SAMPLE_CHECK_SECONDS, type SampleState, sendSampleCheck } from "./sample-check.js";
import { badFractionOf } from "./sample-releases.js";

const CHECK_MS = SAMPLE_CHECK_SECONDS * 1000;
/** A download is fetched in so many parts, each reported: long enough to be seen. */
const PART_COUNT = 6;
const PART_MS = 5_000;
const RESTART_MS = 5_000;
const TRIAL_MS = 30_000;
/** Of the downloads: few enough that most rollouts are not paused by it. */
const FAILURE_FRACTION = 0.01;
/** Of the checks; then the device is without power for up to MAX_OUTAGE_MS. */
const OUTAGE_FRACTION = 1 / 900;
const MAX_OUTAGE_MS = 40 * 60_000;

type Step =
  | { readonly name: "idle" }
  | { readonly name: "downloading"; readonly offer: UpdateResponse; readonly parts: readonly Buffer[] }
  | { readonly name: "armed"; readonly offer: UpdateResponse; readonly next: SampleState }
  | { readonly name: "trial"; readonly offer: UpdateResponse; readonly before: SampleState };

export class LiveDevice {
  /** When it acts next, milliseconds since 1970. */
  dueAt: number;
  readonly #app: FastifyInstance;
  readonly #random: () => number;
  #state: SampleState;
  #step: Step = { name: "idle" };

  constructor(app: FastifyInstance, state: SampleState, now: number, random: () => number) {
    this.#app = app;
    this.#state = state;
    this.#random = random;
    this.dueAt = now + random() * CHECK_MS;
  }

  async act(now: number): Promise<void> {
    // If this fails, it is tried again then.
    this.dueAt = now + CHECK_MS;
    this.dueAt = now + (await this.#go());
  }

  /** @returns milliseconds until the next step */
  #go(): Promise<number> {
    const step = this.#step;
    switch (step.name) {
      case "idle":
        return this.#check();
      case "downloading":
        return this.#download(step.offer, step.parts);
      case "armed":
        return this.#restart(step.offer, step.next);
      case "trial":
        return this.#endTrial(step.before);
    }
  }

  async #check(): Promise<number> {
    if (this.#random() < OUTAGE_FRACTION) return this.#random() * MAX_OUTAGE_MS;
    const answer = await this.#send();
    if (!answer?.update_available) return this.#pause();
    await this.#report(answer, { status: "downloading", step: "downloading", bytes_downloaded: 0 });
    this.#step = { name: "downloading", offer: answer, parts: [] };
    return PART_MS;
  }

  async #download(offer: UpdateResponse, parts: readonly Buffer[]): Promise<number> {
    const partBytes = Math.ceil(offer.file_size / PART_COUNT);
    const from = parts.length * partBytes;
    const url = new URL(offer.download_url, "http://localhost");
    const answer = await this.#app.inject({
      url: `${url.pathname}${url.search}`,
      headers: { range: `bytes=${from}-${Math.min(from + partBytes, offer.file_size) - 1}` },
    });
    const isLost = parts.length === 2 && this.#random() < FAILURE_FRACTION;
    if (isLost || answer.statusCode !== 206)
      return this.#fail(offer, "DOWNLOAD_FAILED", "the server could not be reached for 10 minutes");
    const all = [...parts, answer.rawPayload];
    await this.#report(offer, {
      status: "downloading",
      step: "downloading",
      bytes_downloaded: Math.min(from + partBytes, offer.file_size),
    });
    if (from + partBytes >= offer.file_size) return this.#arm(offer, Buffer.concat(all));
    this.#step = { name: "downloading", offer, parts: all };
    return PART_MS;
  }

  async #arm(offer: UpdateResponse, image: Buffer): Promise<number> {
    if (createHash("sha256").update(image).digest("hex") !== offer.file_hash)
      return this.#fail(offer, "IMAGE_HASH_MISMATCH", "the image is not the one of the offer");
    await this.#report(offer, { status: "installing", step: "armed", bytes_downloaded: image.length });
    const { version, build_number } = offer;
    const { imageSha256 } = inspectImage(image);
    this.#step = {
      name: "armed",
      offer,
      next: { ...this.#state, version, build: build_number, imageSha256, slotState: "pending_verify" },
    };
    return RESTART_MS;
  }

  async #restart(offer: UpdateResponse, next: SampleState): Promise<number> {
    const before = this.#state;
    this.#state = { ...next, bootCount: before.bootCount + 1, resetReason: "software" };
    this.#step = { name: "trial", offer, before };
    await this.#send();
    return TRIAL_MS;
  }

  async #endTrial(before: SampleState): Promise<number> {
    const { type, version, bootCount } = this.#state;
    const isGood = this.#random() >= badFractionOf(type, version);
    this.#state = isGood
      ? { ...this.#state, slotState: "valid" }
      : { ...before, bootCount: bootCount + 1, resetReason: "task-watchdog" };
    this.#step = { name: "idle" };
    await this.#send();
    return this.#pause();
  }

  async #fail(offer: UpdateResponse, code: string, message: string): Promise<number> {
    await this.#report(offer, { status: "failed", error_code: code, error_message: message });
    this.#step = { name: "idle" };
    return this.#pause();
  }

  #send() {
    return sendSampleCheck(this.#app, this.#state, this.#random);
  }

  async #report(
    { firmware_id }: UpdateResponse,
    report: Omit<StatusRequest, "device_id" | "firmware_id">,
  ): Promise<void> {
    const payload = { device_id: this.#state.id, firmware_id, ...report };
    await this.#app.inject({ method: "POST", url: "/api/ota/status", payload });
  }

  /** Never in step with the others. */
  #pause(): number {
    return CHECK_MS * (0.9 + 0.2 * this.#random());
  }
}
