// Deep sleep, bound with mc/ffi: the SDK has a `sleep` module for other chips only, and its System.deepSleep does nothing on the
// ESP32. The radio has to be stopped first (ESP-IDF, "Sleep Modes"); a radio that was never started makes that an error to ignore.

#include <stdint.h>

#include "esp_sleep.h"
#include "esp_wifi.h"

// Never comes back: the chip starts again with ESP_RST_DEEPSLEEP when the time has passed. At most 49 days.
void skyslot_deep_sleep(uint32_t milliseconds)
{
	esp_wifi_stop();
	esp_deep_sleep((uint64_t)milliseconds * 1000);
}
