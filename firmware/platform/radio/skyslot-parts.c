// The XOR of parts of a block that is in the flash, and of parities in memory, for block-memory.ts, bound with mc/ffi: what would take
// JavaScript longer than the parts take in the air. It reads the flash only, and nothing outside the block that it is given.

#include <stddef.h>
#include <stdint.h>

#include "app_update/include/esp_ota_ops.h"
#include "esp_err.h"
#include "esp_partition.h"

// As in core/radio/block-code.ts.
#define BLOCK_BYTES 16384
#define PART_BYTES 224
#define PART_SET_BYTES 10
#define MAX_ROWS 31

// The slot that the next update goes to, unless that is the one that runs, or a gateway's cache.
static const esp_partition_t *find_partition(uint32_t is_cache)
{
	if (is_cache)
		return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "cache");
	const esp_partition_t *next = esp_ota_get_next_update_partition(NULL);
	return next == esp_ota_get_running_partition() ? NULL : next;
}

static void add(uint8_t *sum, const uint8_t *bytes, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		sum[i] ^= bytes[i];
}

// Adds the parts of a block whose bits are set to `sum`. The last part of the block may be shorter than the others.
int32_t skyslot_add_parts(uint32_t is_cache, uint32_t offset, uint32_t length, const uint8_t *parts, uint8_t *sum)
{
	uint8_t bytes[PART_BYTES];
	const esp_partition_t *partition = find_partition(is_cache);
	if (!partition)
		return ESP_ERR_NOT_FOUND;
	if (length > BLOCK_BYTES || offset > partition->size || length > partition->size - offset)
		return ESP_ERR_INVALID_ARG;
	for (uint32_t part = 0; part < 8 * PART_SET_BYTES; part++) {
		if (!(parts[part >> 3] >> (part & 7) & 1))
			continue;
		uint32_t start = part * PART_BYTES;
		if (start >= length)
			return ESP_ERR_INVALID_ARG;
		uint32_t count = length - start < PART_BYTES ? length - start : PART_BYTES;
		esp_err_t error = esp_partition_read(partition, offset + start, bytes, count);
		if (error != ESP_OK)
			return error;
		add(sum, bytes, count);
	}
	return ESP_OK;
}

// Adds the parities whose bits are set to `sum`.
void skyslot_add_parities(const uint8_t *parities, uint32_t combination, uint8_t *sum)
{
	for (uint32_t row = 0; row < MAX_ROWS; row++)
		if (combination >> row & 1)
			add(sum, parities + row * PART_BYTES, PART_BYTES);
}
