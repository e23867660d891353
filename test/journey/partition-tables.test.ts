// Devices whose partition table cannot take an update: they go on, say why, and never write to the slot that runs.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Rig, setUpRig } from "./rig.js";

const HEAD = "nvs, data, nvs, 0x9000, 0x5000\n";
const OTADATA = "otadata, data, ota, 0xe000, 0x2000\n";
const TABLES = {
  "one slot": `${HEAD}${OTADATA}ota_0, app, ota_0, , 2M\n`,
  "a factory app": `${HEAD}${OTADATA}factory, app, factory, , 2M\n`,
  "a factory app and two slots, without otadata": `${HEAD}factory, app, factory, , 2M\nota_0, app, ota_0, , 2M\nota_1, app, ota_1, , 2M\n`,
};

describe("a partition table of", () => {
  const folder = mkdtempSync(join(tmpdir(), "skyslot-tables-"));
  let rig: Rig;
  afterEach(() => rig.close());
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [what, csv] of Object.entries(TABLES))
    it(`${what} is no reason to restart, and is told to the server`, async () => {
      const partitions = join(folder, "table.csv");
      writeFileSync(partitions, csv);
      rig = await setUpRig({ partitions });
      rig.desk.device.powerOn();
      await rig.desk.world.runFor(600_000);
      expect(rig.events.filter(({ type }) => type === "restarted")).deep.equal([]);
      expect(rig.checks.length).above(3);
      expect(rig.reports.map(({ status, error_code }) => `${status} ${error_code}`)).deep.equal([
        "failed ARM_FAILED",
      ]);
      expect([...rig.watch.slots]).deep.equal([]);
    });
});
