// A device that believes nothing of the present that is not signed for it, against those who are in between or have stolen the server's key. In XS:
// test/xs/freshness.test.ts.

import { Attacked, FRESHNESS_ATTACKS, freezes } from "./freshness-attacks.js";

describe("a device whose root names a freshness key", () => {
  let device: Attacked | undefined;
  afterEach(() => device?.rig.close());

  for (const [what, attack] of Object.entries(FRESHNESS_ATTACKS))
    it(what, async () => {
      device = await Attacked.start();
      await attack(device);
    }).timeout(60_000);

  it("says after two weeks without a statement that it is frozen, and goes on with its checks", async () => {
    device = await Attacked.start(undefined, 86_400);
    await freezes(device);
  }).timeout(60_000);
});
