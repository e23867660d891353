// An image that fills most of a slot, from a server that always sends faster than the flash writes: the device never waits for the
// network, for longer than its task watchdog allows.

import { expect } from "chai";
import { Flash } from "../../host-sim/hardware/flash/flash.js";
import { bundleOf, imageOf, type Rig, rebuilt, setUpRig } from "./rig.js";

const UPDATE_BYTES = 1_572_864;
const FLASH_BYTES = 8 * 1024 * 1024;
const HOUR_MS = 3_600_000;

/** A part that takes as long for a page as its data sheet allows: 3 ms. */
function slowFlash(): Flash {
  const { timings, sizeBytes } = new Flash(FLASH_BYTES);
  return new Flash(sizeBytes, undefined, { ...timings, programPageMs: 3 });
}

async function longUpdate(): Promise<Uint8Array> {
  const bundle = await bundleOf("1.1.0");
  const padding = "/".repeat(UPDATE_BYTES - (await imageOf("base", "1.1.0")).length);
  return rebuilt("1.1.0", { bundle: `${bundle}\n${padding}` });
}

describe("an update of 1.5 MiB that arrives faster than the flash writes it", () => {
  let rig: Rig;
  afterEach(() => rig.close());

  const restarts = () =>
    rig.events.flatMap((event) => (event.type === "restarted" ? [event.cause as string] : []));

  it("completes in one boot, because the device yields to its other tasks after each erase and each turn of hashing", async () => {
    rig = await setUpRig({ flash: slowFlash(), update: await longUpdate() });
    rig.desk.device.powerOn();
    const isTold = () => rig.reports.some(({ status }) => status === "success" || status === "failed");
    await rig.desk.world.runUntil(isTold, { limitMs: HOUR_MS });
    expect(rig.reports.at(-1)).include({ status: "success" });
    expect(restarts()).deep.equal(["restart"]);
    expect(rig.watch.slots.get("ota_0")!.bytesWritten).equal(rig.updateImage.length);
  });

  it("is ended by the watchdog in a firmware that does not", async () => {
    const bundle = await bundleOf("1.0.0");
    const parts = bundle.split(/\w+\.vTaskDelay\(1\)/);
    expect(parts.length).equal(2);
    const image = await rebuilt("1.0.0", { bundle: parts.join("undefined") });
    rig = await setUpRig({ flash: slowFlash(), image, update: await longUpdate() });
    rig.desk.device.powerOn();
    await rig.desk.world.runUntil(() => restarts().length > 0, { limitMs: 60_000 });
    expect(restarts()).deep.equal(["watchdog"]);
    expect(rig.reports.at(-1)).include({ status: "downloading" });
  });
});
