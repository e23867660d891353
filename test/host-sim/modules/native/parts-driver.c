// Runs skyslot-parts.c over a script on a flash of SLOT_BYTES in which byte i is i * 7 + i / 256, and prints results and sums in hex. The
// script is read from the standard input, a line each:
//
//   parts isCache hasPartition offset length set     the set as 20 hex digits
//   parities combination                             row k holds the bytes k + 1

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp.h"

int32_t skyslot_add_parts(uint32_t is_cache, uint32_t offset, uint32_t length, const uint8_t *parts, uint8_t *sum);
void skyslot_add_parities(const uint8_t *parities, uint32_t combination, uint8_t *sum);

#define SLOT_BYTES 40960
static esp_partition_t running, slot, cache;
static int has_partition;

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type, esp_partition_subtype_t subtype, const char *label)
{
	return has_partition && type == ESP_PARTITION_TYPE_DATA && strcmp(label, "cache") == 0 ? &cache : NULL;
}
const esp_partition_t *esp_ota_get_running_partition(void) { return &running; }
const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *from) { return has_partition ? &slot : &running; }

esp_err_t esp_partition_read(const esp_partition_t *partition, size_t offset, void *bytes, size_t count)
{
	if (offset + count > partition->size)
		exit(3);
	for (size_t i = 0; i < count; i++)
		((uint8_t *)bytes)[i] = (offset + i) * 7 + (offset + i) / 256 + (partition == &cache);
	return ESP_OK;
}

static void print_sum(int32_t result, const uint8_t *sum)
{
	printf("%d ", result);
	for (int i = 0; i < 224; i++)
		printf("%02x", sum[i]);
	printf("\n");
}

int main(void)
{
	char command[20], set[21];
	slot.size = cache.size = SLOT_BYTES;
	while (scanf("%19s", command) == 1) {
		uint8_t sum[224];
		memset(sum, 0x11, sizeof sum);
		if (strcmp(command, "parts") == 0) {
			unsigned is_cache, offset, length, byte;
			uint8_t parts[10];
			if (scanf("%u %d %u %u %20s", &is_cache, &has_partition, &offset, &length, set) != 5)
				return 1;
			for (int i = 0; i < 10; i++) {
				sscanf(set + 2 * i, "%2x", &byte);
				parts[i] = byte;
			}
			print_sum(skyslot_add_parts(is_cache, offset, length, parts, sum), sum);
		} else {
			unsigned combination;
			uint8_t parities[31 * 224];
			if (scanf("%u", &combination) != 1)
				return 1;
			for (int i = 0; i < (int)sizeof parities; i++)
				parities[i] = i / 224 + 1;
			skyslot_add_parities(parities, combination, sum);
			print_sum(0, sum);
		}
	}
	return 0;
}
