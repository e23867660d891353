// Booting on the virtual chip: boot loader, otadata, the check of an image, esp_ota_*.

import type { Mutation } from "./mutation.js";

export const MUTATIONS: readonly Mutation[] = [
  {
    what: "an unconfirmed trial continues after a restart",
    file: "host-sim/hardware/boot/boot-loader.ts",
    original: "if (rollback) otadata =",
    mutated: "if (false) otadata =",
  },
  {
    what: "a new image runs without a trial",
    file: "host-sim/hardware/boot/boot-loader.ts",
    original: "rollback && entry.state === OTA_STATE.NEW",
    mutated: "false",
  },
  {
    what: "the factory app is never fallen back to",
    file: "host-sim/hardware/boot/boot-loader.ts",
    original: "index >= FACTORY_INDEX",
    mutated: "index > FACTORY_INDEX",
  },
  {
    what: "the slot behind the selected one is not tried",
    file: "host-sim/hardware/boot/boot-loader.ts",
    original: "let index = selected + 1",
    mutated: "let index = selected + 2",
  },
  {
    what: "an image that fails the check is started",
    file: "host-sim/hardware/boot/boot-loader.ts",
    original: "verdict.ok ? undefined",
    mutated: "verdict ? undefined",
  },
  {
    what: "an entry with a wrong CRC is not blank",
    file: "host-sim/hardware/boot/boot-loader.ts",
    original: "entry.sequence === EMPTY_SEQUENCE || !isCrcRight(entry)",
    mutated: "entry.sequence === EMPTY_SEQUENCE",
  },
  {
    what: "the slot that boots first is recorded as the one before it",
    file: "host-sim/hardware/boot/boot-loader.ts",
    original: "slot + 1",
    mutated: "slot",
  },
  {
    what: "an app below the eFuses' secure version starts",
    file: "host-sim/hardware/boot/boot-loader.ts",
    original: "options.antiRollback !== undefined && !mayRun(",
    mutated: "false && !mayRun(",
  },
  {
    what: "the secure version of a validated app is not burned",
    file: "host-sim/hardware/boot/boot-loader.ts",
    original: "if (entry.state === OTA_STATE.VALID) burnIfAsked",
    mutated: "if (false) burnIfAsked",
  },
  {
    what: "an aborted entry counts as valid",
    file: "host-sim/hardware/boot/otadata.ts",
    original: "entry.state === OTA_STATE.INVALID ||\n    entry.state === OTA_STATE.ABORTED",
    mutated: "entry.state === OTA_STATE.INVALID",
  },
  {
    what: "an entry with a wrong CRC is valid",
    file: "host-sim/hardware/boot/otadata.ts",
    original: "!isInvalid(entry) && isCrcRight(entry)",
    mutated: "!isInvalid(entry)",
  },
  {
    what: "of two equal entries the second one counts",
    file: "host-sim/hardware/boot/otadata.ts",
    original: "first >= second",
    mutated: "first > second",
  },
  {
    what: "a sequence number means the next slot",
    file: "host-sim/hardware/boot/otadata.ts",
    original: "(sequence - 1) >>> 0",
    mutated: "sequence >>> 0",
  },
  {
    what: "otadata is written without an erase",
    file: "host-sim/hardware/boot/otadata.ts",
    original: "flash.eraseSector(offset);",
    mutated: "",
  },
  {
    what: "an image with a wrong checksum passes",
    file: "host-sim/hardware/image/image-verifier.ts",
    original: "padding.at(-1) !== checksum",
    mutated: "false",
  },
  {
    what: "an image with a wrong SHA-256 passes",
    file: "host-sim/hardware/image/image-verifier.ts",
    original: "Buffer.compare(appended, digest) !== 0",
    mutated: "false",
  },
  {
    what: "an image of exactly the partition's size is refused",
    file: "host-sim/hardware/image/image-verifier.ts",
    original: "imageLength > sizeBytes",
    mutated: "imageLength >= sizeBytes",
  },
  {
    what: "an image for another chip passes",
    file: "host-sim/hardware/image/image-verifier.ts",
    original: "chipId !== chip.chipId",
    mutated: "false",
  },
  {
    what: "an image that needs exactly this revision is refused",
    file: "host-sim/hardware/image/image-verifier.ts",
    original: "minRevision > chip.revision",
    mutated: "minRevision >= chip.revision",
  },
  {
    what: "an image with sixteen segments is refused",
    file: "host-sim/hardware/image/image-verifier.ts",
    original: "segmentCount > SEGMENT_COUNT_MAX",
    mutated: "segmentCount >= SEGMENT_COUNT_MAX",
  },
  {
    what: "a broken image is armed",
    file: "host-sim/hardware/boot/ota.ts",
    original: 'if (this.verify(partition) !== "ESP_OK") return "ESP_ERR_OTA_VALIDATE_FAILED";',
    mutated: "",
  },
  {
    what: "an image is marked invalid though nothing could take its place",
    file: "host-sim/hardware/boot/ota.ts",
    original: "if (!this.rollbackPossible())",
    mutated: "if (false)",
  },
  {
    what: "an armed image is valid at once",
    file: "host-sim/hardware/boot/ota.ts",
    original: "this.rollback ? OTA_STATE.NEW : OTA_STATE.UNDEFINED",
    mutated: "OTA_STATE.VALID",
  },
  {
    what: "arming overwrites the entry of the running slot",
    file: "host-sim/hardware/boot/ota.ts",
    original: "selected ? active : otherEntry(active)",
    mutated: "active",
  },
  {
    what: "an image on trial erases settings that the one before can read",
    file: "host-sim/hardware/nvs/nvs-mend.ts",
    original: "!isMendedByErasing(found.error) || isOnTrial()",
    mutated: "!isMendedByErasing(found.error)",
  },
  {
    what: "a device whose settings are of a newer version restarts for ever",
    file: "host-sim/hardware/nvs/nvs-mend.ts",
    original: 'error === "ESP_ERR_NVS_NEW_VERSION_FOUND" || ',
    mutated: "",
  },
];
