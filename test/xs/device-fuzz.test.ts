// A slice of the fuzz of the device, of every kind, inside XS and in the heap of a C3: what V8 takes with ease may be too deep or too much
// for a chip.

import { expect } from "chai";
import type { XsBridge } from "../../host-sim/xs/bridge.js";
import { buildXs } from "../../host-sim/xs/build.js";
import { chipHeap } from "../../host-sim/xs/chip-heaps.js";
import { xsEngine } from "../../host-sim/xs/engine.js";
import { KINDS } from "../fuzz/device/kinds/index.js";
import { fuzzDevice } from "../fuzz/device/run.js";
import { skipUnless32Bit } from "./chip-bench.js";

/** `FUZZ_SEED` repeats a run. */
const seed = process.env.FUZZ_SEED ?? "skyslot";
const INPUTS_OF_A_KIND = 30;

describe("a device in a C3's heap under random inputs", function () {
  this.timeout(300_000);
  before(function () {
    skipUnless32Bit(this);
  });

  for (const { name, what, app } of KINDS) {
    // devices that speak to each other are other images, with more of core: V8 alone runs their kinds
    if (app !== undefined) continue;
    it(`neither restarts, hangs nor grows with ${what}`, async () => {
      let bridge: XsBridge | undefined;
      const engine = xsEngine({
        program: buildXs().program,
        heap: chipHeap("esp32c3"),
        isPreloaded: true,
        onBoot: (made) => {
          bridge = made;
        },
      });
      const usedBytes = () => {
        const { slotBytes = 0, chunkBytes = 0 } = bridge?.collect() ?? {};
        return slotBytes + chunkBytes;
      };
      const { findings } = await fuzzDevice({
        seed,
        inputCount: INPUTS_OF_A_KIND,
        only: name,
        ground: { engine, isForXs: true },
        usedBytes,
      });
      expect(findings, `seed ${seed}`).deep.equal([]);
    });
  }
});
