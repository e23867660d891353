// The name server that DHCP gave, for boards with a cable: the SDK's Ethernet interface does not tell it. Bound with mc/ffi.

#include <stdint.h>
#include <string.h>

#include "esp_err.h"
#include "esp_netif.h"

// Writes the four bytes of an IPv4 address.
int32_t skyslot_name_server(uint8_t *address)
{
	esp_netif_dns_info_t server;
	esp_netif_t *interface = esp_netif_get_default_netif();
	if (!interface)
		return ESP_ERR_NOT_FOUND;
	esp_err_t error = esp_netif_get_dns_info(interface, ESP_NETIF_DNS_MAIN, &server);
	if (error != ESP_OK)
		return error;
	if (server.ip.type != ESP_IPADDR_TYPE_V4 || server.ip.u_addr.ip4.addr == 0)
		return ESP_ERR_NOT_FOUND;
	memcpy(address, &server.ip.u_addr.ip4.addr, 4); // network byte order: as it is written
	return ESP_OK;
}
