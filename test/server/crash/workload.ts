// What people and devices do while the server is killed, and which of it the server has acknowledged: at least that must be
// there afterwards.

import { expect } from "chai";
import type { BlobStore } from "../../../server/blobs/blobs.js";
import type { Store, Update } from "../../../server/store/store.js";
import { listed } from "../../contract/blobs.js";
import { makeRelease } from "../test-server.js";
import type { Answering } from "./processes.js";

const DEVICE_COUNT = 6;
/** Additional devices without changes or offers: their checks are no-ops, and share commits. */
const STILL_COUNT = 6;
const ALL = { limit: 10_000, offset: 0 };
/** An attempt never goes back. */
const RANKS = ["pending", "downloading", "installing", "failed", "success"];

interface KnownDevice {
  bootCount: number;
  acknowledgedBootCount: number;
  firmwareId: number | undefined;
  bytes: number;
}
interface StillDevice {
  /** Reported as its free memory, which a no-op check may change: one number per check. */
  checkCount: number;
  acknowledgedCount: number;
  /** When the last acknowledged check was sent, milliseconds since 1970. */
  sentAt: number;
}
interface Report {
  readonly updateId: number;
  readonly rank: number;
  readonly bytes: number;
}

export class Workload {
  readonly #random: () => number;
  readonly #devices = new Map<string, KnownDevice>();
  readonly #still = new Map<string, StillDevice>();
  readonly #reports = new Map<string, Report>();
  readonly #uploads = new Map<number, { readonly version: string; readonly sha256: string }>();
  #uploadCount = 0;
  acknowledgedCount = 0;
  /** Requests that were answered 503: whether they were carried out is open. */
  refusedCount = 0;

  constructor(random: () => number) {
    this.#random = random;
    for (let n = 0; n < DEVICE_COUNT; n++) {
      this.#devices.set(`base-${n}`, {
        bootCount: 0,
        acknowledgedBootCount: 0,
        firmwareId: undefined,
        bytes: 0,
      });
    }
    for (let n = 0; n < STILL_COUNT; n++)
      this.#still.set(`still-${n}`, { checkCount: 0, acknowledgedCount: 0, sentAt: 0 });
  }

  /** Continues until the server no longer answers, or until `end`. What it cannot do without its database, it refuses (503). */
  async run(server: Answering, end?: AbortSignal): Promise<void> {
    const ids = [...this.#devices.keys()];
    const lane = async (mine: readonly string[], still: readonly string[], uploads: boolean) => {
      while (!end?.aborted)
        await this.#step(server, mine, still, uploads).catch((error) => this.#refused(error));
    };
    // Each device does one thing at a time, as in reality.
    const still = [...this.#still.keys()];
    const lanes = [lane(ids.slice(0, 3), still.slice(0, 3), true), lane(ids.slice(3), still.slice(3), false)];
    await Promise.all(lanes.map((running) => running.catch(unlessGone)));
  }

  async #step(
    server: Answering,
    mine: readonly string[],
    still: readonly string[],
    uploads: boolean,
  ): Promise<void> {
    if (this.#random() < 0.5) await this.#checkNoOp(server, still);
    if (uploads && this.#random() < 0.5) await this.#upload(server);
    const id = mine[Math.floor(this.#random() * mine.length)] ?? "";
    const device = this.#devices.get(id)!;
    if (device.firmwareId === undefined || this.#random() < 0.4) await this.#check(server, id, device);
    else await this.#report(server, id, device);
  }

  #refused(error: unknown): void {
    if (!(error instanceof Unavailable)) throw error;
    this.refusedCount++;
  }

  async #check(server: Answering, id: string, device: KnownDevice): Promise<void> {
    const bootCount = ++device.bootCount;
    const answer = await post(server, "/api/ota/check", {
      device_id: id,
      device_type: "base",
      current_version: "1.0.0",
      current_build: 0,
      chip: "esp32",
      hardware: "esp32",
      image_sha256: "a".repeat(64),
      slot_state: "factory",
      boot_count: bootCount,
    });
    device.acknowledgedBootCount = bootCount;
    device.firmwareId = answer.firmware_id as number | undefined;
    this.acknowledgedCount++;
  }

  /** All at once; the first after a start, or after an upload, takes the full path. */
  async #checkNoOp(server: Answering, ids: readonly string[]): Promise<void> {
    const checks = ids.map(async (id) => {
      const device = this.#still.get(id)!;
      const checkCount = ++device.checkCount;
      const sentAt = Date.now();
      const answer = await post(server, "/api/ota/check", {
        device_id: id,
        device_type: "still",
        current_version: "1.0.0",
        current_build: 0,
        free_heap: checkCount,
      });
      expect(answer).to.include({ update_available: false });
      Object.assign(device, { acknowledgedCount: checkCount, sentAt });
    });
    // Every answer is awaited, so that none is acknowledged unnoticed.
    const failed = (await Promise.allSettled(checks)).find((check) => check.status === "rejected");
    if (failed) throw failed.reason;
  }

  async #report(server: Answering, id: string, device: KnownDevice): Promise<void> {
    const bytes = ++device.bytes;
    const isFailure = this.#random() < 0.2;
    const report = {
      device_id: id,
      firmware_id: device.firmwareId,
      ...(isFailure
        ? { status: "failed", error_code: "BODY_TRUNCATED", error_message: `after ${bytes}` }
        : { status: "downloading", bytes_downloaded: bytes }),
    };
    const answer = await post(server, "/api/ota/status", report, [200, 409]);
    // a failure was stored whose answer was lost
    if (answer.error === "ATTEMPT_CLOSED") device.firmwareId = undefined;
    expect(answer.error).to.be.oneOf([undefined, "ATTEMPT_CLOSED"]);
    if (answer.error !== undefined) return;
    const { update_id, status } = answer as { update_id: number; status: string };
    // the next attempt begins with a check
    if (status === "failed") device.firmwareId = undefined;
    this.#reports.set(id, { updateId: update_id, rank: RANKS.indexOf(status), bytes: isFailure ? 0 : bytes });
    this.acknowledgedCount++;
  }

  async #upload(server: Answering): Promise<void> {
    const version = `1.1.${++this.#uploadCount}`;
    const made = await makeRelease(version);
    const form = new FormData();
    form.set("release", made.release);
    form.set("file", new Blob([new Uint8Array(made.image)]), "base.bin");
    const headers = { authorization: `Bearer ${server.adminToken}` };
    const answer = await fetch(`${server.url}/api/ota/admin/upload`, { method: "POST", body: form, headers });
    const text = await textOf(answer);
    expect(answer.status, text).to.equal(201);
    const { id, file_hash } = JSON.parse(text) as { id: number; file_hash: string };
    this.#uploads.set(id, { version, sha256: file_hash });
    this.acknowledgedCount++;
  }

  /** Checks that everything acknowledged is there, and nothing is partial. */
  async verify(store: Store, blobs: BlobStore): Promise<void> {
    const { rows: firmware } = await store.listFirmware({}, ALL);
    for (const [id, { version, sha256 }] of this.#uploads) {
      expect(
        firmware.find((one) => one.id === id),
        `upload ${id}`,
      ).to.include({ version, fileHash: sha256 });
    }
    for (const { fileHash, fileSize } of firmware) {
      expect(await blobs.stat(fileHash), `file ${fileHash}`).to.include({ sizeBytes: fileSize });
    }
    const { rows: updates } = await store.listUpdates({}, ALL);
    const events = await store.listEvents({ limit: 10_000 });
    for (const [id, { acknowledgedBootCount }] of this.#devices)
      await this.#verifyDevice(store, id, acknowledgedBootCount, updates);
    for (const [id, { acknowledgedCount, sentAt }] of this.#still) {
      if (acknowledgedCount === 0) continue;
      const device = await store.findDevice(id);
      expect(device?.freeHeap, `last check of ${id}`).to.be.at.least(acknowledgedCount);
      expect(device?.lastSeen, `last check of ${id}`).to.be.at.least(sentAt);
    }
    // What one transaction writes is there as a whole: a device with its boots in the log, firmware and a failure with theirs.
    const { rows: devices } = await store.listDevices({}, ALL);
    const logged = (kind: string) => events.filter((event) => event.kind === kind);
    expect(logged("device.registered").map(({ deviceId }) => deviceId)).to.have.members(
      devices.map(({ id }) => id),
    );
    expect(logged("firmware.uploaded").map(({ firmwareId }) => firmwareId)).to.have.members(
      firmware.map(({ id }) => id),
    );
    for (const { id, bootCount } of devices) {
      const boots = logged("device.booted").filter(({ deviceId }) => deviceId === id);
      if (boots.length > 0) expect(boots[0]?.detail?.boot_count, `last boot of ${id}`).to.equal(bootCount);
    }
    const failed = updates.filter(({ status }) => status === "failed");
    // The server itself ends an attempt when a newer release is offered: that has its own kind in the log.
    const ends = ["update.failed", "update.superseded", "update.withdrawn"].flatMap(logged);
    expect(ends.map(({ updateId }) => updateId)).to.have.members(failed.map(({ id }) => id));
  }

  async #verifyDevice(
    store: Store,
    id: string,
    bootCount: number,
    updates: readonly Update[],
  ): Promise<void> {
    const device = await store.findDevice(id);
    if (bootCount > 0) expect(device?.bootCount, id).to.be.at.least(bootCount);
    const open = updates.filter(({ deviceId, finishedAt }) => deviceId === id && finishedAt === null);
    expect(open.length, `open attempts of ${id}`).to.be.at.most(1);
    const report = this.#reports.get(id);
    if (!report) return;
    const update = updates.find((one) => one.id === report.updateId);
    expect(update, `attempt ${report.updateId} of ${id}`).to.not.equal(undefined);
    expect(RANKS.indexOf(update?.status ?? ""), `attempt ${report.updateId}`).to.be.at.least(report.rank);
    expect(update?.bytesDownloaded, `attempt ${report.updateId}`).to.be.at.least(report.bytes);
  }
}

/** A killed server is expected not to answer; any other error is rethrown. */
function unlessGone(error: unknown): void {
  if (!(error instanceof TypeError)) throw error;
}

/** After unreferenced files are removed, the files are those of the firmware. */
export async function expectNoOrphans(store: Store, blobs: BlobStore): Promise<void> {
  const { rows: firmware } = await store.listFirmware({}, ALL);
  expect((await listed(blobs)).map(({ sha256 }) => sha256)).to.have.members([
    ...new Set(firmware.map(({ fileHash }) => fileHash)),
  ]);
}

async function post(
  server: Answering,
  path: string,
  body: object,
  statuses: readonly number[] = [200],
): Promise<Record<string, unknown>> {
  const answer = await fetch(`${server.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await textOf(answer);
  expect(answer.status, text).to.be.oneOf([...statuses]);
  return JSON.parse(text) as Record<string, unknown>;
}

class Unavailable extends Error {}

async function textOf(answer: Response): Promise<string> {
  const text = await answer.text();
  if (answer.status !== 503) return text;
  expect(answer.headers.get("retry-after"), text).to.not.equal(null);
  throw new Unavailable(text);
}
