// The virtual device as a whole: it boots what is in its flash, and nothing else survives a restart.

import { expect } from "chai";
import { PARTITION_TABLE_OFFSET } from "../../../host-sim/hardware/partitions/partition-table.js";
import { World } from "../../../host-sim/world/world.js";
import { deviceWith, imageOf, PARTITIONS_8MB, runSource, typesOf } from "../run-source.js";

const LOG = `const log = (...v) => trace(v.map(String).join(" ") + "\\n");\n`;
const OTA_0 = 0x220000;

describe("a virtual device", () => {
  it("runs the firmware of its factory partition some time after power on", async () => {
    const run = deviceWith(`${LOG} log("here", Date.now());`);
    run.device.powerOn();
    await run.world.runFor(300);
    expect(run.lines).to.deep.equal([]);
    await run.world.runFor(300);
    expect(run.lines).to.deep.equal(["here 0"]);
    expect(run.device.running?.label).to.equal("factory");
    expect(run.device.bootCount).to.equal(1);
  });

  it("runs another firmware once that is in a slot and armed", async () => {
    const { lines, device } = await (async () => {
      const run = deviceWith(
        `import FFI from "mc/ffi"; ${LOG} const ffi = new FFI(); const label = new ArrayBuffer(17);
         ffi.skyslot_next(label); log(String.fromArrayBuffer(label.slice(0, 5)), ffi.skyslot_arm("ota_0")); ffi.esp_restart();`,
      );
      const next = imageOf(
        `import FFI from "mc/ffi"; import Timer from "timer"; ${LOG} const ffi = new FFI();
         log("new", ffi.skyslot_slot_state(), ffi.skyslot_partition_state("ota_1"), ffi.esp_ota_mark_app_valid_cancel_rollback(), ffi.skyslot_slot_state());`,
      );
      run.device.flash.write(OTA_0, next);
      run.device.powerOn();
      await run.world.runFor(10_000);
      return run;
    })();
    expect(lines).to.deep.equal(["ota_0 0", "new 1 -261 0 2"]);
    expect(device.running?.label).to.equal("ota_0");
  });

  it("rolls back what crashes in its trial", async () => {
    const run = deviceWith(
      `import FFI from "mc/ffi"; ${LOG} const ffi = new FFI(); log("old", ffi.esp_reset_reason()); if (ffi.esp_reset_reason() === 1) { ffi.skyslot_arm("ota_0"); ffi.esp_restart(); }`,
    );
    run.device.flash.write(OTA_0, imageOf(`${LOG} log("new"); for (;;);`));
    run.device.powerOn();
    await run.world.runFor(60_000);
    expect(run.lines).to.deep.equal(["old 1", "new", "old 6"]);
    expect(run.device.bootCount).to.equal(3);
  });

  it("tries forever when nothing boots, and says why", async () => {
    const run = deviceWith("");
    run.device.flash.bytes.fill(0, 0x20000, 0x20010);
    run.device.powerOn();
    await run.world.runFor(5_000);
    const failures = run.events.filter((event) => event.type === "bootFailed");
    expect(failures.length).to.be.within(2, 5);
    expect(failures[0]?.message).to.match(/^no bootable image \(factory: .*ota_0: /);
  });

  it("does not boot without a partition table, or with NVS that cannot be mounted", async () => {
    const withoutTable = deviceWith("");
    withoutTable.device.flash.bytes.fill(0xff, PARTITION_TABLE_OFFSET, PARTITION_TABLE_OFFSET + 0xc00);
    withoutTable.device.powerOn();
    await withoutTable.world.runFor(1_000);
    expect(typesOf(withoutTable.events)).to.deep.equal(["bootFailed"]);
    const withoutPages = deviceWith("");
    const full = Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xf0);
    for (let page = 0; page < 5; page += 1) withoutPages.device.flash.bytes.set(full, 0x9000 + page * 4096);
    withoutPages.device.powerOn();
    await withoutPages.world.runFor(1_000);
    expect(
      withoutPages.events.every((event) => event.type === "bootFailed" || event.type === "booted"),
    ).to.equal(true);
  });

  it("refuses an image that does not fit, and to be flashed while it runs", () => {
    const { device } = deviceWith("");
    expect(() => device.flashFactory(PARTITIONS_8MB, new Uint8Array(0x200001))).to.throw(
      "image is 2097153 bytes, partition factory is 2097152",
    );
    device.powerOn();
    expect(() => device.flashFactory(PARTITIONS_8MB, new Uint8Array(1))).to.throw("is running");
  });

  it("gives the same run for the same seed", async () => {
    const source = `import Timer from "timer"; import FFI from "mc/ffi"; ${LOG} const ffi = new FFI(); let n = 0;
      const id = Timer.repeat(() => { log(Date.now(), ffi.esp_random(), Math.random()); if (++n > 20) Timer.clear(id); else for (let i = Math.random() * 5e4; i > 0; i--); }, 7);`;
    const first = await runSource(source, { world: new World({ seed: 5 }) });
    const second = await runSource(source, { world: new World({ seed: 5 }) });
    const other = await runSource(source, { world: new World({ seed: 6 }) });
    expect(first.lines).to.have.length(21);
    expect(second.lines).to.deep.equal(first.lines);
    expect(other.lines).to.not.deep.equal(first.lines);
  });
});
