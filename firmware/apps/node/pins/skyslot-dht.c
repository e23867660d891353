// A DHT22 (AM2302) or DHT11 on one pin. In C, because the sensor sends 40 pulses of 26 or 70 microseconds without a pause, at its own pace: a
// callback into XS takes longer than two of them, and the SDK's PulseWidth holds one. Source: Aosong, AM2302, "Single-bus communication".
//
//   we: low 20 ms, released │ it: low 80, high 80 │ 40 times: low 50, high 26 (0) or 70 (1) │ low 50          microseconds
//
// Interrupts are off on this core while it sends, for 5 ms; each wait is bounded by what the data sheet allows at most, and some.

#include <stdint.h>

#include "driver/gpio.h"
#include "esp_cpu.h"
#include "esp_err.h"
#include "esp_rom_sys.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#define REQUEST_MS 20
#define MOST_US 200
#define ONE_US 48
#define BIT_COUNT 40

// Microseconds until the line leaves `level`; -1: it does not.
static int lasts(gpio_num_t pin, int level)
{
	uint32_t perUs = esp_rom_get_cpu_ticks_per_us();
	uint32_t began = esp_cpu_get_cycle_count(), most = MOST_US * perUs, passed = 0;

	while (gpio_get_level(pin) == level) {
		passed = esp_cpu_get_cycle_count() - began;
		if (passed > most)
			return -1;
	}
	return passed / perUs;
}

static esp_err_t receive(gpio_num_t pin, uint8_t *bytes)
{
	// until it answers, then its answer
	if (lasts(pin, 1) < 0 || lasts(pin, 0) < 0 || lasts(pin, 1) < 0)
		return ESP_ERR_TIMEOUT;
	for (int bit = 0; bit < BIT_COUNT; bit++) {
		if (lasts(pin, 0) < 0)
			return ESP_ERR_TIMEOUT;
		int high = lasts(pin, 1);
		if (high < 0)
			return ESP_ERR_TIMEOUT;
		bytes[bit >> 3] = (uint8_t)((bytes[bit >> 3] << 1) | (high > ONE_US ? 1 : 0));
	}
	return ESP_OK;
}

// 5 bytes as they came, unchecked.
int32_t skyslot_dht_read(uint32_t number, uint8_t *bytes)
{
	static portMUX_TYPE lock = portMUX_INITIALIZER_UNLOCKED;
	gpio_num_t pin = (gpio_num_t)number;

	if (!GPIO_IS_VALID_OUTPUT_GPIO(pin))
		return ESP_ERR_INVALID_ARG;
	for (int i = 0; i < BIT_COUNT / 8; i++)
		bytes[i] = 0;
	gpio_reset_pin(pin);
	gpio_set_pull_mode(pin, GPIO_PULLUP_ONLY);
	gpio_set_level(pin, 0);
	gpio_set_direction(pin, GPIO_MODE_INPUT_OUTPUT_OD);
	vTaskDelay(pdMS_TO_TICKS(REQUEST_MS));

	portENTER_CRITICAL(&lock);
	gpio_set_level(pin, 1);
	esp_rom_delay_us(5); // the pull-up has to raise the line first
	esp_err_t error = receive(pin, bytes);
	portEXIT_CRITICAL(&lock);
	return error;
}
