// An update by https inside XS, in the smallest heap of a chip: what TLS takes of it, besides mbedTLS's own memory, which is in the system's heap.

import { expect } from "chai";
import { chipHeap, sdkC3Heap } from "../../host-sim/xs/chip-heaps.js";
import { makeAuthority } from "../journey/authority.js";
import { imageOf, START_TIME } from "../journey/rig.js";
import { ChipBench, padded, skipUnless32Bit } from "./chip-bench.js";

const HOST = "updates.skyslot.test";
const SERVER = `https://${HOST}:8443`;
const UPDATE_BYTES = 700_000;
/** Computation for each KiB of an update; without TLS it is 3 040. */
const BYTECODE_LIMIT = 6_500;
/** 4 KiB less than without TLS (memory.test.ts). */
const UNCLAIMED_LEAST_BYTES = 12 * 1024;

describe("TLS inside XS", () => {
  let bench: ChipBench;
  before(function () {
    skipUnless32Bit(this);
  });
  afterEach(() => bench?.close());

  it("fits into the heap that the SDK gives a C3, and updates it", async () => {
    const authority = makeAuthority(START_TIME);
    const config = { type: "led", server: SERVER, authorities: [authority.certificate] };
    const update = padded(await imageOf("led", "1.1.0", "esp32", config), UPDATE_BYTES);
    bench = await ChipBench.start({
      app: "led",
      heap: { ...sdkC3Heap(), stackCount: chipHeap("esp32c3").stackCount },
      image: await imageOf("led", "1.0.0", "esp32", config),
      update,
      serverUrl: SERVER,
      tls: authority.serverFor(HOST),
    });
    expect(bench.idle, `never idle: ${bench.reports} ${bench.rig.trace.slice(-5)}`).not.equal(undefined);
    bench.offer();
    expect(await bench.until(() => bench.hasReported("verified")), bench.reports.join()).equal(true);
    const before = bench.bridge.use().bytecodeCount;
    expect(await bench.until(() => bench.hasReported("armed")), bench.reports.join()).equal(true);
    const { unclaimedBytes, bytecodeCount } = bench.bridge.use();
    const bytecodesPerKib = Math.round((bytecodeCount - before) / (update.length / 1024));
    console.log(`      led by TLS: ${unclaimedBytes} bytes never used, ${bytecodesPerKib} bytecodes a KiB`);
    bench.expectNoRestart();
    expect(unclaimedBytes).above(UNCLAIMED_LEAST_BYTES);
    expect(bytecodesPerKib).below(BYTECODE_LIMIT);
  });
});
