// The error codes of ESP-IDF that the virtual hardware answers with, by their names. It holds no behaviour.

/** Names and numbers as in esp_err.h, esp_ota_ops.h, esp_image_format.h, esp_wifi.h, esp_now.h and esp_flash_err.h. */
export const ESP_ERROR_CODES = Object.freeze({
  ESP_OK: 0,
  ESP_FAIL: -1,
  ESP_ERR_NO_MEM: 0x101,
  ESP_ERR_INVALID_ARG: 0x102,
  ESP_ERR_INVALID_STATE: 0x103,
  ESP_ERR_INVALID_SIZE: 0x104,
  ESP_ERR_NOT_FOUND: 0x105,
  ESP_ERR_TIMEOUT: 0x107,
  ESP_ERR_NOT_SUPPORTED: 0x106,
  ESP_ERR_NOT_ALLOWED: 0x10d,
  ESP_ERR_OTA_PARTITION_CONFLICT: 0x1501,
  ESP_ERR_OTA_SELECT_INFO_INVALID: 0x1502,
  ESP_ERR_OTA_VALIDATE_FAILED: 0x1503,
  ESP_ERR_OTA_SMALL_SEC_VER: 0x1504,
  ESP_ERR_OTA_ROLLBACK_FAILED: 0x1505,
  ESP_ERR_OTA_ROLLBACK_INVALID_STATE: 0x1506,
  ESP_ERR_IMAGE_FLASH_FAIL: 0x2001,
  ESP_ERR_IMAGE_INVALID: 0x2002,
  ESP_ERR_WIFI_NOT_STARTED: 0x3002,
  ESP_ERR_WIFI_STATE: 0x3006,
  ESP_ERR_ESPNOW_NOT_INIT: 0x3065,
  ESP_ERR_ESPNOW_ARG: 0x3066,
  ESP_ERR_ESPNOW_NO_MEM: 0x3067,
  ESP_ERR_ESPNOW_FULL: 0x3068,
  ESP_ERR_ESPNOW_NOT_FOUND: 0x3069,
  ESP_ERR_ESPNOW_INTERNAL: 0x306a,
  ESP_ERR_ESPNOW_EXIST: 0x306b,
  ESP_ERR_ESPNOW_IF: 0x306c,
  ESP_ERR_FLASH_OP_FAIL: 0x6001,
});

/** Name of an ESP-IDF result, "ESP_OK" among them. */
export type EspError = keyof typeof ESP_ERROR_CODES;

/** An assertion of ESP-IDF has failed: the chip panics and restarts. */
export class ChipAborted extends Error {
  override readonly name = "ChipAborted";
}
