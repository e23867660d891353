#include "esp32_ota_client.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_crt_bundle.h"
#include "esp_http_client.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "esp_random.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs.h"

#include "flat_json.h"
#include "sha256_stream.h"

static const char *TAG = "ota";

#define ANSWER_BYTES 8192   /* of a check: the longest manifest of a signed release has 6144 characters */
#define PIECE_BYTES 4096    /* of the image, read at once */
#define TIMEOUT_MS 30000
#define MAX_BREAKS 5        /* connections that end without the rest of the image, one after the other without progress */
#define POLL_SECONDS 120
#define MAX_WAIT_SECONDS 86400
#define REPORT_PERCENT 10
#define NVS_NAMESPACE "ota_client"

static unsigned wait_seconds = POLL_SECONDS;

/* ---- Requests */

static esp_err_t on_http_event(esp_http_client_event_t *event)
{
    if (event->event_id == HTTP_EVENT_ON_HEADER && strcasecmp(event->header_key, "Retry-After") == 0) {
        long asked = strtol(event->header_value, NULL, 10);
        if (asked > 0) wait_seconds = asked < MAX_WAIT_SECONDS ? asked : MAX_WAIT_SECONDS;
    }
    return ESP_OK;
}

static esp_http_client_handle_t new_request(const ota_config_t *config, const char *path, esp_http_client_method_t method)
{
    char url[256], bearer[224];
    /* An absolute address is used as it is, without the token: it may lead to another host. */
    bool is_ours = path[0] == '/';
    snprintf(url, sizeof url, "%s%s", is_ours ? config->server_url : "", path);
    esp_http_client_config_t http = {
        .url = url,
        .method = method,
        .timeout_ms = TIMEOUT_MS,
        .cert_pem = config->cert_pem,
        .crt_bundle_attach = config->cert_pem == NULL && strncmp(url, "https", 5) == 0 ? esp_crt_bundle_attach : NULL,
        .event_handler = on_http_event,
    };
    esp_http_client_handle_t client = esp_http_client_init(&http);
    if (client != NULL && config->token != NULL && is_ours) {
        snprintf(bearer, sizeof bearer, "Bearer %s", config->token);
        esp_http_client_set_header(client, "Authorization", bearer);
    }
    return client;
}

/* Posts JSON. @returns the HTTP status, or -1 without an answer; the answer's text is in `answer`, as much as fits */
static int post(const ota_config_t *config, const char *path, const char *body, char *answer, size_t size)
{
    int status = -1;
    esp_http_client_handle_t client = new_request(config, path, HTTP_METHOD_POST);
    if (client == NULL) return -1;
    esp_http_client_set_header(client, "Content-Type", "application/json");
    int length = strlen(body);
    if (esp_http_client_open(client, length) == ESP_OK && esp_http_client_write(client, body, length) == length &&
        esp_http_client_fetch_headers(client) >= 0) {
        status = esp_http_client_get_status_code(client);
        int got = esp_http_client_read_response(client, answer, size - 1);
        answer[got > 0 ? got : 0] = 0;
    }
    esp_http_client_close(client);
    esp_http_client_cleanup(client);
    return status;
}

/* `more`: further members, each behind a comma, or "" */
static void report(const ota_config_t *config, long firmware_id, const char *status, const char *more, ...)
{
    char body[512], members[320], answer[256];
    va_list values;
    va_start(values, more);
    vsnprintf(members, sizeof members, more, values);
    va_end(values);
    snprintf(body, sizeof body, "{\"device_id\":\"%s\",\"firmware_id\":%ld,\"status\":\"%s\"%s}", config->device_id,
             firmware_id, status, members);
    int code = post(config, "/api/ota/status", body, answer, sizeof answer);
    if (code != 200) ESP_LOGW(TAG, "report \"%s\" was answered %d", status, code);
}

/* ---- What is known of the last installation, over the restart */

static void remember(long firmware_id, uint32_t address)
{
    nvs_handle_t nvs;
    if (nvs_open(NVS_NAMESPACE, NVS_READWRITE, &nvs) != ESP_OK) return;
    nvs_set_u32(nvs, "firmware_id", firmware_id);
    nvs_set_u32(nvs, "address", address);
    nvs_commit(nvs);
    nvs_close(nvs);
}

static bool recall(uint32_t *firmware_id, uint32_t *address)
{
    nvs_handle_t nvs;
    if (nvs_open(NVS_NAMESPACE, NVS_READONLY, &nvs) != ESP_OK) return false;
    bool known = nvs_get_u32(nvs, "firmware_id", firmware_id) == ESP_OK && *firmware_id != 0 &&
                 nvs_get_u32(nvs, "address", address) == ESP_OK;
    nvs_close(nvs);
    return known;
}

/* The boot loader has gone back to this image: the server is told why. */
static void report_roll_back(const ota_config_t *config)
{
    uint32_t firmware_id, address;
    if (!recall(&firmware_id, &address) || address == esp_ota_get_running_partition()->address) return;
    report(config, firmware_id, "failed",
           ",\"error_code\":\"ROLLED_BACK\",\"error_message\":\"it restarted before it was confirmed\"");
    remember(0, 0);
}

/* ---- Download */

typedef struct {
    long firmware_id, size;
    char hash[65], url[160];
    const esp_partition_t *slot;
    esp_ota_handle_t handle;
    sha256_t sha;
    long offset;
    int percent;
} download_t;

static esp_err_t start_slot(download_t *download)
{
    download->offset = 0;
    sha256_begin(&download->sha);
    return esp_ota_begin(download->slot, OTA_WITH_SEQUENTIAL_WRITES, &download->handle);
}

static esp_err_t take_piece(const ota_config_t *config, download_t *download, const char *bytes, int length)
{
    if (download->offset + length > download->size) return ESP_ERR_INVALID_SIZE;
    esp_err_t error = esp_ota_write(download->handle, bytes, length);
    if (error != ESP_OK) return error;
    sha256_add(&download->sha, bytes, length);
    download->offset += length;
    int percent = (int)((int64_t)download->offset * 100 / download->size);
    if (percent / REPORT_PERCENT == download->percent / REPORT_PERCENT) return ESP_OK;
    download->percent = percent;
    report(config, download->firmware_id, "downloading", ",\"bytes_downloaded\":%ld", download->offset);
    return ESP_OK;
}

/* One connection, from where the last one ended. ESP_ERR_TIMEOUT: it ended early; ask again for the rest. */
static esp_err_t fetch_rest(const ota_config_t *config, download_t *download, char *piece)
{
    char range[40], quoted[72];
    esp_http_client_handle_t client = new_request(config, download->url, HTTP_METHOD_GET);
    if (client == NULL) return ESP_ERR_NO_MEM;
    snprintf(range, sizeof range, "bytes=%ld-", download->offset);
    snprintf(quoted, sizeof quoted, "\"%s\"", download->hash);
    if (download->offset > 0) {
        esp_http_client_set_header(client, "Range", range);
        esp_http_client_set_header(client, "If-Range", quoted);
    }
    esp_err_t error = ESP_ERR_TIMEOUT;
    if (esp_http_client_open(client, 0) == ESP_OK && esp_http_client_fetch_headers(client) >= 0) {
        int status = esp_http_client_get_status_code(client);
        error = ESP_OK;
        if (status == 200 && download->offset > 0) { /* the whole image again, instead of the rest */
            esp_ota_abort(download->handle);
            sha256_drop(&download->sha);
            error = start_slot(download);
        } else if (status >= 500 || status == 429) {
            error = ESP_ERR_TIMEOUT;
        } else if (status != 200 && status != 206) {
            error = ESP_ERR_NOT_FOUND;
        }
        while (error == ESP_OK && download->offset < download->size) {
            int got = esp_http_client_read(client, piece, PIECE_BYTES);
            error = got > 0 ? take_piece(config, download, piece, got) : ESP_ERR_TIMEOUT;
        }
    }
    esp_http_client_close(client);
    esp_http_client_cleanup(client);
    return error;
}

static esp_err_t fetch_image(const ota_config_t *config, download_t *download)
{
    char *piece = malloc(PIECE_BYTES);
    if (piece == NULL) return ESP_ERR_NO_MEM;
    esp_err_t error = ESP_ERR_TIMEOUT;
    for (int breaks = 0; error == ESP_ERR_TIMEOUT && breaks < MAX_BREAKS; breaks++) {
        long before = download->offset;
        if (breaks > 0) vTaskDelay(pdMS_TO_TICKS(1000 << breaks));
        error = fetch_rest(config, download, piece);
        if (error == ESP_ERR_TIMEOUT) ESP_LOGW(TAG, "connection ended at byte %ld of %ld", download->offset, download->size);
        if (download->offset > before) breaks = 0;
    }
    free(piece);
    return error;
}

static void to_hex(const uint8_t digest[32], char hex[65])
{
    for (int i = 0; i < 32; i++) sprintf(hex + 2 * i, "%02x", digest[i]);
}

static bool is_intact(download_t *download)
{
    uint8_t digest[32];
    char hex[65];
    sha256_end(&download->sha, digest);
    to_hex(digest, hex);
    return strcasecmp(hex, download->hash) == 0;
}

/* @param code why, for the server, if it fails */
static esp_err_t install(const ota_config_t *config, download_t *download, const char **code)
{
    *code = "IMAGE_TOO_LARGE";
    if (download->size > (long)download->slot->size) return ESP_ERR_INVALID_SIZE;
    *code = "FLASH_FAILED";
    esp_err_t error = start_slot(download);
    if (error != ESP_OK) return error;
    error = fetch_image(config, download);
    *code = error == ESP_ERR_TIMEOUT ? "CONNECTION_LOST" : error == ESP_ERR_INVALID_SIZE ? "IMAGE_MISMATCH" : "DOWNLOAD_FAILED";
    if (error != ESP_OK) sha256_drop(&download->sha);
    if (error == ESP_OK && !is_intact(download)) {
        *code = "IMAGE_MISMATCH";
        error = ESP_ERR_INVALID_CRC;
    }
    if (error != ESP_OK) {
        esp_ota_abort(download->handle);
        return error;
    }
    *code = "IMAGE_MALFORMED"; /* the rest is verified by ESP-IDF: is it an image for this chip, does its own hash fit? */
    error = esp_ota_end(download->handle);
    if (error == ESP_OK) error = esp_ota_set_boot_partition(download->slot);
    return error;
}

/* ---- The calls */

static const char *state_name(esp_ota_img_states_t state)
{
    switch (state) {
    case ESP_OTA_IMG_NEW: return "new";
    case ESP_OTA_IMG_PENDING_VERIFY: return "pending_verify";
    case ESP_OTA_IMG_VALID: return "valid";
    case ESP_OTA_IMG_INVALID: return "invalid";
    case ESP_OTA_IMG_ABORTED: return "aborted";
    default: return "undefined";
    }
}

/* `,"image_sha256":"...","slot_state":"..."`: by them the server knows that an update has really happened. */
static void describe_image(char *out, size_t size)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    esp_ota_img_states_t state;
    uint8_t digest[32];
    char hex[65] = "";
    if (esp_partition_get_sha256(running, digest) == ESP_OK) to_hex(digest, hex);
    bool has_state = esp_ota_get_state_partition(running, &state) == ESP_OK;
    snprintf(out, size, ",\"image_sha256\":\"%s\",\"slot_state\":\"%s\"", hex, has_state ? state_name(state) : "factory");
}

static esp_err_t check(const ota_config_t *config, char *answer)
{
    char body[512], image[128];
    describe_image(image, sizeof image);
    snprintf(body, sizeof body, "{\"device_id\":\"%s\",\"device_type\":\"%s\",\"current_version\":\"%s\",\"current_build\":%d%s}",
             config->device_id, config->device_type, config->current_version, config->current_build, image);
    wait_seconds = POLL_SECONDS;
    int status = post(config, "/api/ota/check", body, answer, ANSWER_BYTES);
    if (status != 200) {
        ESP_LOGW(TAG, "check was answered %d: %s", status, status > 0 ? answer : "no answer");
        return status >= 400 && status < 500 && status != 429 ? ESP_FAIL : ESP_ERR_TIMEOUT;
    }
    long asked = json_number(answer, "poll_seconds");
    if (asked > 0) wait_seconds = asked < MAX_WAIT_SECONDS ? asked : MAX_WAIT_SECONDS;
    return ESP_OK;
}

static bool read_offer(const char *answer, download_t *download)
{
    download->firmware_id = json_number(answer, "firmware_id");
    download->size = json_number(answer, "file_size");
    return download->firmware_id > 0 && download->size > 0 && json_text(answer, "file_hash", download->hash, sizeof download->hash) &&
           json_text(answer, "download_url", download->url, sizeof download->url);
}

esp_err_t ota_check_and_update(const ota_config_t *config)
{
    esp_ota_img_states_t state;
    bool on_trial = esp_ota_get_state_partition(esp_ota_get_running_partition(), &state) == ESP_OK &&
                    state == ESP_OTA_IMG_PENDING_VERIFY;
    if (on_trial) return ESP_ERR_INVALID_STATE;
    report_roll_back(config);
    char *answer = malloc(ANSWER_BYTES);
    if (answer == NULL) return ESP_ERR_NO_MEM;
    download_t download = { .slot = esp_ota_get_next_update_partition(NULL) };
    esp_err_t error = check(config, answer);
    const char *available = json_member(error == ESP_OK ? answer : "{}", "update_available");
    bool has_offer = available != NULL && strncmp(available, "true", 4) == 0;
    if (has_offer && !read_offer(answer, &download)) error = ESP_ERR_INVALID_RESPONSE;
    free(answer);
    if (error != ESP_OK || !has_offer) return error;
    if (download.slot == NULL) return ESP_ERR_NOT_FOUND;

    const char *code;
    report(config, download.firmware_id, "downloading", ",\"bytes_downloaded\":0");
    error = install(config, &download, &code);
    if (error != ESP_OK) {
        ESP_LOGE(TAG, "%s: %s", code, esp_err_to_name(error));
        report(config, download.firmware_id, "failed", ",\"error_code\":\"%s\",\"error_message\":\"%s, image %ld bytes, slot %" PRIu32 "\"",
               code, esp_err_to_name(error), download.size, download.slot->size);
        return error;
    }
    remember(download.firmware_id, download.slot->address);
    report(config, download.firmware_id, "installing", ",\"bytes_downloaded\":%ld", download.size);
    esp_restart();
    return ESP_OK;
}

esp_err_t ota_confirm(const ota_config_t *config)
{
    esp_ota_img_states_t state;
    const esp_partition_t *running = esp_ota_get_running_partition();
    if (esp_ota_get_state_partition(running, &state) != ESP_OK || state != ESP_OTA_IMG_PENDING_VERIFY) return ESP_OK;
    esp_err_t error = esp_ota_mark_app_valid_cancel_rollback();
    if (error != ESP_OK) return error;
    uint32_t firmware_id, address;
    if (recall(&firmware_id, &address) && address == running->address) {
        char image[128];
        describe_image(image, sizeof image);
        report(config, firmware_id, "success", "%s", image);
    }
    remember(0, 0);
    return ESP_OK;
}

unsigned ota_wait_seconds(void)
{
    unsigned tenth = wait_seconds / 10;
    return wait_seconds - tenth + esp_random() % (2 * tenth + 1);
}
