// The esp_ota_* functions together with the boot loader, against scripts measured on ESP-IDF's own code.

import { expect } from "chai";
import type { OtaScript } from "../../../../host-sim/vectors/ota.js";
import { expectGolden, vectorFolder } from "../../../golden.js";

describe("esp_ota functions", () => {
  it("do in every measured script what ESP-IDF's do, step by step, power cuts included", () => {
    expectGolden("ota-sequences", { casesMin: 50, partsMin: 500 });
    const scripts = vectorFolder.cases<OtaScript>("ota-sequences.jsonl");
    expect(scripts.some((script) => script.steps.some((step) => step.rc === "POWER_CUT"))).to.equal(true);
  });
});
