// The kind: what anyone in radio range can announce, in the heap of a C3. Hundreds of networks, of the device's own network's name or of any
// other, long names: a search of the air must not restart the device, and its network is joined again once it is back.

import { expect } from "chai";
import { HOME } from "../../host-sim/desk/desk.js";
import { ChipBench, skipUnless32Bit } from "./chip-bench.js";

const COUNT = 400;
const CROWDS: Readonly<Record<string, (number: number) => string>> = {
  "of the name of its own": () => HOME.ssid,
  "of names of 32 bytes": (number) => `${number}`.padStart(32, "network "),
};

describe("a search of a crowded air in a C3's heap", () => {
  let bench: ChipBench;
  before(function () {
    skipUnless32Bit(this);
  });
  afterEach(() => bench?.close());

  for (const [what, nameOf] of Object.entries(CROWDS))
    it(`hears ${COUNT} networks ${what}`, async () => {
      bench = await ChipBench.start();
      const { network, home, world } = bench.rig.desk;
      for (let number = 0; number < COUNT; number++)
        network.addAccessPoint({
          ssid: nameOf(number),
          password: "another-password",
          rssi: -30 - (number % 60),
          channel: 1 + (number % 11),
          bssid: `02:00:00:00:${(number >> 8).toString(16)}:${(number & 255).toString(16)}`,
          prefix: `10.${number >> 8}.${number & 255}`,
        });
      home.setUp(false);
      await world.runFor(10 * 60_000);
      bench.expectNoRestart();
      home.setUp(true);
      const before = bench.rig.checks.length;
      await world.runUntil(() => bench.rig.checks.length > before, { limitMs: 3_600_000 });
      // among so many of its own name, the right one is found by its name or not at all
      if (nameOf(1) !== HOME.ssid) expect(bench.rig.checks.length).above(before);
      bench.expectNoRestart();
    });
});
