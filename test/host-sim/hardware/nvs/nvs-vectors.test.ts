// NVS against golden vectors measured on ESP-IDF v6.0's own library: results, flash images, flash units, repairs after power cuts.

import { expectGolden } from "../../../golden.js";

describe("NVS against ESP-IDF's own library", function () {
  this.timeout(120_000);

  it("gives the same results, flash units and image for every script", () => {
    expectGolden("nvs-scripts", { casesMin: 40, partsMin: 2000 });
  });

  it("leaves the same flash after every power cut and repairs it the same way", () => {
    expectGolden("nvs-powercut", { casesMin: 30, partsMin: 1000 });
  });

  it("repairs the same way after a power cut during the repair", () => {
    expectGolden("nvs-powercut-mount", { casesMin: 40 });
  });

  it("reads what the partition generator wrote, plain and encrypted", () => {
    expectGolden("nvs-generator", { casesMin: 10, partsMin: 15 });
  });
});
