// What a server, a proxy or a captive network may answer, in the heap of a C3: nothing restarts the device, and what is allowed is taken.
// The SDK's own client held a head as strings and threw at malformed ones, in its own turns.

import { expect } from "chai";
import type { HttpResponse } from "../../host-sim/network/http-host.js";
import { HOSTILE } from "../journey/hostile.js";
import { isCheck, isDownload, noUpdate, raw } from "../journey/odyssey.js";
import { imageOf } from "../journey/rig.js";
import { STYLES } from "../journey/styles.js";
import { ChipBench, padded, skipUnless32Bit } from "./chip-bench.js";

const UPDATE_BYTES = 700_000;
/** As in memory.test.ts. */
const UNCLAIMED_LEAST_BYTES = 16 * 1024;
const IN_CHUNKS = STYLES["chunks with extensions and a trailer"]!;

describe("answers in a C3's heap", () => {
  let bench: ChipBench;
  let answer: (() => Promise<HttpResponse>) | undefined;
  let checkCount = 0;

  before(async function () {
    skipUnless32Bit(this);
    const update = padded(await imageOf("base", "1.1.0", "esp32", { type: "base" }), UPDATE_BYTES);
    bench = await ChipBench.start({
      update,
      lie: async (request, honest) => {
        if (isCheck(request) && answer) return answer();
        return isDownload(request) ? raw(IN_CHUNKS(await honest())) : honest();
      },
    });
    bench.offer(); // from now on `answer` decides
  });
  beforeEach(() => {
    checkCount = bench.rig.checks.length;
  });
  after(() => bench?.close());
  afterEach(() => bench?.expectNoRestart());

  /** The next two checks are answered like this. */
  async function check(answered: () => Promise<HttpResponse>): Promise<string> {
    answer = answered;
    const { trace } = bench.rig;
    const start = trace.length;
    await bench.until(() => bench.rig.checks.length >= checkCount + 2);
    await bench.rig.desk.world.runFor(40_000);
    return trace.slice(start).join("\n");
  }

  for (const [what, text] of Object.entries(HOSTILE))
    it(`cost a check, not the device: ${what}`, async () => {
      expect(await check(async () => raw({ pieces: [text] }))).include("check failed");
      expect(bench.rig.checks.length).least(checkCount + 2);
    });

  for (const [what, style] of Object.entries(STYLES))
    it(`are taken: ${what}`, async () => {
      expect(await check(async () => raw(style(await noUpdate())))).not.include("check failed");
    });

  it("of an update in chunks leave 16 KiB", async () => {
    answer = undefined;
    expect(await bench.until(() => bench.hasReported("armed"))).equal(true);
    expect(bench.bridge.use().unclaimedBytes).above(UNCLAIMED_LEAST_BYTES);
  });
});
