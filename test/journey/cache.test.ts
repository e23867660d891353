// A gateway's cache on a virtual device: from the effect to the flash and back, over a power cut, and where there is no such partition.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { CacheEffect, CacheEvent } from "../../firmware/core/gateway/cache-vocabulary.js";
import { VirtualDevice } from "../../host-sim/device/device.js";
import { Flash } from "../../host-sim/hardware/flash/flash.js";
import { buildImage } from "../../host-sim/image-build/image.js";
import { World } from "../../host-sim/world/world.js";
import { PARTITIONS_8MB } from "../host-sim/run-source.js";

const APP = fileURLToPath(new URL("apps/cache.ts", import.meta.url));
const TABLE = readFileSync(new URL("../../partitions/8mb-gateway.csv", import.meta.url), "utf8");
const CACHE_OFFSET = 0x620000;
const CACHE_BYTES = 0x1e0000;

type Asked =
  | Exclude<CacheEffect, { type: "writeCache" }>
  | { type: "writeCache"; attempt: number; offset: number; bytes: number[] };
const erase = (offset: number): Asked => ({ type: "eraseCache", attempt: 1, offset });
const write = (offset: number, bytes: number[]): Asked => ({ type: "writeCache", attempt: 2, offset, bytes });
const read = (offset: number, length: number): Asked => ({ type: "readCache", attempt: 3, offset, length });

const digestOf = (bytes: Uint8Array) => [...createHash("sha256").update(bytes).digest()];

/** What a device traces that is asked for these, one after the other; the flash lives on in the next run. */
async function run(script: readonly Asked[], { table = TABLE, flash = new Flash(8 * 1024 * 1024) } = {}) {
  const world = new World({ seed: 3 });
  let text = "";
  const onTrace = (part: string) => {
    text += part;
  };
  const device = new VirtualDevice({ world, name: "gateway", flash, strictFlash: true, onTrace });
  const cached = flash.bytes.slice(CACHE_OFFSET);
  const config = { server: "", keys: [], script };
  device.flashFactory(table, await buildImage({ app: APP, version: "1.0.0", config }));
  flash.bytes.set(cached, CACHE_OFFSET);
  device.powerOn();
  await world.runFor(20_000);
  const events = text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as CacheEvent);
  return { device, flash, events, world };
}

describe("a gateway's cache", () => {
  it("is erased, written, read and hashed at any offset", async () => {
    const image = Array.from({ length: 5_000 }, (_, i) => (i * 7) & 0xff);
    const { events, flash } = await run([
      erase(0),
      erase(4096),
      write(0, image.slice(0, 3_001)),
      write(3_001, image.slice(3_001)),
      read(2_990, 20),
      { type: "hashCache", attempt: 4, offset: 0, length: 5_000 },
      { type: "hashCache", attempt: -5, offset: 1, length: 4_998 },
    ]);
    const bytes = Uint8Array.from(image);
    expect(events).deep.equal([
      { type: "cacheErased", attempt: 1, offset: 0 },
      { type: "cacheErased", attempt: 1, offset: 4096 },
      { type: "cacheWritten", attempt: 2, offset: 0, length: 3_001 },
      { type: "cacheWritten", attempt: 2, offset: 3_001, length: 1_999 },
      { type: "cacheRead", attempt: 3, offset: 2_990, bytes: image.slice(2_990, 3_010) },
      { type: "cacheHashed", attempt: 4, offset: 0, digest: digestOf(bytes) },
      { type: "cacheHashed", attempt: -5, offset: 1, digest: digestOf(bytes.subarray(1, 4_999)) },
    ]);
    expect([...flash.bytes.subarray(CACHE_OFFSET, CACHE_OFFSET + 5_000)]).deep.equal(image);
  });

  it("lets other tasks run while it hashes all of it", async () => {
    const { events, device } = await run([{ type: "hashCache", attempt: 4, offset: 0, length: CACHE_BYTES }]);
    const digest = digestOf(new Uint8Array(CACHE_BYTES).fill(0xff));
    expect(events).deep.equal([{ type: "cacheHashed", attempt: 4, offset: 0, digest }]);
    expect(device.bootCount).equal(1);
  });

  it("ends where the flash does, and goes on after what fails", async () => {
    const { events, device } = await run([
      erase(CACHE_BYTES - 4096),
      write(CACHE_BYTES - 2, [1, 2]),
      write(CACHE_BYTES - 1, [3, 4]),
      erase(CACHE_BYTES),
      read(CACHE_BYTES - 2, 3),
      { type: "hashCache", attempt: 4, offset: CACHE_BYTES - 2, length: 3 },
      read(CACHE_BYTES - 2, 2),
    ]);
    expect(events.map((event) => (event.type === "cacheFailed" ? event.message : event.type))).deep.equal([
      "cacheErased",
      "cacheWritten",
      "write of 2 bytes at 1966079: Error: write failed",
      "erase at 1966080: Error: erase failed",
      "read of 3 bytes at 1966078: Error: read failed",
      "read at 1966078: Error: read failed",
      "cacheRead",
    ]);
    expect(events.at(-1)).deep.equal({
      type: "cacheRead",
      attempt: 3,
      offset: CACHE_BYTES - 2,
      bytes: [1, 2],
    });
    expect(device.bootCount).equal(1);
  });

  it("keeps what was written over a power cut", async () => {
    const { flash } = await run([erase(8192), write(8192, [5, 6, 7])]);
    const { events } = await run([read(8192, 4)], { flash });
    expect(events).deep.equal([{ type: "cacheRead", attempt: 3, offset: 8192, bytes: [5, 6, 7, 255] }]);
  });

  it("says which partition table a gateway needs where it has another, whatever it is asked for", async () => {
    const message =
      "the partition table has no cache partition: a gateway needs 8 MB of flash, flashed with partitions/8mb-gateway.csv";
    const asked: Asked[] = [erase(0), write(0, [1]), read(0, 1)];
    const { events, device } = await run(
      [...asked, { type: "hashCache", attempt: 4, offset: 0, length: 1 }],
      {
        table: PARTITIONS_8MB,
      },
    );
    expect(events).deep.equal([1, 2, 3, 4].map((attempt) => ({ type: "cacheFailed", attempt, message })));
    expect(device.bootCount).equal(1);
  });
});
