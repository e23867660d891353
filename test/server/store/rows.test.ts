import { expect } from "chai";
import { recordsOf } from "../../../server/store/sql/rows.js";

interface Sample {
  readonly id: number;
  readonly imageSha256: string | null;
  readonly isActive: boolean;
  readonly deviceTypes: readonly string[] | null;
}
const samples = recordsOf<Sample>({ isActive: "flag", deviceTypes: "json" }, ["quiet_key"]);

describe("records as rows", () => {
  it("are read back as they were", () => {
    const all: readonly Sample[] = [
      { id: 1, imageSha256: "ab", isActive: true, deviceTypes: ["base", "led"] },
      { id: 2, imageSha256: null, isActive: false, deviceTypes: null },
    ];
    for (const one of all) expect(samples.toItem(samples.toRow(one))).to.deep.equal(one);
  });

  it("have snake_case columns, flags as 0 and 1, lists as JSON", () => {
    expect(samples.toRow({ imageSha256: "ab", isActive: true, deviceTypes: ["base"] })).to.deep.equal({
      image_sha256: "ab",
      is_active: 1,
      device_types: '["base"]',
    });
  });

  it("leave out what is undefined, and columns that are no field", () => {
    expect(samples.toRow({ id: 1, imageSha256: undefined })).to.deep.equal({ id: 1 });
    const row = { id: 1, image_sha256: null, is_active: 0, device_types: null, quiet_key: "k" };
    expect(samples.toItem(row)).to.deep.equal({
      id: 1,
      imageSha256: null,
      isActive: false,
      deviceTypes: null,
    });
  });
});
