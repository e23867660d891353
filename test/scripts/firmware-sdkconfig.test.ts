// The firmware's sdkconfigs: that they agree in all but the size of the flash and encryption, and that the check of that finds it.

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { nvsOfBuilds } from "../../host-sim/image-build/image.js";
import { checkSdkconfigs, encryptionNotice } from "../../scripts/firmware-sdkconfig.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PLATFORM = "firmware/platform";

describe("the sdkconfigs of the firmware", () => {
  let copy: string;
  beforeEach(() => {
    copy = mkdtempSync(join(tmpdir(), "skyslot-sdkconfig-"));
    mkdirSync(join(copy, PLATFORM), { recursive: true });
    for (const path of ["package.json", `${PLATFORM}/manifest.json`, `${PLATFORM}/sdkconfig`])
      cpSync(join(ROOT, path), join(copy, path), { recursive: true });
  });
  afterEach(() => rmSync(copy, { recursive: true, force: true }));

  function change(path: string, from: string, to: string): void {
    const file = join(copy, PLATFORM, path);
    const text = readFileSync(file, "utf8");
    expect(text).include(from);
    writeFileSync(file, text.replace(from, to));
  }

  it("agree in all but size and encryption", () => expect(checkSdkconfigs(ROOT)).deep.equal([]));

  it("are named where one of them differs, or its version does", () => {
    change(
      "sdkconfig/flash-encrypted/8mb/sdkconfig.defaults",
      "CONFIG_ESP_INT_WDT=y",
      "CONFIG_ESP_INT_WDT=n",
    );
    change("sdkconfig/nvs-plain/sdkconfig.defaults", 'PROJECT_VER="', 'PROJECT_VER="9.');
    const found = checkSdkconfigs(copy).join("\n");
    expect(found)
      .match(/flash-encrypted\/8mb differs/)
      .and.match(/nvs-plain: CONFIG_APP_PROJECT_VER is not/);
  });

  it("are announced before they burn anything", () => {
    expect(encryptionNotice(copy)).match(/KEY5/);
    change("manifest.json", "nvs-encrypted.json", "flash-encrypted.json");
    expect(encryptionNotice(copy)).match(/nothing can be flashed by cable/);
    change("manifest.json", "flash-encrypted.json", "nvs-plain.json");
    expect(encryptionNotice(copy)).match(/no eFuse is burnt/);
  });

  it("encrypt settings on the chips for which images of the simulator are encrypted", () => {
    const path = join(ROOT, PLATFORM, "sdkconfig/nvs-encrypted.json");
    const { platforms } = JSON.parse(readFileSync(path, "utf8")) as { platforms: object };
    const named = Object.keys(platforms).flatMap((name) => name.split("/").slice(1));
    const chips = ["esp32", "esp32c2", "esp32c3", "esp32c6", "esp32s2", "esp32s3"] as const;
    expect(chips.filter((chip) => nvsOfBuilds(chip) === "encrypted")).deep.equal(named.sort());
  });
});
