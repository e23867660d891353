// The kind: a device that can never install what it downloads. It is told before the first byte is fetched.

import { expect } from "chai";
import { noSlotFailure } from "../../../../firmware/core/update/slot-support.js";
import { Download } from "../download.js";

const TARGET = { label: "ota_0", sizeBytes: 0x200000, state: "undefined" } as const;

describe("a partition table", () => {
  it("without a second slot, or without otadata, takes no update", () => {
    expect(noSlotFailure({ target: undefined, bootSlot: "ota_0" })?.message).include("no second slot");
    expect(noSlotFailure({ target: TARGET, bootSlot: "" })?.message).include("no otadata");
    expect(noSlotFailure({ target: TARGET, bootSlot: "factory" })).equal(undefined);
    expect(noSlotFailure({ target: TARGET }), "not known").equal(undefined);
  });

  for (const [what, booted] of [
    ["a second slot", { target: undefined, bootSlot: "ota_0" }],
    ["otadata", { target: TARGET, bootSlot: "" }],
  ] as const)
    it(`without ${what} has an offer refused before anything is fetched or written`, () => {
      const download = new Download({ sizeBytes: 20_000, booted }).run();
      expect(download.outcome).equal("ARM_FAILED");
      expect(download.asked).deep.equal([]);
      expect(download.types).not.include("verifySignature").and.not.include("eraseSlot");
      const pushed = new Download({ sizeBytes: 20_000, booted }).push();
      expect(pushed.types).include("answerPush").and.not.include("eraseSlot");
    });
});
