// Checks of the firmware's sdkconfigs that need no ESP-IDF.

import { readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDERS = [
  ...["nvs-encrypted", "nvs-plain"].flatMap((nvs) => [nvs, `${nvs}/8mb`, `${nvs}/16mb`]),
  "flash-encrypted",
  "flash-encrypted/8mb",
];

/** The sdkconfigs may differ in the size of the flash and in encryption only, and carry the version of package.json. */
export function checkSdkconfigs(root: string): string[] {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const found: string[] = [];
  const first = new Map<string, string>();
  const check = (path: string, name: string, text: string) => {
    if (text !== (first.get(name) ?? text))
      found.push(`sdkconfig/${path} differs from the others in more than size and encryption`);
    first.set(name, text);
  };
  for (const path of FOLDERS) {
    const text = (file: string) =>
      readFileSync(join(root, "firmware/platform/sdkconfig", path, file), "utf8");
    const lines = text("sdkconfig.defaults")
      .split("\n")
      .filter((line) => line.startsWith("CONFIG_") && !line.startsWith("CONFIG_ESPTOOLPY_FLASHSIZE"));
    const isOfEncryption = (line: string) => /^CONFIG_(NVS|SECURE_FLASH)_/.test(line);
    check(path, "all", lines.filter((line) => !isOfEncryption(line)).join("\n"));
    check(path, path.split("/")[0]!, lines.filter(isOfEncryption).join("\n"));
    check(path, "release", text("sdkconfig.defaults.release"));
    if (!lines.includes(`CONFIG_APP_PROJECT_VER="${version}"`))
      found.push(`sdkconfig/${path}: CONFIG_APP_PROJECT_VER is not ${version}, the version in package.json`);
  }
  return found;
}

/** What cannot be undone is announced before anything is flashed. */
export function encryptionNotice(root: string): string {
  const { include } = JSON.parse(readFileSync(join(root, "firmware/platform/manifest.json"), "utf8")) as {
    include: string[];
  };
  if (include.includes("./sdkconfig/flash-encrypted.json"))
    return (
      "flash and settings: ENCRYPTED. The first start burns keys into the chip's eFuses, FOR EVER, and nothing can be flashed by cable\n" +
      "  after that (docs/secure-boot.md)"
    );
  return include.includes("./sdkconfig/nvs-encrypted.json")
    ? "settings: ENCRYPTED on esp32c3, esp32c6 and esp32s3. The first start burns a key into eFuse block KEY5 of the chip, FOR\n" +
        "  EVER. To leave that out: ./sdkconfig/nvs-plain.json in the include of firmware/platform/manifest.json. The esp32 needs flash\n" +
        "  encryption for it, and has its settings in plain text without"
    : "settings: in plain text; no eFuse is burnt. Who holds a device can read its Wi-Fi password";
}
