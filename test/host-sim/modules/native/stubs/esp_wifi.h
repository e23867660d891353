// What skyslot-espnow.c uses of Wi-Fi, for the host.

#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

typedef enum { WIFI_IF_STA = 0, WIFI_IF_AP = 1 } wifi_interface_t;
typedef enum { WIFI_PS_NONE = 0, WIFI_PS_MIN_MODEM = 1 } wifi_ps_type_t;
typedef enum { WIFI_SECOND_CHAN_NONE = 0 } wifi_second_chan_t;
typedef struct { uint8_t bssid[6]; } wifi_ap_record_t;
typedef struct { signed rssi : 8; } wifi_pkt_rx_ctrl_t;

esp_err_t esp_wifi_sta_get_ap_info(wifi_ap_record_t *record);
esp_err_t esp_wifi_set_channel(uint8_t primary, wifi_second_chan_t second);
esp_err_t esp_wifi_set_ps(wifi_ps_type_t type);
