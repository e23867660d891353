// The kind: a native function of ours that exists twice, in C for the chip and by hand for the simulator. A guard that one of them lacks
// makes the simulator kinder or harsher than the chip. Here the C is compiled for the host, over stubs of ESP-IDF that answer what the
// virtual esp_ota_* functions answer, and both run on the same partition tables.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { Ota } from "../../../host-sim/hardware/boot/ota.js";
import { ESP_ERROR_CODES } from "../../../host-sim/hardware/esp-error.js";
import { Flash } from "../../../host-sim/hardware/flash/flash.js";
import { PARTITION_TYPE_APP, type Partition } from "../../../host-sim/hardware/partitions/partition-table.js";
import { flashFactory } from "../../../host-sim/hardware/serial-flasher.js";
import { deviceWith, imageOf } from "../run-source.js";

const NATIVE = fileURLToPath(new URL("../../../firmware/platform/native/", import.meta.url));
const HERE = fileURLToPath(new URL("native/", import.meta.url));

const slots = (...names: string[]) => names.map((name) => `${name}, app, ${name}, , 128K`).join("\n");
const encrypted = (table: string) => table.replaceAll("128K", "128K, encrypted");
const HEAD = "nvs, data, nvs, 0x9000, 0x5000\n";
const OTADATA = "otadata, data, ota, 0xe000, 0x2000\n";
const SIXTEEN = Array.from({ length: 16 }, (_, slot) => `ota_${slot}`);

/** Partition tables by what they are. */
const TABLES: Readonly<Record<string, string>> = {
  "a factory app and two slots": `${HEAD}${OTADATA}${slots("factory", "ota_0", "ota_1")}`,
  "two slots": `${HEAD}${OTADATA}${slots("ota_0", "ota_1")}`,
  "one slot": `${HEAD}${OTADATA}${slots("ota_0")}`,
  "a factory app and one slot": `${HEAD}${OTADATA}${slots("factory", "ota_0")}`,
  "a factory app": `${HEAD}${OTADATA}${slots("factory")}`,
  "a factory app without otadata": `${HEAD}${slots("factory")}`,
  "a factory app and two slots without otadata": `${HEAD}${slots("factory", "ota_0", "ota_1")}`,
  "sixteen slots": `${HEAD}${OTADATA}${slots(...SIXTEEN)}`,
  "a factory app and sixteen slots": `${HEAD}${OTADATA}${slots("factory", ...SIXTEEN)}`,
  "encrypted slots": encrypted(`${HEAD}${OTADATA}${slots("factory", "ota_0", "ota_1")}`),
  "slots with a gap": `${HEAD}${OTADATA}${slots("factory", "ota_0", "ota_2")}`,
};

const PROGRAM = (labels: readonly string[], next: string) => `
  import FFI from "mc/ffi";
  const ffi = new FFI();
  const label = (write) => { const b = new ArrayBuffer(17); write(b); return String.fromArrayBuffer(b).split("\\0")[0]; };
  const out = (value) => trace(value + "\\n");
  for (const name of ["skyslot_running", "skyslot_next", "skyslot_boot"]) out(label((b) => ffi[name](b)));
  out(ffi.skyslot_write_unit()); out(ffi.skyslot_can_roll_back()); out(ffi.skyslot_slot_state()); out(ffi.skyslot_confirms_by_app());
  for (const name of ${JSON.stringify(labels)}) out(ffi.skyslot_partition_state(name));
  out(ffi.skyslot_partition_state("nowhere")); out(ffi.skyslot_arm("nowhere"));
  out(ffi.skyslot_arm(label((b) => ffi.skyslot_running(b))));
  ${next === "" ? "" : `out(ffi.skyslot_arm(${JSON.stringify(next)}));`}
  out(ffi.skyslot_arm_running());
`;

describe("the virtual functions of skyslot-ota.c", () => {
  const folder = mkdtempSync(join(tmpdir(), "skyslot-twins-"));
  const program = join(folder, "driver");
  before(function () {
    try {
      execFileSync("cc", ["--version"], { stdio: "ignore" });
    } catch {
      console.log("      skipped: there is no C compiler");
      return this.skip();
    }
    const sources = [join(NATIVE, "skyslot-ota.c"), join(HERE, "driver.c")];
    execFileSync("cc", ["-std=gnu11", "-Wall", "-I", join(HERE, "stubs"), "-o", program, ...sources]);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [what, csv] of Object.entries(TABLES))
    for (const isNextWhole of [false, true])
      it(`do what the C does with ${what}${isNextWhole ? ", the next slot holding an image" : ""}`, async () => {
        const table = `# Name, Type, SubType, Offset, Size\n${csv}\n`;
        const { partitions } = await booted(table, "trace('')", () => undefined);
        const apps = partitions.filter(({ type }) => type === PARTITION_TYPE_APP);
        const labels = apps.map(({ label }) => label);
        // the first app starts, or the only one
        const next = new Ota(new Flash(FLASH_BYTES), partitions, apps[0]!, OPTIONS).nextUpdatePartition();
        const nextLabel = next?.label ?? "";
        const run = await booted(table, PROGRAM(labels, nextLabel), () => (isNextWhole ? next : undefined));
        expect(run.running.label).equal(labels[0]);
        const input = scriptOf(run.started, partitions, apps, next);
        const expected = execFileSync(program, { input, encoding: "utf8" }).split("\n").slice(0, -1);
        expect(run.lines).deep.equal(expected);
      });
});

const FLASH_BYTES = 8 * 1024 * 1024;
const OPTIONS = { rollback: true, chip: "esp32" } as const;

/** What the virtual esp_ota_* functions answer on this flash, for driver.c. */
function scriptOf(
  contents: Uint8Array,
  partitions: readonly Partition[],
  apps: readonly Partition[],
  next: Partition | undefined,
): string {
  const running = apps[0]!;
  const indexOf = (partition: Partition | undefined) => (partition ? apps.indexOf(partition) : -1);
  const fresh = () => new Ota(new Flash(FLASH_BYTES, contents), partitions, running, OPTIONS);
  const head = [
    apps.length,
    0,
    indexOf(fresh().bootPartition()),
    indexOf(next),
    Number(fresh().rollbackPossible()),
  ];
  const lines = apps.map((app) => {
    const { error, state = 0 } = fresh().stateOf(app);
    const ota = fresh();
    // the next slot is armed before the one that runs
    if (app === running && next && next !== running) ota.setBoot(next);
    return [
      app.subtype,
      app.flags & 1,
      ESP_ERROR_CODES[error],
      state >>> 0,
      ESP_ERROR_CODES[ota.setBoot(app)],
      app.label,
    ];
  });
  return [head, ...lines].map((line) => line.join(" ")).join("\n");
}

/** A device with this table and program, after its first start. @param copyTo the slot that holds the image too */
async function booted(table: string, source: string, copyTo: () => Partition | undefined) {
  let started = new Uint8Array(0);
  const flash = new Flash(FLASH_BYTES);
  const run = deviceWith(source, {
    flash,
    onEvent: ({ type }) => {
      if (type === "booted" && started.length === 0) started = flash.bytes.slice();
    },
  });
  flash.bytes.fill(0xff);
  flashFactory(flash, table, imageOf(source));
  const slot = copyTo();
  if (slot) flash.write(slot.offset, imageOf(source));
  run.device.powerOn();
  await run.world.runFor(3_000);
  const { running, partitions } = run.device;
  if (!running) throw new Error("it does not boot");
  return { running, partitions, started, lines: run.lines };
}
