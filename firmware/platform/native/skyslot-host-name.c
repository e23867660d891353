// The name that the device tells its router with each DHCP request (option 12): many routers resolve it, with a domain of their own behind it.
// Without it every device is called CONFIG_LWIP_LOCAL_HOSTNAME, "espressif". Bound with mc/ffi; call when the interface is there, before it
// asks for an address.

#include <stdint.h>

#include "esp_err.h"
#include "esp_netif.h"

static const char *const interfaces[] = {"WIFI_STA_DEF", "ETH_DEF"};

int32_t skyslot_host_name(char *name)
{
	int32_t result = ESP_ERR_NOT_FOUND;
	for (size_t i = 0; i < sizeof(interfaces) / sizeof(interfaces[0]); i++) {
		esp_netif_t *interface = esp_netif_get_handle_from_ifkey(interfaces[i]);
		if (interface)
			result = esp_netif_set_hostname(interface, name); // it keeps a copy; more than 32 bytes are refused
	}
	return result;
}
