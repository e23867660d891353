import { expect } from "chai";
import { imageOf } from "../../journey/rig.js";

const bundleOf = async (app: string): Promise<string> =>
  Buffer.from(await imageOf(app, "1.0.0", "esp32", { type: app })).toString("latin1");

describe("the C functions of a virtual build", () => {
  it("are those of the app's manifest and of what it includes: each takes memory on a chip", async () => {
    const [base, node, cms] = await Promise.all(["base", "node", "cms"].map(bundleOf));
    for (const bundle of [base, node, cms])
      expect(bundle).match(/esp_restart,.*skyslot_portal_uri|skyslot_portal_uri,.*esp_restart/);
    expect(base).not.contain("skyslot_dht_read,").and.not.contain("skyslot_radio_start,");
    expect(node)
      .match(/skyslot_radio_start,/)
      .and.match(/[",]skyslot_dht_read[",]/);
    expect(cms).match(/[",]skyslot_deep_sleep[",]/);
    expect(base).not.match(/[",]skyslot_deep_sleep[",]/);
  });
});
