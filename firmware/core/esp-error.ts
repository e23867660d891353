// ESP-IDF's errors in sentences, for logs, reports and pages. The number or the name is kept: it is what ESP-IDF's documentation is searched
// for.

interface Known {
  readonly code: number;
  readonly name: string;
  readonly meaning: string;
}

const known = (code: number, name: string, meaning: string): Known => Object.freeze({ code, name, meaning });

const ERRORS: readonly Known[] = Object.freeze([
  known(-1, "ESP_FAIL", "the operation failed"),
  known(0x101, "ESP_ERR_NO_MEM", "memory ran out"),
  known(0x102, "ESP_ERR_INVALID_ARG", "there is no such partition, or it holds no app"),
  known(0x103, "ESP_ERR_INVALID_STATE", "it is not possible in this state"),
  known(0x104, "ESP_ERR_INVALID_SIZE", "a size does not fit"),
  known(0x105, "ESP_ERR_NOT_FOUND", "the partition table has no such partition"),
  known(0x106, "ESP_ERR_NOT_SUPPORTED", "this partition does not support it"),
  known(0x107, "ESP_ERR_TIMEOUT", "it took too long"),
  known(0x10d, "ESP_ERR_NOT_ALLOWED", "the partition is read-only"),
  known(0x1101, "ESP_ERR_NVS_NOT_INITIALIZED", "the settings partition could not be opened"),
  known(0x1102, "ESP_ERR_NVS_NOT_FOUND", "nothing is stored there"),
  known(0x1103, "ESP_ERR_NVS_TYPE_MISMATCH", "what is stored has another type"),
  known(0x1104, "ESP_ERR_NVS_READ_ONLY", "the settings can only be read"),
  known(0x1105, "ESP_ERR_NVS_NOT_ENOUGH_SPACE", "the settings partition is full"),
  known(0x1106, "ESP_ERR_NVS_INVALID_NAME", "the name cannot be stored"),
  known(0x1107, "ESP_ERR_NVS_INVALID_HANDLE", "the settings partition was closed"),
  known(0x1108, "ESP_ERR_NVS_REMOVE_FAILED", "the flash did not take the value"),
  known(0x1109, "ESP_ERR_NVS_KEY_TOO_LONG", "the name is longer than 15 characters"),
  known(0x110a, "ESP_ERR_NVS_PAGE_FULL", "the settings partition is full"),
  known(0x110b, "ESP_ERR_NVS_INVALID_STATE", "the settings partition is damaged"),
  known(0x110c, "ESP_ERR_NVS_INVALID_LENGTH", "the value has another length"),
  known(0x110d, "ESP_ERR_NVS_NO_FREE_PAGES", "the settings partition has no free page"),
  known(0x110e, "ESP_ERR_NVS_VALUE_TOO_LONG", "the value is too long"),
  known(0x110f, "ESP_ERR_NVS_PART_NOT_FOUND", "the partition table has no settings partition"),
  known(0x1110, "ESP_ERR_NVS_NEW_VERSION_FOUND", "a newer firmware wrote the settings"),
  known(0x1501, "ESP_ERR_OTA_PARTITION_CONFLICT", "the slot is the one that runs"),
  known(0x1502, "ESP_ERR_OTA_SELECT_INFO_INVALID", "the boot record (otadata) is damaged"),
  known(
    0x1503,
    "ESP_ERR_OTA_VALIDATE_FAILED",
    "the image in the slot is damaged, or not for this chip or its revision",
  ),
  known(0x1504, "ESP_ERR_OTA_SMALL_SEC_VER", "the image's security version is lower than the chip allows"),
  known(0x1505, "ESP_ERR_OTA_ROLLBACK_FAILED", "there is no other image to go back to"),
  known(0x1506, "ESP_ERR_OTA_ROLLBACK_INVALID_STATE", "the running image has not passed its trial yet"),
  known(0x2001, "ESP_ERR_IMAGE_FLASH_FAIL", "the flash could not be read"),
  known(0x2002, "ESP_ERR_IMAGE_INVALID", "the image is damaged"),
  known(0x6001, "ESP_ERR_FLASH_OP_FAIL", "the flash did not carry it out"),
  known(0x6002, "ESP_ERR_FLASH_OP_TIMEOUT", "the flash did not answer in time"),
]);

/** What an error means, and its name or number in brackets. @param error a code, or a text that may contain a name */
export function explainEsp(error: number | string): string {
  const found = ERRORS.find(({ code, name }) =>
    typeof error === "number" ? code === error : hasWord(error, name),
  );
  if (found) return `${found.meaning} (${found.name})`;
  return typeof error === "number" ? `error ${error} (0x${(error >>> 0).toString(16)})` : error;
}

/** ESP_ERR_NVS_NOT_FOUND is no ESP_ERR_NOT_FOUND, and no part of a longer name. */
function hasWord(text: string, name: string): boolean {
  const at = text.indexOf(name);
  return at >= 0 && !/[A-Z_]/.test(text.charAt(at + name.length));
}
