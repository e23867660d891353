/* Slots, boot loader and NVS, in files: `ota_0.bin`, `ota_1.bin`, `otadata` (which slot boots, and the states of both), `nvs`. */

#include <stdlib.h>
#include <unistd.h>

#include "idf.h"

typedef struct {
    int32_t boot, running;
    int32_t states[2];
} otadata_t;

static esp_partition_t slots[2] = { { 0x20000, 0x1f0000, "ota_0" }, { 0x210000, 0x1f0000, "ota_1" } };
static otadata_t otadata;
static FILE *written;
static esp_app_desc_t description;

static char *file_of(const esp_partition_t *slot)
{
    static char name[32];
    snprintf(name, sizeof name, "%s.bin", slot->label);
    return name;
}

static void save(void)
{
    FILE *file = fopen("otadata", "wb");
    fwrite(&otadata, sizeof otadata, 1, file);
    fclose(file);
}

/* What the boot loader does before the app runs. */
__attribute__((constructor)) static void boot(void)
{
    if (getenv("IDF_SLOT_BYTES")) slots[0].size = slots[1].size = atoi(getenv("IDF_SLOT_BYTES"));
    FILE *file = fopen("otadata", "rb");
    otadata = (otadata_t){ 0, 0, { ESP_OTA_IMG_VALID, ESP_OTA_IMG_UNDEFINED } };
    if (file != NULL) {
        if (fread(&otadata, sizeof otadata, 1, file) != 1) abort();
        fclose(file);
    }
    int32_t *state = &otadata.states[otadata.boot];
    if (*state == ESP_OTA_IMG_NEW) {
        *state = ESP_OTA_IMG_PENDING_VERIFY;
    } else if (*state == ESP_OTA_IMG_PENDING_VERIFY) {
        *state = ESP_OTA_IMG_ABORTED;
        otadata.boot = 1 - otadata.boot;
    }
    otadata.running = otadata.boot;
    save();
    file = fopen(file_of(&slots[otadata.running]), "rb");
    if (file == NULL || fseek(file, 32 + 16, SEEK_SET) != 0 || fread(description.version, 32, 1, file) != 1) abort();
    fclose(file);
}

/* The SHA-256 at the image's end, and whether it is right. */
static bool read_hash(const esp_partition_t *slot, uint8_t hash[32])
{
    static uint8_t image[0x200000];
    uint8_t digest[32];
    FILE *file = fopen(file_of(slot), "rb");
    size_t length = file ? fread(image, 1, sizeof image, file) : 0;
    if (file) fclose(file);
    if (length < 320 || image[0] != 0xe9) return false;
    memcpy(hash, image + length - 32, 32);
    mbedtls_sha256_context sha;
    mbedtls_sha256_starts(&sha, 0);
    mbedtls_sha256_update(&sha, image, length - 32);
    mbedtls_sha256_finish(&sha, digest);
    return memcmp(hash, digest, 32) == 0;
}

esp_err_t esp_partition_get_sha256(const esp_partition_t *partition, uint8_t *sha256)
{
    return read_hash(partition, sha256) ? ESP_OK : ESP_FAIL;
}
const esp_partition_t *esp_ota_get_running_partition(void) { return &slots[otadata.running]; }
const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *from)
{
    (void)from;
    return &slots[1 - otadata.running];
}
esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition, esp_ota_img_states_t *state)
{
    *state = otadata.states[partition == &slots[1]];
    return *state == ESP_OTA_IMG_UNDEFINED ? ESP_ERR_NOT_FOUND : ESP_OK;
}
esp_err_t esp_ota_begin(const esp_partition_t *partition, size_t size, esp_ota_handle_t *handle)
{
    if (partition == esp_ota_get_running_partition() || size != OTA_WITH_SEQUENTIAL_WRITES) return ESP_ERR_INVALID_ARG;
    if (otadata.states[otadata.running] == ESP_OTA_IMG_PENDING_VERIFY) return ESP_ERR_OTA_ROLLBACK_INVALID_STATE;
    if (written != NULL) abort(); /* the handle before this one was neither ended nor aborted */
    written = fopen(file_of(partition), "wb");
    *handle = 1;
    return ESP_OK;
}
esp_err_t esp_ota_write(esp_ota_handle_t handle, const void *data, size_t size)
{
    if (handle != 1 || written == NULL) return ESP_ERR_INVALID_ARG;
    if (ftell(written) == 0 && *(const uint8_t *)data != 0xe9) return ESP_ERR_OTA_VALIDATE_FAILED;
    if (ftell(written) + size > slots[0].size) return ESP_ERR_INVALID_SIZE;
    return fwrite(data, 1, size, written) == size ? ESP_OK : ESP_FAIL;
}
esp_err_t esp_ota_abort(esp_ota_handle_t handle)
{
    if (handle != 1 || written == NULL) abort();
    fclose(written);
    written = NULL;
    return ESP_OK;
}
esp_err_t esp_ota_end(esp_ota_handle_t handle)
{
    uint8_t hash[32];
    esp_ota_abort(handle);
    return read_hash(esp_ota_get_next_update_partition(NULL), hash) ? ESP_OK : ESP_ERR_OTA_VALIDATE_FAILED;
}
esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition)
{
    otadata.boot = partition == &slots[1];
    otadata.states[otadata.boot] = ESP_OTA_IMG_NEW;
    save();
    return ESP_OK;
}
esp_err_t esp_ota_mark_app_valid_cancel_rollback(void)
{
    otadata.states[otadata.running] = ESP_OTA_IMG_VALID;
    save();
    return ESP_OK;
}
const esp_app_desc_t *esp_app_get_description(void) { return &description; }

esp_err_t nvs_flash_init(void) { return ESP_OK; }
esp_err_t nvs_open(const char *space, nvs_open_mode_t mode, nvs_handle_t *handle)
{
    if (strlen(space) > 15) return ESP_ERR_INVALID_ARG;
    *handle = mode;
    return mode == NVS_READONLY && access("nvs", F_OK) != 0 ? ESP_ERR_NOT_FOUND : ESP_OK;
}
static char *nvs_file(const char *key)
{
    static char name[32];
    if (strlen(key) > 15) abort();
    snprintf(name, sizeof name, "nvs-%s", key);
    return name;
}
esp_err_t nvs_get_u32(nvs_handle_t handle, const char *key, uint32_t *value)
{
    (void)handle;
    FILE *file = fopen(nvs_file(key), "rb");
    if (file == NULL) return ESP_ERR_NOT_FOUND;
    bool is_read = fread(value, sizeof *value, 1, file) == 1;
    fclose(file);
    return is_read ? ESP_OK : ESP_FAIL;
}
esp_err_t nvs_set_u32(nvs_handle_t handle, const char *key, uint32_t value)
{
    if (handle != NVS_READWRITE) return ESP_ERR_INVALID_ARG;
    FILE *file = fopen(nvs_file(key), "wb");
    fwrite(&value, sizeof value, 1, file);
    fclose(file);
    return ESP_OK;
}
esp_err_t nvs_commit(nvs_handle_t handle)
{
    (void)handle;
    fclose(fopen("nvs", "wb"));
    return ESP_OK;
}
void nvs_close(nvs_handle_t handle) { (void)handle; }
