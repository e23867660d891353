#include "esp.h"
#define BIT(n) (1 << (n))
// the driver calls it
#define ESP_SYSTEM_INIT_FN(name, stage, cores, priority) esp_err_t start_##name(void)
esp_err_t start_skyslot_mend_nvs(void);
