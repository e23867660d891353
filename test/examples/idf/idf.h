/* The functions of ESP-IDF that examples/esp-idf calls, for the host: real HTTP over sockets, flash and NVS in files of the working folder. The
 * declarations are those of ESP-IDF v6.0 (of mbedtls/sha256.h: v5). They do no more than the example needs, and refuse what ESP-IDF refuses. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* esp_err.h */
typedef int esp_err_t;
#define ESP_OK 0
#define ESP_FAIL -1
#define ESP_ERR_NO_MEM 0x101
#define ESP_ERR_INVALID_ARG 0x102
#define ESP_ERR_INVALID_STATE 0x103
#define ESP_ERR_INVALID_SIZE 0x104
#define ESP_ERR_NOT_FOUND 0x105
#define ESP_ERR_NOT_SUPPORTED 0x106
#define ESP_ERR_TIMEOUT 0x107
#define ESP_ERR_INVALID_RESPONSE 0x108
#define ESP_ERR_INVALID_CRC 0x109
#define ESP_ERR_OTA_VALIDATE_FAILED 0x1503
#define ESP_ERR_OTA_ROLLBACK_INVALID_STATE 0x1506
const char *esp_err_to_name(esp_err_t error);
void idf_check(esp_err_t error, const char *what);
#define ESP_ERROR_CHECK(call) idf_check(call, #call)

/* esp_log.h */
#define ESP_LOGI(tag, format, ...) printf("I %s: " format "\n", tag, ##__VA_ARGS__)
#define ESP_LOGW(tag, format, ...) printf("W %s: " format "\n", tag, ##__VA_ARGS__)
#define ESP_LOGE(tag, format, ...) printf("E %s: " format "\n", tag, ##__VA_ARGS__)

/* esp_idf_version.h; IDF_MAJOR is given to the compiler */
#define ESP_IDF_VERSION_VAL(major, minor, patch) (((major) << 16) | ((minor) << 8) | (patch))
#define ESP_IDF_VERSION ESP_IDF_VERSION_VAL(IDF_MAJOR, 1, 0)

/* esp_partition.h, esp_ota_ops.h, esp_app_desc.h */
typedef struct {
    uint32_t address;
    uint32_t size;
    char label[17];
} esp_partition_t;
typedef uint32_t esp_ota_handle_t;
typedef enum {
    ESP_OTA_IMG_NEW = 0,
    ESP_OTA_IMG_PENDING_VERIFY = 1,
    ESP_OTA_IMG_VALID = 2,
    ESP_OTA_IMG_INVALID = 3,
    ESP_OTA_IMG_ABORTED = 4,
    ESP_OTA_IMG_UNDEFINED = -1,
} esp_ota_img_states_t;
#define OTA_WITH_SEQUENTIAL_WRITES 0xfffffffe
esp_err_t esp_partition_get_sha256(const esp_partition_t *partition, uint8_t *sha256);
const esp_partition_t *esp_ota_get_running_partition(void);
const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *from);
esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition, esp_ota_img_states_t *state);
esp_err_t esp_ota_begin(const esp_partition_t *partition, size_t size, esp_ota_handle_t *handle);
esp_err_t esp_ota_write(esp_ota_handle_t handle, const void *data, size_t size);
esp_err_t esp_ota_end(esp_ota_handle_t handle);
esp_err_t esp_ota_abort(esp_ota_handle_t handle);
esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition);
esp_err_t esp_ota_mark_app_valid_cancel_rollback(void);
typedef struct {
    char version[32];
} esp_app_desc_t;
const esp_app_desc_t *esp_app_get_description(void);

/* esp_http_client.h */
typedef struct esp_http_client *esp_http_client_handle_t;
typedef enum { HTTP_METHOD_GET, HTTP_METHOD_POST } esp_http_client_method_t;
typedef enum { HTTP_EVENT_ON_HEADER } esp_http_client_event_id_t;
typedef struct {
    esp_http_client_event_id_t event_id;
    char *header_key;
    char *header_value;
} esp_http_client_event_t;
typedef struct {
    const char *url;
    const char *cert_pem;
    esp_http_client_method_t method;
    int timeout_ms;
    esp_err_t (*event_handler)(esp_http_client_event_t *event);
    esp_err_t (*crt_bundle_attach)(void *configuration);
} esp_http_client_config_t;
esp_http_client_handle_t esp_http_client_init(const esp_http_client_config_t *config);
esp_err_t esp_http_client_set_header(esp_http_client_handle_t client, const char *key, const char *value);
esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_length);
int esp_http_client_write(esp_http_client_handle_t client, const char *bytes, int length);
int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client);
int esp_http_client_get_status_code(esp_http_client_handle_t client);
int esp_http_client_read(esp_http_client_handle_t client, char *buffer, int length);
int esp_http_client_read_response(esp_http_client_handle_t client, char *buffer, int length);
esp_err_t esp_http_client_close(esp_http_client_handle_t client);
esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client);
esp_err_t esp_crt_bundle_attach(void *configuration);

/* nvs.h, nvs_flash.h */
typedef uint32_t nvs_handle_t;
typedef enum { NVS_READONLY, NVS_READWRITE } nvs_open_mode_t;
esp_err_t nvs_flash_init(void);
esp_err_t nvs_open(const char *space, nvs_open_mode_t mode, nvs_handle_t *handle);
esp_err_t nvs_get_u32(nvs_handle_t handle, const char *key, uint32_t *value);
esp_err_t nvs_set_u32(nvs_handle_t handle, const char *key, uint32_t value);
esp_err_t nvs_commit(nvs_handle_t handle);
void nvs_close(nvs_handle_t handle);

/* esp_system.h, esp_random.h, esp_mac.h, freertos */
void esp_restart(void) __attribute__((noreturn));
uint32_t esp_random(void);
#define ESP_MAC_WIFI_STA 0
esp_err_t esp_read_mac(uint8_t *mac, int type);
typedef uint32_t TickType_t;
#define pdMS_TO_TICKS(milliseconds) (milliseconds)
void vTaskDelay(TickType_t ticks);

/* esp_netif.h, esp_event.h, protocol_examples_common.h, sdkconfig.h */
esp_err_t esp_netif_init(void);
esp_err_t esp_event_loop_create_default(void);
esp_err_t example_connect(void);
const char *idf_setting(const char *name);
#define CONFIG_OTA_SERVER_URL idf_setting("OTA_SERVER_URL")
#define CONFIG_OTA_DEVICE_TYPE "scales"
#define CONFIG_OTA_DEVICE_ID idf_setting("OTA_DEVICE_ID")
#define CONFIG_OTA_TOKEN idf_setting("OTA_TOKEN")

/* mbedtls/sha256.h, psa/crypto.h */
typedef struct {
    uint32_t state[8];
    uint64_t length;
    uint8_t block[64];
} mbedtls_sha256_context;
void mbedtls_sha256_init(mbedtls_sha256_context *context);
int mbedtls_sha256_starts(mbedtls_sha256_context *context, int is224);
int mbedtls_sha256_update(mbedtls_sha256_context *context, const unsigned char *bytes, size_t length);
int mbedtls_sha256_finish(mbedtls_sha256_context *context, unsigned char *digest);
void mbedtls_sha256_free(mbedtls_sha256_context *context);
typedef mbedtls_sha256_context psa_hash_operation_t;
#define PSA_ALG_SHA_256 0x02000009
int psa_crypto_init(void);
psa_hash_operation_t psa_hash_operation_init(void);
int psa_hash_setup(psa_hash_operation_t *operation, uint32_t algorithm);
int psa_hash_update(psa_hash_operation_t *operation, const uint8_t *bytes, size_t length);
int psa_hash_finish(psa_hash_operation_t *operation, uint8_t *digest, size_t size, size_t *length);
int psa_hash_abort(psa_hash_operation_t *operation);
