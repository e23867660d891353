import { expect } from "chai";
import { chunkBytesFor } from "../../firmware/core/update/digests.js";
import { SECTOR_BYTES } from "../../host-sim/hardware/flash/flash.js";
import { type Rig, setUpRig } from "./rig.js";

/** A report for each tenth of the image at most; the last one is reported as "verifying". */
const PROGRESS_STEPS = 10;
const HOUR_MS = 3_600_000;

describe("the first journey", () => {
  let rig: Rig;
  afterEach(() => rig.close());

  const succeeded = () => rig.reports.some(({ status }) => status === "success");

  it("takes a new device through its portal to a validated update", async () => {
    rig = await setUpRig();
    rig.desk.device.powerOn();
    expect(await rig.desk.world.runUntil(succeeded, { limitMs: HOUR_MS })).equal(true);
    const { length } = rig.updateImage;
    const chunkBytes = chunkBytesFor(length);
    const chunkCount = Math.ceil(length / chunkBytes);
    expect(chunkCount).above(4);
    const tenthOf = (chunk: number) => Math.floor((chunk * chunkBytes * PROGRESS_STEPS) / length);
    const tenths = new Set(Array.from({ length: chunkCount - 1 }, (_, chunk) => tenthOf(chunk + 1)));
    tenths.delete(0);
    // progress that waits while the flash is busy is replaced by newer progress
    const downloaded = rig.reports
      .filter(({ step }) => step === "downloading")
      .map((r) => r.bytes_downloaded!);
    expect(downloaded.length).within(3, tenths.size);
    expect(downloaded).deep.equal([...downloaded].sort((a, b) => a - b));
    expect(rig.reports.map(({ step }) => step)).deep.equal([
      "verified",
      ...downloaded.map(() => "downloading"),
      "verifying",
      "armed",
      "trial",
      "validated",
    ]);
    expect(rig.desk.device.running?.label).equal("ota_0");
    await rig.desk.world.runFor(5_000);
    expect((await rig.server.updates()).map(({ status }) => status)).deep.equal(["success"]);
  });

  it("writes as many bytes as the image has, and erases each sector that it covers exactly once", async () => {
    rig = await setUpRig();
    rig.desk.device.powerOn();
    await rig.desk.world.runUntil(succeeded, { limitMs: HOUR_MS });
    const slot = rig.watch.slots.get("ota_0")!;
    expect([...rig.watch.slots.keys()]).deep.equal(["ota_0"]);
    expect(slot.bytesWritten).equal(rig.updateImage.length);
    expect([...slot.erases.keys()]).deep.equal(
      Array.from({ length: Math.ceil(rig.updateImage.length / SECTOR_BYTES) }, (_, i) => i),
    );
    expect([...new Set(slot.erases.values())]).deep.equal([1]);
  });

  it("gives the same trace twice with the same seed", async () => {
    const runs: string[][] = [];
    for (let run = 0; run < 2; run++) {
      rig = await setUpRig({ seed: 7 });
      rig.desk.device.powerOn();
      await rig.desk.world.runUntil(succeeded, { limitMs: HOUR_MS });
      runs.push([
        ...rig.trace,
        ...rig.reports.map((report) => JSON.stringify(report)),
        `${rig.desk.world.nowMs}`,
      ]);
      if (run === 0) await rig.close();
    }
    expect(runs[0]).deep.equal(runs[1]);
    expect(runs[0]!.length).above(10);
  });

  it("never reports success before the image is validated", async () => {
    rig = await setUpRig();
    rig.desk.device.powerOn();
    await rig.desk.world.runUntil(() => rig.reports.some(({ step }) => step === "trial"), {
      limitMs: HOUR_MS,
    });
    await rig.desk.world.runFor(20_000);
    expect((await rig.server.updates()).map(({ status }) => status)).deep.equal(["installing"]);
  });
});
