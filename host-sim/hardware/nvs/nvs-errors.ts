// The results of the NVS library: ESP-IDF's names and their numbers.

const codes = {
  ESP_OK: 0,
  ESP_FAIL: -1,
  ESP_ERR_INVALID_ARG: 0x102,
  ESP_ERR_INVALID_STATE: 0x103,
  ESP_ERR_NVS_NOT_INITIALIZED: 0x1101,
  ESP_ERR_NVS_NOT_FOUND: 0x1102,
  ESP_ERR_NVS_TYPE_MISMATCH: 0x1103,
  ESP_ERR_NVS_READ_ONLY: 0x1104,
  ESP_ERR_NVS_NOT_ENOUGH_SPACE: 0x1105,
  ESP_ERR_NVS_INVALID_NAME: 0x1106,
  ESP_ERR_NVS_INVALID_HANDLE: 0x1107,
  ESP_ERR_NVS_REMOVE_FAILED: 0x1108,
  ESP_ERR_NVS_KEY_TOO_LONG: 0x1109,
  ESP_ERR_NVS_PAGE_FULL: 0x110a,
  ESP_ERR_NVS_INVALID_STATE: 0x110b,
  ESP_ERR_NVS_INVALID_LENGTH: 0x110c,
  ESP_ERR_NVS_NO_FREE_PAGES: 0x110d,
  ESP_ERR_NVS_VALUE_TOO_LONG: 0x110e,
  ESP_ERR_NVS_NEW_VERSION_FOUND: 0x1110,
  ESP_ERR_NVS_CONTENT_DIFFERS: 0x1118,
} as const;

/** The name of an `esp_err_t` that NVS returns. */
export type NvsError = keyof typeof codes;

/** The number behind each name, as in esp_err.h and nvs.h. */
export const nvsErrorCodes: Readonly<Record<NvsError, number>> = Object.freeze(codes);
