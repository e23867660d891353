import { expect } from "chai";
import { areCompatible, incompatibility } from "../../../../firmware/core/pair/compatibility.js";

const OWN = { firmwareVersion: 20_100, protocolVersion: 2, minCompatible: 20_000 };

describe("compatibility of a pair", () => {
  it("is given by the same protocol, and versions that neither finds too old", () => {
    expect(areCompatible(OWN, OWN)).equal(true);
    expect(areCompatible(OWN, { ...OWN, firmwareVersion: 20_000 })).equal(true);
    expect(areCompatible(OWN, { ...OWN, firmwareVersion: 30_000, minCompatible: 20_100 })).equal(true);
  });

  it("is not given otherwise, and each reason is a sentence with the numbers", () => {
    const reasons: readonly (readonly [object, string])[] = [
      [{ protocolVersion: 3 }, "it speaks protocol 3, this device 2"],
      [{ firmwareVersion: 19_999 }, "it runs 19999, this device needs 20000 or newer"],
      [{ minCompatible: 20_101 }, "it needs 20101 or newer, this device runs 20100"],
    ];
    for (const [change, reason] of reasons) {
      expect(incompatibility(OWN, { ...OWN, ...change })).equal(reason);
      expect(areCompatible(OWN, { ...OWN, ...change })).equal(false);
      expect(areCompatible({ ...OWN, ...change }, OWN), "seen from the other side").equal(false);
    }
  });
});
