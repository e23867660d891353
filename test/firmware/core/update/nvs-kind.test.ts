import { expect } from "chai";
import { nvsKindOf, nvsMismatch } from "../../../../firmware/core/update/nvs-kind.js";

describe("how settings are stored", () => {
  it("is read from the image's description", () => {
    expect([nvsKindOf(0, 0), nvsKindOf(1, 5), nvsKindOf(2, 0), nvsKindOf(3, 0)]).deep.equal([
      "plain",
      "hmac5",
      "nvs-keys",
      undefined,
    ]);
  });

  it("must be the same in the next firmware, if both declare it", () => {
    expect(nvsMismatch("plain", "plain")).equal(undefined);
    expect(nvsMismatch(undefined, "plain")).equal(undefined);
    expect(nvsMismatch("plain", undefined)).equal(undefined);
    expect(nvsMismatch("hmac5", "hmac4")).deep.equal({
      code: "NVS_MISMATCH",
      message:
        "image keeps its settings encrypted (eFuse KEY4), this firmware encrypted (eFuse KEY5): they would be lost",
    });
    expect(nvsMismatch("plain", "nvs-keys")?.message).include("encrypted (nvs-keys), this firmware plain");
  });
});
