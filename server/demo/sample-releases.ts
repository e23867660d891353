// The releases of the sample fleet, and the operator who publishes them.

import type { FastifyInstance } from "fastify";
import type { JWK } from "jose";
import type { Chip } from "../../host-sim/hardware/chips.js";
import { buildFirmwareImage } from "../../host-sim/hardware/image/firmware-image.js";
import { describeRelease } from "../../release/describe.js";
import { makeReleaseKeys } from "../../release/keys.js";
import { signRelease } from "../../release/signing.js";

export interface SampleRelease {
  readonly type: string;
  readonly version: string;
  readonly hoursBeforeEnd: number;
  readonly notes: string;
  /** Share of the devices on which it fails its trial. */
  readonly badFraction?: number;
  /** Given out by a rollout with these stages, in percent; absent: offered to all. */
  readonly stages?: readonly number[];
}

/** The types of the sample fleet, and the chip of each. */
export const SAMPLE_CHIPS: Readonly<Record<string, Chip>> = Object.freeze({
  base: "esp32c3",
  led: "esp32",
  cms: "esp32s3",
});

export const SAMPLE_RELEASES: readonly SampleRelease[] = Object.freeze([
  { type: "base", version: "1.0.0", hoursBeforeEnd: 672, notes: "First release" },
  { type: "led", version: "2.0.0", hoursBeforeEnd: 672, notes: "Segments and scenes" },
  { type: "cms", version: "1.0.0", hoursBeforeEnd: 672, notes: "First release" },
  { type: "base", version: "1.1.0", hoursBeforeEnd: 500, notes: "Wi-Fi comes back faster after an outage" },
  { type: "cms", version: "1.1.0", hoursBeforeEnd: 380, notes: "Sharper dithering", badFraction: 0.03 },
  { type: "led", version: "2.0.1", hoursBeforeEnd: 300, notes: "Keep the brightness over a restart" },
  { type: "base", version: "1.2.0", hoursBeforeEnd: 200, notes: "Less memory", badFraction: 0.02 },
  {
    type: "cms",
    version: "1.2.0",
    hoursBeforeEnd: 60,
    notes: "New panel driver",
    badFraction: 0.5,
    stages: [20, 100],
  },
  { type: "led", version: "2.1.0", hoursBeforeEnd: 30, notes: "Music mode", stages: [10, 40, 100] },
]);

export interface PublishedRelease extends SampleRelease {
  readonly imageSha256: string;
}

export class Publisher {
  readonly #app: FastifyInstance;
  readonly #token: string;
  readonly #key: JWK;
  readonly #random: () => number;
  readonly #published = new Map<number, PublishedRelease>();

  private constructor(app: FastifyInstance, token: string, key: JWK, random: () => number) {
    this.#app = app;
    this.#token = token;
    this.#key = key;
    this.#random = random;
  }

  static async open(app: FastifyInstance, token: string, random: () => number): Promise<Publisher> {
    return new Publisher(app, token, (await makeReleaseKeys()).privateKey, random);
  }

  /** By the id that the server gave it. */
  find(firmwareId: number): PublishedRelease | undefined {
    return this.#published.get(firmwareId);
  }

  first(type: string): PublishedRelease | undefined {
    return [...this.#published.values()].find((release) => release.type === type);
  }

  async publish(release: SampleRelease): Promise<void> {
    const { type, version, notes, stages } = release;
    const bundle = `trace("${type} ${version}");`.repeat(1500 + Math.floor(this.#random() * 1500));
    const chip = SAMPLE_CHIPS[type] ?? "esp32";
    const image = Buffer.from(buildFirmwareImage({ chip, version, project: type, bundle }));
    const described = describeRelease(image, { created: Math.floor(this.#app.context.now() / 1000) });
    const form = new FormData();
    form.set("release", await signRelease(described, this.#key));
    form.set("release_notes", notes);
    form.set("is_stable", String(stages === undefined));
    form.set("file", new Blob([new Uint8Array(image)]), `${type}-${version}.bin`);
    const encoded = new Response(form);
    const { id } = await this.#send("/api/ota/admin/upload", Buffer.from(await encoded.arrayBuffer()), {
      "content-type": encoded.headers.get("content-type") ?? "",
    });
    this.#published.set(id, { ...release, imageSha256: described.imageSha256 });
    if (stages) await this.#rollOut(id, stages);
  }

  async #rollOut(firmwareId: number, stages: readonly number[]): Promise<void> {
    const { id } = await this.#send("/api/rollouts", {
      firmware_id: firmwareId,
      seed: "sample",
      // What devices said in the past is told in hours, not in minutes.
      gates: { silent_seconds: 12 * 3600 },
      stages: stages.map((percent) => ({ percent, soak_seconds: 3 * 3600, min_validated: 2 })),
    });
    await this.#send(`/api/rollouts/${id}/start`, {});
  }

  async #send(url: string, payload: Buffer | object, headers = {}): Promise<{ readonly id: number }> {
    const authorization = `Bearer ${this.#token}`;
    const answer = await this.#app.inject({
      method: "POST",
      url,
      payload,
      headers: { authorization, ...headers },
    });
    if (answer.statusCode >= 300) throw new Error(`sample data: ${url} was answered ${answer.body}`);
    return answer.json();
  }
}
