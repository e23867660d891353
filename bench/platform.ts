// What the virtual platform costs in time.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import { Readable } from "node:stream";
import type { CheckRequest } from "../firmware/core/wire.js";
import { DESK_SERVER, Desk } from "../host-sim/desk/desk.js";
import { VirtualDevice } from "../host-sim/device/device.js";
import { buildFirmwareImage } from "../host-sim/hardware/image/firmware-image.js";
import { buildImage } from "../host-sim/image-build/image.js";
import type { HttpHandler } from "../host-sim/network/http-host.js";
import { World } from "../host-sim/world/world.js";
import { describeRelease } from "../release/describe.js";
import { makeReleaseKeys } from "../release/keys.js";
import { readRelease, signRelease } from "../release/signing.js";
import { digestFile } from "../release/verify.js";

const TIME = 1_795_000_000;
const ROUNDS = 7;
const BOOT_COUNT = 20;
const RESTART_COUNT = 1000;
const PARTITIONS = new URL("../partitions/8mb.csv", import.meta.url);
const REFERENCE_BYTES = 8 * 1024 * 1024;

/** Median wall time of several rounds after a warm-up round, ms. */
async function median(action: () => unknown): Promise<number> {
  await action();
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    await action();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[ROUNDS >> 1] ?? 0;
}

const { privateKey, publicKey } = await makeReleaseKeys();
const { kid, x, y } = publicKey;
const config = { server: DESK_SERVER, keys: [{ kid: kid!, x: x!, y: y! }] };
const image = await buildImage({ app: "base", version: "1.0.0", config });
const update = await buildImage({ app: "base", version: "1.1.0", config });
const restarting = buildFirmwareImage({
  chip: "esp32",
  version: "1.0.0",
  project: "restarts",
  bundle: `import FFI from "mc/ffi"; import Timer from "timer"; Timer.set(() => new FFI().esp_restart(), 10);`,
});
const payload = describeRelease(update, { created: TIME });
const release = await signRelease(payload, privateKey);
const digests = await digestFile(readRelease(release).release, Readable.from([update]));

/** A minimal server: the device's side is what is measured. */
function answerFor(done: () => void): HttpHandler {
  const json = (value: object) => ({ status: 200, body: new TextEncoder().encode(JSON.stringify(value)) });
  return async ({ path, body }) => {
    if (path === "/download") return { status: 200, body: update };
    if (path === "/digests") return { status: 200, body: digests };
    const request = JSON.parse(new TextDecoder().decode(body)) as CheckRequest & { status?: string };
    if (request.status === "success") done();
    if (path !== "/api/ota/check" || request.current_version === "1.1.0")
      return json({ update_available: false, time: TIME });
    const { version, build, size, sha256 } = payload;
    const offer = {
      firmware_id: 1,
      version,
      build_number: build,
      file_size: size,
      file_hash: sha256,
      download_url: "/download",
      digests_url: "/digests",
      release,
    };
    return json({ update_available: true, time: TIME, ...offer });
  };
}

async function journey(): Promise<void> {
  let over = false;
  const handler = answerFor(() => {
    over = true;
  });
  const desk = new Desk({ image, server: { handler } });
  desk.device.powerOn();
  if (!(await desk.world.runUntil(() => over, { limitMs: 3_600_000 })))
    throw new Error("the journey did not end");
  desk.device.powerOff();
}

async function boots(): Promise<void> {
  const desk = new Desk({ image, manual: true, server: { handler: async () => ({ status: 503 }) } });
  for (let boot = 0; boot < BOOT_COUNT; boot++) {
    desk.device.powerOn();
    await desk.world.runFor(1_000);
    desk.device.powerOff();
  }
}

/** For firmware that does nothing else: the cost of the platform alone. */
async function restarts(): Promise<void> {
  const world = new World({ seed: 1 });
  const device = new VirtualDevice({ world, name: "restarts" });
  device.flashFactory(await readFile(PARTITIONS, "utf8"), restarting);
  device.powerOn();
  await world.runUntil(() => device.bootCount > RESTART_COUNT, { limitMs: 3_600_000 });
  device.powerOff();
}

const bytes = new Uint8Array(REFERENCE_BYTES);
const reference = await median(() => createHash("sha256").update(bytes).digest());
const line = (what: string, ms: number, per: string) =>
  console.log(
    `${what.padEnd(46)} ${ms.toFixed(1).padStart(8)} ms  ${(ms / reference).toFixed(2).padStart(8)} × reference  ${per}`,
  );

const journeyMs = await median(journey);
const bootMs = (await median(boots)) / BOOT_COUNT;
const restartMs = (await median(restarts)) / RESTART_COUNT;
line(`reference: SHA-256 of ${REFERENCE_BYTES >> 20} MiB`, reference, "");
line(
  "whole journey, box to validated update",
  journeyMs,
  `${((journeyMs * 1024) / update.length).toFixed(2)} ms a KiB of image`,
);
line("boot of base until its portal is open", bootMs, `${Math.round(1000 / bootMs)} boots a second`);
line("restart of a firmware that only restarts", restartMs, `${Math.round(1000 / restartMs)} a second`);
