// Starts skyslot-nvs.c with answers of nvs_flash_init, one for each call, and prints the result, how often it erased, for what, whether main's
// task stood still meanwhile, and whether it still does. Arguments: 1 on trial or 0, then the answers, of which the last one stays.

#include <stdio.h>
#include <stdlib.h>

#include "esp_private/startup_internal.h"
#include "freertos/task.h"
#include "nvs_flash/include/nvs_flash.h"
#include "app_update/include/esp_ota_ops.h"

int32_t skyslot_nvs_erased(void);

static int trial, count, at, erased, suspended, was_suspended;
static char **answers;

esp_err_t nvs_flash_init(void)
{
	esp_err_t answer = strtol(answers[at < count ? at : count - 1], NULL, 0);
	at++;
	return erased ? ESP_OK : answer;
}

esp_err_t nvs_flash_erase(void)
{
	was_suspended = suspended;
	erased++;
	return ESP_OK;
}

const esp_partition_t *esp_ota_get_running_partition(void) { return NULL; }
esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition, esp_ota_img_states_t *state)
{
	*state = trial ? ESP_OTA_IMG_PENDING_VERIFY : 2;
	return ESP_OK;
}

TaskHandle_t xTaskGetHandle(const char *name) { return (TaskHandle_t)name; }
void vTaskSuspend(TaskHandle_t task) { suspended++; }
void vTaskResume(TaskHandle_t task) { suspended--; }
void vTaskDelete(TaskHandle_t task) {}
BaseType_t xTaskCreatePinnedToCore(void (*run)(void *), const char *name, int bytes, void *argument, int priority, void *handle, int core)
{
	run(argument);
	return pdPASS;
}

int main(int argc, char **argv)
{
	trial = atoi(argv[1]);
	answers = argv + 2;
	count = argc - 2;
	esp_err_t result = start_skyslot_mend_nvs();
	// suspended: 0 when all is done; was_suspended: 1 while it was erased
	printf("%d %d %d %d %d\n", result, erased, skyslot_nvs_erased(), was_suspended, suspended);
	return 0;
}
