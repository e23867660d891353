import { expect } from "chai";
import type { Store } from "../../../server/store/store.js";
import { PAGE, sampleFirmware } from "./samples.js";

export function typeContract(store: () => Store): void {
  it("stores the kind of a device type, and that it was changed", async () => {
    expect(await store().findType("base")).to.equal(undefined);
    await store().putType("node", "legacy", 1000);
    await store().putType("base", "signed", 2000);
    const changed = await store().putType("node", "signed", 3000);
    expect(changed).to.deep.equal({ name: "node", kind: "signed", createdAt: 1000, updatedAt: 3000 });
    expect(await store().findType("node")).to.deep.equal(changed);
    expect((await store().listTypes()).map(({ name }) => name)).to.deep.equal(["base", "node"]);
  });

  it("distinguishes firmware without a manifest from signed firmware", async () => {
    const legacy = await store().addFirmware(
      sampleFirmware({ release: null, imageSha256: "", sha1: "e".repeat(40) }),
    );
    expect(await store().findFirmware(legacy.id)).to.deep.include({
      release: null,
      imageSha256: "",
      sha1: "e".repeat(40),
    });
    const { rows } = await store().listFirmware({ md5: "d".repeat(32), version: "1.1.0" }, PAGE);
    expect(rows).to.deep.equal([legacy]);
    expect((await store().listFirmware({ md5: "0".repeat(32) }, PAGE)).totalCount).to.equal(0);
  });
}
