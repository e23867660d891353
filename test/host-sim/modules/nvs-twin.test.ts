// The kind: skyslot-nvs.c, which erases settings, against its twin in the simulator, for every error that nvs_flash_init may return. The C
// is compiled for the host over stubs of ESP-IDF.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { NVS_ERROR_CODES } from "../../../host-sim/hardware/nvs/nvs-errors.js";
import type { NvsInitError } from "../../../host-sim/hardware/nvs/nvs-init.js";
import { isMendedByErasing } from "../../../host-sim/hardware/nvs/nvs-mend.js";

const C = fileURLToPath(new URL("../../../firmware/platform/native/skyslot-nvs.c", import.meta.url));
const HERE = fileURLToPath(new URL("native/", import.meta.url));
const { ESP_OK, ESP_ERR_NVS_NEW_VERSION_FOUND: NEWER, ESP_ERR_NVS_NO_FREE_PAGES: NO_PAGE } = NVS_ERROR_CODES;
/** Of other parts of ESP-IDF: the flash, memory, the keys of an encrypted NVS. */
const OTHER_ERRORS = [0x101, 0x108, 0x6001, 0x6002, 0x1114, 0x1115, 0x1119, 0x111a, 0x111c, 0x111d, 0x111e];

describe("skyslot-nvs.c", () => {
  const folder = mkdtempSync(join(tmpdir(), "skyslot-nvs-"));
  const program = join(folder, "driver");
  before(function () {
    try {
      execFileSync("cc", ["--version"], { stdio: "ignore" });
    } catch {
      console.log("      skipped: there is no C compiler");
      return this.skip();
    }
    const options = ["-std=gnu11", "-Wall", "-I", join(HERE, "stubs"), "-o", program];
    execFileSync("cc", [...options, C, join(HERE, "nvs-driver.c")]);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** A start at which nvs_flash_init returns these, the last one for ever. */
  function start(answers: readonly number[], isOnTrial = false) {
    const parameters = [isOnTrial ? "1" : "0", ...answers.map(String)];
    const text = execFileSync(program, parameters, { encoding: "utf8" });
    const [result, eraseCount, erasedFor, stoodStill, stands] = text.split(" ").map(Number);
    expect(result, "the chip starts").equal(ESP_OK);
    expect(stands, "main's task goes on").equal(0);
    expect(stoodStill, "main's task stands still while NVS is erased").equal(eraseCount);
    return { eraseCount, erasedFor };
  }
  const NOTHING = { eraseCount: 0, erasedFor: ESP_OK };

  it("erases for the errors for which the simulator does, and tells them", () => {
    for (const [name, code] of Object.entries(NVS_ERROR_CODES)) {
      const isErased = isMendedByErasing(name as NvsInitError);
      expect(start([code]), name).deep.equal(isErased ? { eraseCount: 1, erasedFor: code } : NOTHING);
    }
    for (const code of [NEWER, NO_PAGE]) expect(start([code])).deep.equal({ eraseCount: 1, erasedFor: code });
  });

  it("erases for no error of the flash, of memory or of the keys", () => {
    for (const code of OTHER_ERRORS) expect(start([code]), code.toString(16)).deep.equal(NOTHING);
  });

  for (const [what, answers] of Object.entries({
    once: [NEWER, ESP_OK],
    twice: [NO_PAGE, NEWER, ESP_OK],
    "once, and the flash fails then": [NO_PAGE, 0x6001],
  }))
    it(`does not erase what could not be opened ${what}`, () => {
      expect(start(answers)).deep.equal(NOTHING);
    });

  it("erases nothing for an image on trial", () => {
    for (const code of [NEWER, NO_PAGE]) expect(start([code], true)).deep.equal(NOTHING);
  });
});
