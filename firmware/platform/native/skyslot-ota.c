// Slot states for the firmware, bound with mc/ffi (see ../manifest.json): what esp_ota_* tells through structs and pointers, as
// numbers and labels. Never erases or writes an image: that goes through the SDK's flash module.

#include <stdint.h>
#include <string.h>

#include "app_update/include/esp_ota_ops.h"
#include "esp_err.h"
#include "esp_partition.h"

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
