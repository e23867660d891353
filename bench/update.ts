// How long a device takes for an update of 1 MiB, in virtual time: from its request for the image until the slot is armed, and until its
// restart (it waits 2 s for its last report to be sent), over links of several rates and latencies, as a ratio of what the slower of the link
// and the flash chip takes by itself. Always the same on any computer.

import { Readable } from "node:stream";
import type { CheckRequest } from "../firmware/core/wire.js";
import { DESK_SERVER, Desk } from "../host-sim/desk/desk.js";
import { Flash } from "../host-sim/hardware/flash/flash.js";
import { buildFirmwareImage, extractBundle } from "../host-sim/hardware/image/app-image.js";
import { buildImage } from "../host-sim/image-build/image.js";
import type { HttpHandler } from "../host-sim/network/http-host.js";
import { describeRelease } from "../release/describe.js";
import { makeReleaseKeys } from "../release/keys.js";
import { readRelease, signRelease } from "../release/signing.js";
import { digestFile } from "../release/verify.js";

const TIME = 1_795_000_000;
const IMAGE_BYTES = 1024 * 1024;
const LIMIT_MS = 3_600_000;
const MBITS = [0.5, 2, 10];
const LATENCIES_MS = [5, 50, 200];

const { privateKey, publicKey } = await makeReleaseKeys();
const { kid, x, y } = publicKey;
const config = { server: DESK_SERVER, keys: [{ kid: kid!, x: x!, y: y! }] };
const image = await buildImage({ app: "base", version: "1.0.0", config });
const small = await buildImage({ app: "base", version: "1.1.0", config });
const update = buildFirmwareImage({
  chip: "esp32",
  version: "1.1.0",
  project: "base",
  bundle: `${extractBundle(small)}\n//${"x".repeat(IMAGE_BYTES - small.length)}`,
});
const payload = describeRelease(update, { created: TIME });
const release = await signRelease(payload, privateKey);
const digests = await digestFile(readRelease(release).release, Readable.from([update]));

/** What the flash chip is busy with when an image is written once: its erases and its programs. */
function flashMs(): number {
  const flash = new Flash(2 * IMAGE_BYTES);
  let busyMs = 0;
  flash.onBusy = (ms) => {
    busyMs += ms;
  };
  flash.erase(0, Math.ceil(update.length / 4096) * 4096);
  flash.write(0, update);
  return busyMs;
}

interface UpdateTime {
  readonly armedMs: number;
  readonly restartedMs: number;
}

async function timeOfUpdate(mbit: number, latencyMs: number): Promise<UpdateTime> {
  let startedMs: number | undefined;
  let armedMs: number | undefined;
  let endedMs: number | undefined;
  const json = (value: object) => ({ status: 200, body: new TextEncoder().encode(JSON.stringify(value)) });
  const handler: HttpHandler = async ({ path, body }) => {
    if (path === "/download" || path === "/digests") {
      startedMs ??= desk.world.nowMs;
      return { status: 200, body: path === "/download" ? update : digests };
    }
    const request = JSON.parse(new TextDecoder().decode(body)) as CheckRequest;
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
  const desk = new Desk({
    image,
    server: { handler },
    policyOf: () => ({ latencyMs, bytesPerSecond: (mbit * 1_000_000) / 8 }),
    onTrace: (line) => {
      if (line.endsWith(", restarting")) armedMs ??= desk.world.nowMs;
    },
    onEvent: ({ type }) => {
      if (type === "restarted" && startedMs !== undefined) endedMs ??= desk.world.nowMs;
    },
  });
  desk.device.powerOn();
  if (!(await desk.world.runUntil(() => endedMs !== undefined, { limitMs: LIMIT_MS })))
    throw new Error(`the update over ${mbit} Mbit/s at ${latencyMs} ms did not end within an hour`);
  desk.device.powerOff();
  return { armedMs: armedMs! - startedMs!, restartedMs: endedMs! - startedMs! };
}

const flash = flashMs();
console.log(`image of ${update.length} bytes; the flash alone takes ${(flash / 1000).toFixed(1)} s`);
for (const latencyMs of LATENCIES_MS)
  for (const mbit of MBITS) {
    const link = (update.length * 8) / (mbit * 1000);
    const { armedMs, restartedMs } = await timeOfUpdate(mbit, latencyMs);
    const seconds = (ms: number) => (ms / 1000).toFixed(1).padStart(6);
    const ratio = (ms: number) => (ms / Math.max(link, flash)).toFixed(2);
    console.log(
      `${String(mbit).padStart(4)} Mbit/s, ${String(latencyMs).padStart(3)} ms one way: armed after ${seconds(armedMs)} s, ${ratio(armedMs)} of the slower of link (${seconds(link).trim()} s) and flash; restarts after ${seconds(restartedMs)} s, ${ratio(restartedMs)}`,
    );
  }
