// The attacks on freshness, on a device whose firmware runs inside XS.

import { buildXs } from "../../host-sim/xs/build.js";
import { xsEngine } from "../../host-sim/xs/engine.js";
import { Attacked, FRESHNESS_ATTACKS, freezes } from "../journey/freshness-attacks.js";

describe("freshness inside XS", () => {
  const { program } = buildXs();
  let device: Attacked | undefined;
  afterEach(() => device?.rig.close());

  for (const [what, attack] of Object.entries(FRESHNESS_ATTACKS))
    it(what, async () => {
      device = await Attacked.start(xsEngine({ program }));
      await attack(device);
    }).timeout(120_000);

  it("says after two weeks without a statement that it is frozen, and goes on with its checks", async () => {
    device = await Attacked.start(xsEngine({ program }), 86_400);
    await freezes(device);
  }).timeout(120_000);
});
