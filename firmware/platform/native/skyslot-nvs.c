// Lets a device start whose NVS can only be erased. The SDK's main aborts where nvs_flash_init fails, before any code of ours, so that the
// chip would restart for ever. So NVS is opened before the SDK does it, in a task that runs before main's; nvs_flash_init does nothing once NVS
// is open. NVS is erased where ESP-IDF says that nothing else helps, and for no other error: settings that can be read are never
// lost. Pages that are damaged are none of these errors: NVS drops them itself.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app_update/include/esp_ota_ops.h"
#include "esp_err.h"
#include "esp_private/startup_internal.h"
#include "esp_task.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs_flash/include/nvs_flash.h"

// A read that failed once says nothing about what is stored.
#define ATTEMPTS 3
// As main's task, in which the SDK does the same.
#define STACK_BYTES (ESP_TASK_MAIN_STACK + 512)

static esp_err_t erased_for = ESP_OK;

// The pages were written by a newer version of NVS, or there are more of them than the partition has room for (nvs_flash.h, nvs_page.cpp,
// nvs_pagemanager.cpp).
static bool is_mended_by_erasing(esp_err_t error)
{
	return error == ESP_ERR_NVS_NEW_VERSION_FOUND || error == ESP_ERR_NVS_NO_FREE_PAGES;
}

// The image before this one may be able to read the settings: this one is left to abort, and is rolled back.
static bool is_on_trial(void)
{
	esp_ota_img_states_t state;
	const esp_partition_t *running = esp_ota_get_running_partition();
	return esp_ota_get_state_partition(running, &state) == ESP_OK && state == ESP_OTA_IMG_PENDING_VERIFY;
}

static void open_or_erase(void)
{
	esp_err_t error = nvs_flash_init();
	for (int attempt = 1; attempt < ATTEMPTS && is_mended_by_erasing(error); attempt++)
		error = nvs_flash_init();
	if (!is_mended_by_erasing(error) || is_on_trial())
		return;
	if (nvs_flash_erase() == ESP_OK)
		erased_for = error;
}

// Erasing lets other tasks run: main's would open what is half erased.
static void mend(void *unused)
{
	TaskHandle_t waiting = xTaskGetHandle("main");
	if (waiting)
		vTaskSuspend(waiting);
	open_or_erase();
	if (waiting)
		vTaskResume(waiting);
	vTaskDelete(NULL);
}

// Tasks start with the scheduler, on all cores: earlier, a flash that is being written would stop the code of the second core.
ESP_SYSTEM_INIT_FN(skyslot_mend_nvs, SECONDARY, BIT(0), 300)
{
	BaseType_t created =
		xTaskCreatePinnedToCore(mend, "skyslot_nvs", STACK_BYTES, NULL, ESP_TASK_MAIN_PRIO + 1, NULL, ESP_TASK_MAIN_CORE);
	return created == pdPASS ? ESP_OK : ESP_ERR_NO_MEM;
}

// The error for which NVS was erased at this start, or ESP_OK. Calling this keeps the linker from dropping this file.
int32_t skyslot_nvs_erased(void)
{
	return erased_for;
}
