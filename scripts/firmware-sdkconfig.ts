// What can be said of the firmware's sdkconfigs without ESP-IDF.

import { readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDERS = ["nvs-encrypted", "nvs-plain"].flatMap((nvs) => [nvs, `${nvs}/8mb`, `${nvs}/16mb`]);

/** The sdkconfigs may differ in the size of the flash and the encryption of settings only, and carry the version of package.json. */
export function checkSdkconfigs(root: string): string[] {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const found: string[] = [];
  const first = new Map<string, string>();
  for (const path of FOLDERS) {
    const lines = readFileSync(join(root, "firmware/platform/sdkconfig", path, "sdkconfig.defaults"), "utf8")
      .split("\n")
      .filter((line) => line.startsWith("CONFIG_") && !line.startsWith("CONFIG_ESPTOOLPY_FLASHSIZE"));
    const isOfNvs = (line: string) => line.startsWith("CONFIG_NVS_");
    const parts = {
      all: lines.filter((line) => !isOfNvs(line)),
      [path.split("/")[0] ?? ""]: lines.filter(isOfNvs),
    };
    for (const [name, settings] of Object.entries(parts)) {
      const text = settings.join("\n");
      if (text !== (first.get(name) ?? text))
        found.push(`sdkconfig/${path} differs from the others in more than size and encryption`);
      first.set(name, text);
    }
    if (!lines.includes(`CONFIG_APP_PROJECT_VER="${version}"`))
      found.push(`sdkconfig/${path}: CONFIG_APP_PROJECT_VER is not ${version}, the version in package.json`);
  }
  return found;
}

/** What cannot be undone is said before anything is flashed. */
export function encryptionNotice(root: string): string {
  const { include } = JSON.parse(readFileSync(join(root, "firmware/platform/manifest.json"), "utf8")) as {
    include: string[];
  };
  return include.includes("./sdkconfig/nvs-encrypted.json")
    ? "settings: ENCRYPTED on esp32c3, esp32c6 and esp32s3. The first start burns a key into eFuse block KEY5 of the chip, FOR\n" +
        "  EVER. To leave that out: ./sdkconfig/nvs-plain.json in the include of firmware/platform/manifest.json. The esp32 needs flash\n" +
        "  encryption for it, and has its settings in plain text without"
    : "settings: in plain text; no eFuse is burnt. Who holds a device can read its Wi-Fi password";
}
