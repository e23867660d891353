// DHCP option 114 (RFC 8910): the access point sends phones the URL of its portal. Bound with mc/ffi; call after the access point
// is up, and before phones join: an address that was already given out carries no option.

#include <stdint.h>
#include <string.h>

#include "esp_err.h"
#include "esp_netif.h"

// Longest URI that fits an option: its length is one byte.
#define URI_BYTES 255

int32_t skyslot_portal_uri(char *uri)
{
	static char kept[URI_BYTES + 1]; // the DHCP server keeps the pointer
	size_t length = strlen(uri);
	if (length > URI_BYTES)
		return ESP_ERR_INVALID_SIZE;
	esp_netif_t *access_point = esp_netif_get_handle_from_ifkey("WIFI_AP_DEF");
	if (!access_point)
		return ESP_ERR_NOT_FOUND;

	esp_err_t error = esp_netif_dhcps_stop(access_point); // options can only be set while it stands still
	if (error != ESP_OK && error != ESP_ERR_ESP_NETIF_DHCP_ALREADY_STOPPED)
		return error;
	memcpy(kept, uri, length + 1);
	error = esp_netif_dhcps_option(access_point, ESP_NETIF_OP_SET, ESP_NETIF_CAPTIVEPORTAL_URI, kept, length);
	esp_err_t started = esp_netif_dhcps_start(access_point);
	return error == ESP_OK ? started : error;
}
