/* Joins the Wi-Fi, confirms a new image and asks for updates from time to time. */

#include <stdio.h>

#include "esp32_ota_client.h"
#include "esp_app_desc.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_mac.h"
#include "esp_netif.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"

static const char *device_id(void)
{
    static char name[65];
    uint8_t mac[6];
    esp_read_mac(mac, ESP_MAC_WIFI_STA);
    snprintf(name, sizeof name, "%s-%02x%02x%02x", CONFIG_OTA_DEVICE_TYPE, mac[3], mac[4], mac[5]);
    return CONFIG_OTA_DEVICE_ID[0] ? CONFIG_OTA_DEVICE_ID : name;
}

void app_main(void)
{
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ota_config_t config = {
        .server_url = CONFIG_OTA_SERVER_URL,
        .device_id = device_id(),
        .device_type = CONFIG_OTA_DEVICE_TYPE,
        .current_version = esp_app_get_description()->version,
        .token = CONFIG_OTA_TOKEN[0] ? CONFIG_OTA_TOKEN : NULL,
    };
    ESP_LOGI("main", "%s runs %s", config.device_id, config.current_version);
    ESP_ERROR_CHECK(example_connect());
    /* The network is up: for this example that is proof enough. Without it a new image restarts here, and is rolled back. */
    ESP_ERROR_CHECK(ota_confirm(&config));
    for (;;) {
        esp_err_t result = ota_check_and_update(&config);
        ESP_LOGI("main", "update: %s", result == ESP_OK ? "nothing newer" : esp_err_to_name(result));
        vTaskDelay(pdMS_TO_TICKS(1000 * ota_wait_seconds()));
    }
}
