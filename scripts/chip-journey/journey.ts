// What the steps of a journey share: the device and what is known of it, its server, its power, its serial line, and the images, each
// newer than the one before.

import type { JWK } from "jose";
import type { CheckRequest } from "../../firmware/core/wire.js";
import { describeRelease } from "../../release/describe.js";
import { signRelease } from "../../release/signing.js";
import { type Address, type Answer, type Ask, ask } from "./device-door.js";
import type { Front, Report } from "./front.js";
import { newerThan, versionOf } from "./images.js";
import type { MemoryLog } from "./memory-log.js";
import type { Power } from "./power.js";
import type { SerialLine } from "./serial-line.js";
import { pause, until } from "./waiting.js";

/** Images by what they do. Only the first is required: copies of it are used wherever the same code will do. */
export interface Images {
  /** What runs when the journey begins. */
  readonly a: Uint8Array;
  readonly b?: Uint8Array | undefined;
  readonly throws?: Uint8Array | undefined;
  readonly hangs?: Uint8Array | undefined;
  readonly dies?: Uint8Array | undefined;
}

export interface JourneyParts {
  readonly images: Images;
  /** Private release key that the images trust. */
  readonly key: JWK;
  /** The owner's token: what the device has, or what it is given. */
  readonly token: string;
  readonly front: Front;
  readonly serial: SerialLine | undefined;
  readonly power: Power | undefined;
  readonly memory: MemoryLog;
  /** Where the device is reached; by default at the address that it reports. */
  readonly page?: Address | undefined;
  readonly push?: Address | undefined;
  /** Where its power is cut in an update, bytes; by default in the middle. */
  readonly cutAtBytes?: number | undefined;
  /** All time limits are multiplied by it. */
  readonly patience: number;
  /** Shows the progress of a step. */
  readonly say: (text: string) => void;
}

export interface SignedImage {
  readonly image: Uint8Array;
  readonly release: string;
  readonly version: string;
  /** Its hash in a check identifies the running image. */
  readonly imageSha256: string;
}

export interface Offer extends SignedImage {
  readonly firmwareId: number;
}

/** Of `/api/version`. */
export interface Facts {
  readonly version: string;
  readonly slot: string;
  readonly slotState: string;
  readonly uptimeSeconds: number;
  readonly freeHeapBytes: number;
}

/** Of `/api/settings`. */
export interface Settings {
  readonly checkSeconds: number;
  readonly deviceName: string;
  readonly hasToken: boolean;
  readonly attendedSeconds: number;
  readonly defaults: { readonly checkSeconds: number };
}

/** A step that cannot be run here, and why. */
export class Skipped extends Error {
  override readonly name = "Skipped";
}

/** Bytes per second that any device achieves. */
const SLOWEST_BYTES_A_SECOND = 8 * 1024;
/** From the last byte to the first check of the new image. */
const RESTART_SECONDS = 60;
const TRIAL_SECONDS = 120;
/** How long a device may have no connection left for its pages. */
const BUSY_SECONDS = 15;
const BUSY_PAUSE_MS = 500;

export class Journey {
  readonly parts: JourneyParts;
  /** The update that is interrupted by a power cut. */
  offered: (Offer & { readonly cutAt?: number }) | undefined;
  /** Its settings differ from those it started with. */
  hasOtherSettings = false;
  /** Requests that it took and closed without an answer. */
  lostRequestCount = 0;
  #newest: string;

  constructor(parts: JourneyParts) {
    this.parts = parts;
    this.#newest = versionOf(parts.images.a);
  }

  // ── what the device reported

  /** Its last check. @throws Error before the first */
  get device(): CheckRequest {
    const last = this.parts.front.checks.at(-1);
    if (!last) throw new Error("the device has not reached the server yet");
    return last;
  }

  get page(): Address {
    return this.parts.page ?? { host: this.#ownAddress(), port: 80 };
  }

  get push(): Address {
    return this.parts.push ?? { host: this.#ownAddress(), port: 3232 };
  }

  #ownAddress(): string {
    const { address } = this.device;
    if (!address) throw new Error("the device does not report its address: set it with --page and --push");
    return address;
  }

  // ── requests to it

  /**
   * One request to its pages. A request that the device closes without an answer is repeated, and counted: it has room for few connections, and
   * gives idle ones ten seconds.
   */
  async ask(path: string, options: Ask = {}): Promise<Answer> {
    const limited = { ...options, limitMs: this.limitMs(20) };
    const end = Date.now() + this.limitMs(BUSY_SECONDS);
    for (;;) {
      try {
        return await ask(this.page, path, limited);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ECONNRESET" || Date.now() > end) throw error;
      }
      if (this.lostRequestCount === 0)
        this.parts.say(`${path} was closed without an answer, and is sent again`);
      this.lostRequestCount += 1;
      await pause(BUSY_PAUSE_MS);
    }
  }

  /** A change, with a token or without. */
  change(path: string, body: object, token?: string): Promise<Answer> {
    return this.ask(path, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    });
  }

  async facts(): Promise<Facts> {
    const { status, text } = await this.ask("/api/version");
    if (status !== 200) throw new Error(`/api/version was answered ${status}`);
    const facts = JSON.parse(text) as Facts;
    this.parts.memory.noteHeap(facts.freeHeapBytes);
    return facts;
  }

  /** Restores the build's settings after a step; does nothing when the device does not answer. */
  async restoreSettings(): Promise<void> {
    if (!this.hasOtherSettings) return;
    const { token } = this.parts;
    const restored = async () => {
      const { checkSeconds } = (await this.settings()).defaults;
      await this.change("/api/settings", { checkSeconds, deviceName: "" }, token);
    };
    await restored().catch(() => undefined);
  }

  async settings(): Promise<Settings> {
    const { status, text } = await this.ask("/api/settings");
    if (status !== 200) throw new Error(`/api/settings was answered ${status}`);
    return JSON.parse(text) as Settings;
  }

  // ── waiting for it

  limitMs(seconds: number): number {
    return seconds * 1000 * this.parts.patience;
  }

  /** Until it answers on port 80. */
  answers(seconds = 60): Promise<Facts> {
    return until("an answer of the device's pages", this.limitMs(seconds), () => this.facts());
  }

  /** The first check after the `count`th that is as expected. */
  checkAfter(
    count: number,
    what: string,
    seconds: number,
    isIt: (check: CheckRequest) => boolean = () => true,
  ): Promise<CheckRequest> {
    return until(what, this.limitMs(seconds + this.#checkSeconds()), () =>
      this.parts.front.checks.slice(count).find(isIt),
    );
  }

  /** The first report about a firmware after the `count`th that is as expected. */
  reportAfter(
    count: number,
    what: string,
    seconds: number,
    isIt: (report: Report) => boolean,
  ): Promise<Report> {
    return until(what, this.limitMs(seconds + this.#checkSeconds()), () =>
      this.parts.front.reports.slice(count).find(isIt),
    );
  }

  #checkSeconds(): number {
    return (this.parts.front.checks.at(-1)?.check_seconds ?? 120) * 1.2;
  }

  /** Until an image has passed its trial. */
  async validated({ image, version, imageSha256 }: SignedImage, checkCount: number): Promise<CheckRequest> {
    this.parts.say(`${version} is on its way`);
    const isThere = (check: CheckRequest) => check.image_sha256 === imageSha256;
    await this.checkAfter(checkCount, `a check of ${version}`, secondsToTake(image.length), isThere);
    this.parts.say(`${version} runs on trial`);
    return this.checkAfter(
      checkCount,
      `the validation of ${version}`,
      TRIAL_SECONDS,
      (check) => isThere(check) && check.slot_state === "valid",
    );
  }

  // ── images

  /** Newer than all before, and signed by the key that the device trusts, or by another. */
  async sign(image: Uint8Array, key: JWK = this.parts.key): Promise<SignedImage> {
    const newer = newerThan(this.#newest, image);
    this.#newest = versionOf(newer);
    const { device_type, hardware } = this.device;
    const payload = describeRelease(newer, {
      type: device_type,
      ...(hardware === undefined ? {} : { hardware }),
      created: Math.floor(Date.now() / 1000),
    });
    const { version, imageSha256 } = payload;
    return { image: newer, release: await signRelease(payload, key), version, imageSha256 };
  }

  /** Signs it and puts it on the server, which offers it to the device with its next check. */
  async offer(image: Uint8Array, key?: JWK): Promise<Offer> {
    const signed = await this.sign(image, key);
    return { ...signed, firmwareId: await this.parts.front.upload(signed.image, signed.release) };
  }
}

/** Generous: download, restart and the first check. */
export const secondsToTake = (sizeBytes: number): number =>
  sizeBytes / SLOWEST_BYTES_A_SECOND + RESTART_SECONDS;

export const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(bytes < 102_400 ? 1 : 0)} KB`;

/** @throws Error saying what is not so */
export function expect(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(what);
}
