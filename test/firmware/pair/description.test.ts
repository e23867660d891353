// The bytes of ours in an image: where the C source puts them, beside what core/update/image.ts reads (its own test).

import { readFileSync } from "node:fs";
import { expect } from "chai";

describe("the description in an image", () => {
  it("has these facts where the C puts them", () => {
    const c = readFileSync(
      new URL("../../../firmware/platform/native/skyslot-description.c", import.meta.url),
      "utf8",
    );
    const fields = [
      ...(/typedef struct \{(.*?)\}/s.exec(c)?.[1] ?? "").matchAll(/uint(8|32)_t (\w+)(?:\[(\d+)\])?;/g),
    ];
    let offset = 0;
    const offsets = fields.map(([, bits, name, count = "1"]) => {
      const at = offset;
      offset += (Number(bits) / 8) * Number(count);
      return `${name} ${at}`;
    });
    expect(offsets).deep.equal([
      "magic 0",
      "layout 4",
      "nvs 5",
      "nvs_key 6",
      "protocol 7",
      "min_compatible 8",
      "rest 12",
    ]);
    expect(offset).equal(16);
  });
});
