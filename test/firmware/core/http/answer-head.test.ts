// What the header skyslot-offer may say. The kind: a number from outside that the firmware uses for something else, such as 0 for "none".

import { expect } from "chai";
import { announcedOffer } from "../../../../firmware/core/http/answer-head.js";

const read = (text: string) => announcedOffer({ "skyslot-offer": text });

describe("the header that announces an offer", () => {
  it("has a firmware id of 1 or more, and a time", () => {
    expect(read("12 1795000000")).deep.equal({ firmwareId: 12, time: 1_795_000_000 });
    expect(read("1 0")).deep.equal({ firmwareId: 1, time: 0 });
    expect(read("999999999999999 1")).deep.include({ firmwareId: 999_999_999_999_999 });
  });

  it("says nothing otherwise", () => {
    for (const text of [
      "",
      "0 1795000000",
      "000 5",
      "-1 5",
      "1e3 5",
      "1.5 5",
      "9007199254740993 5",
      "5",
      "5 5 5",
    ])
      expect(read(text), text).equal(undefined);
    expect(announcedOffer({})).equal(undefined);
  });
});
