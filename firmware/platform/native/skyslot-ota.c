// Slot states and the watchdog for the firmware, bound with mc/ffi (see ../manifest.json): what ESP-IDF passes in structs and
// pointers, as numbers and labels. Never erases or writes an image: that goes through the SDK's flash module.

#include <stdint.h>
#include <string.h>

#include "app_update/include/esp_ota_ops.h"
#include "esp_err.h"
#include "esp_idf_version.h"
#include "esp_partition.h"
#include "esp_task_wdt.h"
#include "sdkconfig.h"

// A label has at most 16 characters; the firmware hands over 17 bytes.
#define LABEL_BYTES 17

static void write_label(const esp_partition_t *partition, uint8_t *label)
{
	memset(label, 0, LABEL_BYTES);
	if (partition)
		strncpy((char *)label, partition->label, LABEL_BYTES - 1);
}

static const esp_partition_t *find_slot(const char *label)
{
	return esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_ANY, label);
}

// esp_ota_img_states_t, of which ESP_OTA_IMG_UNDEFINED (0xffffffff) becomes -1; an esp_err_t is negated. No error code is 1, so
// the two cannot be confused.
static int32_t state_of(const esp_partition_t *partition)
{
	esp_ota_img_states_t state;
	esp_err_t error = partition ? esp_ota_get_state_partition(partition, &state) : ESP_ERR_NOT_FOUND;
	return error == ESP_OK ? (int32_t)state : -(int32_t)error;
}

// The slot that the next update goes to: none where it would be the one that runs (a table with a single slot).
static const esp_partition_t *next_slot(void)
{
	const esp_partition_t *next = esp_ota_get_next_update_partition(NULL);
	return next == esp_ota_get_running_partition() ? NULL : next;
}

void skyslot_running(uint8_t *label)
{
	write_label(esp_ota_get_running_partition(), label);
}

void skyslot_next(uint8_t *label)
{
	write_label(next_slot(), label);
}

// What writes to that slot have to be multiples of, bytes: encrypted flash is written in blocks (esp_flash_write_encrypted).
int32_t skyslot_write_unit(void)
{
	const esp_partition_t *next = next_slot();
	return next && next->encrypted ? 16 : 1;
}

void skyslot_boot(uint8_t *label)
{
	write_label(esp_ota_get_boot_partition(), label);
}

int32_t skyslot_can_roll_back(void)
{
	return esp_ota_check_rollback_is_possible() ? 1 : 0;
}

int32_t skyslot_slot_state(void)
{
	return state_of(esp_ota_get_running_partition());
}

int32_t skyslot_partition_state(char *label)
{
	return state_of(find_slot(label));
}

// Verifies the image in the slot and makes it the next to boot. The running slot is refused: setting it again would put its
// state back to NEW, and a firmware that is known to be good on trial.
int32_t skyslot_arm(char *label)
{
	const esp_partition_t *slot = find_slot(label);
	if (!slot)
		return ESP_ERR_NOT_FOUND;
	if (slot == esp_ota_get_running_partition())
		return ESP_ERR_OTA_PARTITION_CONFLICT;
	return esp_ota_set_boot_partition(slot);
}

// Puts the state of the slot that runs back to NEW, so that the boot loader puts it on trial at the next start. The factory app has
// no state: to select it would erase otadata.
int32_t skyslot_arm_running(void)
{
	const esp_partition_t *running = esp_ota_get_running_partition();
	if (running->subtype < ESP_PARTITION_SUBTYPE_APP_OTA_MIN || running->subtype >= ESP_PARTITION_SUBTYPE_APP_OTA_MAX)
		return ESP_ERR_NOT_SUPPORTED;
	return esp_ota_set_boot_partition(running);
}

// 1: this image is on trial until the firmware confirms it. From ESP-IDF 6.2 on it can be built to be confirmed as it starts instead.
int32_t skyslot_confirms_by_app(void)
{
#if defined(CONFIG_BOOTLOADER_APP_ROLLBACK_CONFIRM_BY_APP)
	return 1;
#elif defined(CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE) && ESP_IDF_VERSION < ESP_IDF_VERSION_VAL(6, 2, 0)
	return 1;
#else
	return 0;
#endif
}

// Doubles the time after which the task watchdog restarts the chip. The SDK's loop (modMessageService) waits for its next timer for as long
// as just below CONFIG_ESP_TASK_WDT_TIMEOUT_S, and feeds the watchdog only then: whatever the setting, it would leave a millisecond.
int32_t skyslot_widen_watchdog(void)
{
#if CONFIG_ESP_TASK_WDT_INIT
	esp_task_wdt_config_t config = {
		.timeout_ms = 2 * CONFIG_ESP_TASK_WDT_TIMEOUT_S * 1000,
		.idle_core_mask = 0,
#if CONFIG_ESP_TASK_WDT_PANIC
		.trigger_panic = true,
#endif
	};
#ifndef mxDebug // a chip that is stopped in xsbug never waits
#if CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU0
	config.idle_core_mask |= 1 << 0;
#endif
#if CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU1
	config.idle_core_mask |= 1 << 1;
#endif
#endif
	return esp_task_wdt_reconfigure(&config);
#else
	return ESP_ERR_NOT_SUPPORTED;
#endif
}
