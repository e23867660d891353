// What the store promises about firmware.

import { expect } from "chai";
import { AlreadyExists, type Store } from "../../../server/store/store.js";
import { PAGE, sampleFirmware } from "./samples.js";

export function firmwareContract(store: () => Store): void {
  it("refuses the same version for the same board twice", async () => {
    await store().addFirmware(sampleFirmware());
    await store().addFirmware(sampleFirmware({ buildNumber: 1 }));
    await store().addFirmware(sampleFirmware({ chip: "esp32c3", hardware: "esp32c3" }));
    const error = await store()
      .addFirmware(sampleFirmware())
      .catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(AlreadyExists);
  });

  it("changes the mutable fields of a firmware, and only those", async () => {
    const { id } = await store().addFirmware(sampleFirmware());
    const changed = await store().changeFirmware(id, { isStable: false, minCurrentVersion: "1.0.5" }, 5000);
    expect(changed).to.deep.equal({
      ...sampleFirmware(),
      id,
      isStable: false,
      minCurrentVersion: "1.0.5",
      updatedAt: 5000,
    });
    expect(await store().changeFirmware(id + 1, { isActive: false }, 5000)).to.equal(undefined);
  });

  it("filters firmware, lists what is active and stable, and what is active without a manifest", async () => {
    await store().addFirmware(sampleFirmware({ version: "1.1.0", isStable: false }));
    await store().addFirmware(
      sampleFirmware({ version: "1.2.0", isActive: false, fileHash: "d".repeat(64) }),
    );
    const { id } = await store().addFirmware(sampleFirmware({ version: "1.3.0" }));
    await store().addFirmware(sampleFirmware({ deviceType: "led" }));
    expect((await store().offeredFirmware("base")).map((firmware) => firmware.id)).to.deep.equal([id]);
    const active = await store().activeFirmware("base");
    expect(active.map(({ version, isStable }) => [version, isStable])).to.deep.equal([
      ["1.1.0", false],
      ["1.3.0", true],
    ]);
    const { release, ...summary } = sampleFirmware({ version: "1.3.0" });
    const manifestLength = release?.length ?? 0;
    expect(active[1]).to.deep.equal({ ...summary, id, updatedAt: 2000, isSigned: true, manifestLength });
    const versions = async (filter: object) =>
      (await store().listFirmware(filter, PAGE)).rows.map(({ version }) => version);
    expect(await versions({ isActive: false })).to.deep.equal(["1.2.0"]);
    expect(await versions({ isStable: false })).to.deep.equal(["1.1.0"]);
    expect(await versions({ fileHash: "d".repeat(64) })).to.deep.equal(["1.2.0"]);
    expect(await versions({ deviceType: "base" })).to.deep.equal(["1.3.0", "1.2.0", "1.1.0"]);
  });

  it("tells which signed releases of a type were switched off or deleted, from a sequence on", async () => {
    const add = (sequence: number, changes: object = {}) =>
      store().addFirmware(
        sampleFirmware({
          buildNumber: sequence % 1000,
          sequence,
          imageSha256: `${sequence}`.padStart(64, "0"),
          isActive: false,
          ...changes,
        }),
      );
    for (const sequence of [100, 4_294_967_295, 200]) await add(sequence);
    const { id } = await add(300);
    await add(400, { isActive: true });
    await add(500, { deviceType: "led" });
    await add(600, { release: null });
    await add(700, { imageSha256: "" });
    const told = async (least: number, limit = 16) =>
      (await store().listWithdrawn("base", least, limit)).map(({ sequence }) => sequence);
    expect(await told(0)).to.deep.equal([4_294_967_295, 300, 200, 100]);
    // it is deleted, made once more and deleted again
    await store().removeFirmware(id, 5000);
    await store().removeFirmware((await add(300)).id, 6000);
    expect(await told(200)).to.deep.equal([4_294_967_295, 300, 200]);
    expect(await told(0, 2)).to.deep.equal([4_294_967_295, 300]);
    expect((await store().listWithdrawn("base", 300, 16))[1]).to.deep.equal({
      imageSha256: "300".padStart(64, "0"),
      sequence: 300,
    });
  });

  it("lists the blobs that are referenced", async () => {
    const [needed = "", other = ""] = ["d", "e"].map((digit) => digit.repeat(64));
    await store().addFirmware(sampleFirmware({ fileHash: needed, isActive: false }));
    expect([...(await store().findUsedBlobs([other, needed]))]).to.deep.equal([needed]);
    expect((await store().findUsedBlobs([])).size).to.equal(0);
  });
}
