// Runs the functions of skyslot-ota.c over a script, and prints their results, one a line. The script is read from the standard input:
//
//   count running boot next rollback                 indexes, -1 for none
//   subtype encrypted stateError state setBootError label   one line for each app partition

#include <stdio.h>
#include <string.h>

#include "esp.h"

void skyslot_running(uint8_t *label);
void skyslot_next(uint8_t *label);
int32_t skyslot_write_unit(void);
void skyslot_boot(uint8_t *label);
int32_t skyslot_can_roll_back(void);
int32_t skyslot_slot_state(void);
int32_t skyslot_partition_state(char *label);
int32_t skyslot_arm(char *label);
int32_t skyslot_arm_running(void);
int32_t skyslot_confirms_by_app(void);

#define MAX_COUNT 20
static esp_partition_t partitions[MAX_COUNT];
static struct { int stateError; uint32_t state; int setBootError; } answers[MAX_COUNT];
static int count, running, boot, next, rollback;

static const esp_partition_t *at(int index)
{
	return index < 0 ? NULL : &partitions[index];
}

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type, esp_partition_subtype_t subtype, const char *label)
{
	for (int i = 0; i < count; i++)
		if (!label || strcmp(partitions[i].label, label) == 0)
			return &partitions[i];
	return NULL;
}

const esp_partition_t *esp_ota_get_running_partition(void) { return at(running); }
const esp_partition_t *esp_ota_get_boot_partition(void) { return at(boot); }
const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *from) { return at(next); }
bool esp_ota_check_rollback_is_possible(void) { return rollback; }

esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition, esp_ota_img_states_t *state)
{
	int index = partition - partitions;
	*state = answers[index].state;
	return answers[index].stateError;
}

esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition)
{
	return answers[partition - partitions].setBootError;
}

int main(void)
{
	if (scanf("%d %d %d %d %d", &count, &running, &boot, &next, &rollback) != 5 || count > MAX_COUNT)
		return 1;
	for (int i = 0; i < count; i++) {
		int subtype, encrypted;
		if (scanf("%d %d %d %u %d %16s", &subtype, &encrypted, &answers[i].stateError, &answers[i].state, &answers[i].setBootError, partitions[i].label) != 6)
			return 1;
		partitions[i].encrypted = encrypted;
		partitions[i].type = ESP_PARTITION_TYPE_APP;
		partitions[i].subtype = subtype;
	}
	uint8_t label[17];
	skyslot_running(label), printf("%s\n", label);
	skyslot_next(label), printf("%s\n", label);
	skyslot_boot(label), printf("%s\n", label);
	printf("%d\n%d\n%d\n%d\n", skyslot_write_unit(), skyslot_can_roll_back(), skyslot_slot_state(), skyslot_confirms_by_app());
	for (int i = 0; i < count; i++)
		printf("%d\n", skyslot_partition_state(partitions[i].label));
	printf("%d\n%d\n", skyslot_partition_state("nowhere"), skyslot_arm("nowhere"));
	printf("%d\n", skyslot_arm(partitions[running].label));
	if (next >= 0)
		printf("%d\n", skyslot_arm(partitions[next].label));
	printf("%d\n", skyslot_arm_running());
	return 0;
}
