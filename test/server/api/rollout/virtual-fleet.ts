// Devices that only speak the device API by HTTP: they check, install what they are offered, restart, and end as the test
// requires. No firmware runs in them; their reports have the shape and the order of those of firmware/core.

import { createHash } from "node:crypto";
import { expect } from "chai";
import type { SlotState } from "../../../../firmware/core/wire.js";

/** How an update ends on a device. `silent`: it fetches the image and never reports again. */
export type Fate = "validate" | "roll back" | "fail" | "silent";

interface Image {
  readonly version: string;
  readonly build: number;
  readonly sha256: string;
}
interface Offered {
  readonly firmware_id: number;
  readonly version: string;
  readonly build_number: number;
  readonly imageSha256: string;
}

/** A server, or what reaches one by its address. */
export interface Server {
  inject(request: {
    readonly method: "POST";
    readonly url: string;
    readonly payload: object;
  }): Promise<{ readonly statusCode: number; readonly body: string; json(): unknown }>;
}

export const imageOf = (version: string): string =>
  createHash("sha256").update(`image ${version}`).digest("hex");

export class VirtualClient {
  readonly id: string;
  /** Called at the end of each update. */
  fate: (version: string) => Fate;
  #image: Image;
  #slotState: SlotState = "valid";
  #resetReason = "power-on";
  #bootCount = 1;
  #offered: Offered | undefined;
  #step: "idle" | "downloading" | "armed" | "trial" | "gone" = "idle";
  readonly #app: Server;
  readonly #hashOf: (version: string) => string;

  /** @param hashOf what is appended to the image of a version */
  constructor(
    app: Server,
    id: string,
    fate: (version: string) => Fate = () => "validate",
    version = "1.0.0",
    hashOf = imageOf,
  ) {
    this.#app = app;
    this.#hashOf = hashOf;
    this.id = id;
    this.fate = fate;
    this.#image = { version, build: 0, sha256: hashOf(version) };
  }

  get version(): string {
    return this.#image.version;
  }
  get isUpdating(): boolean {
    return this.#step !== "idle" && this.#step !== "gone";
  }

  /** One action of a device; the test moves the clock between them. */
  async act(): Promise<void> {
    switch (this.#step) {
      case "gone":
        return;
      case "idle":
        return this.#check();
      case "downloading":
        await this.#report("installing", "armed");
        this.#step = this.fate(this.#offered!.version) === "silent" ? "gone" : "armed";
        return;
      case "armed":
        return this.#restart();
      case "trial":
        return this.#endTrial();
    }
  }

  async #check(): Promise<void> {
    const answer = await this.#post("/api/ota/check", {
      device_type: "base",
      current_version: this.#image.version,
      current_build: this.#image.build,
      chip: "esp32",
      hardware: "esp32",
      image_sha256: this.#image.sha256,
      slot: "ota_0",
      slot_state: this.#slotState,
      boot_count: this.#bootCount,
      reset_reason: this.#resetReason,
    });
    if (!answer.update_available || this.#slotState === "pending_verify") return;
    this.#offered = { ...(answer as unknown as Offered), imageSha256: this.#hashOf(String(answer.version)) };
    await this.#report("downloading", "downloading");
    if (this.fate(this.#offered.version) === "fail") {
      await this.#report("failed", "downloading", {
        error_code: "BODY_TRUNCATED",
        error_message: "the body ended early",
      });
      return;
    }
    this.#step = "downloading";
  }

  async #restart(): Promise<void> {
    this.#bootCount++;
    this.#resetReason = "software";
    const before = this.#image;
    this.#image = {
      version: this.#offered!.version,
      build: this.#offered!.build_number,
      sha256: this.#offered!.imageSha256,
    };
    this.#slotState = "pending_verify";
    await this.#check();
    this.#step = "trial";
    if (this.fate(this.#offered!.version) === "validate") return;
    this.#image = before;
    this.#slotState = "valid";
    this.#resetReason = "panic";
    this.#bootCount++;
  }

  async #endTrial(): Promise<void> {
    this.#step = "idle";
    if (this.#slotState === "pending_verify") {
      this.#slotState = "valid";
      await this.#report("success", "validated", { image_sha256: this.#image.sha256, slot_state: "valid" });
    } else {
      await this.#report("failed", "rolled back", {
        error_code: "ROLLED_BACK",
        error_message: "panic in the trial",
      });
    }
  }

  #report(status: string, step: string, more: object = {}) {
    return this.#post("/api/ota/status", { firmware_id: this.#offered?.firmware_id, status, step, ...more });
  }

  async #post(url: string, body: object): Promise<Record<string, unknown>> {
    const answer = await this.#app.inject({ method: "POST", url, payload: { device_id: this.id, ...body } });
    expect(answer.statusCode, answer.body).to.equal(200);
    return answer.json() as Record<string, unknown>;
  }
}
