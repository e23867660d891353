// Runs skyslot-espnow.c over a script from the standard input, one command a line, and prints what it asks of ESP-NOW and what it gives:
//
//   start CHANNEL | tune CHANNEL | joined 0/1 | wait MILLISECONDS | take
//   send NUMBER DEVICE LENGTH ERROR   ERROR is what esp_now_send answers; DEVICE 255 is everybody
//   heard DEVICE BROADCAST RSSI LENGTH | left DEVICE STATUS   the callbacks of the Wi-Fi task

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_now.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

int32_t skyslot_radio_start(uint32_t channel);
int32_t skyslot_radio_tune(uint32_t channel);
int32_t skyslot_radio_send(uint32_t number, const uint8_t *to, const uint8_t *bytes, uint32_t length);
int32_t skyslot_radio_take(uint8_t *record);

static int is_locked, is_joined, next_error;
static TickType_t now;
static esp_now_recv_cb_t on_received;
static esp_now_send_cb_t on_sent;

// Nothing of ESP-IDF may be called while the lock is held, and it is taken once.
static void unlocked(const char *what)
{
	if (is_locked)
		printf("locked: %s\n", what), exit(1);
}

void enter_critical(void) { unlocked("the lock"); is_locked = 1; }
void leave_critical(void) { is_locked = 0; }
TickType_t xTaskGetTickCount(void) { return now; }

esp_err_t esp_now_init(void) { unlocked("init"); return ESP_OK; }
esp_err_t esp_now_deinit(void) { unlocked("deinit"); on_received = NULL, on_sent = NULL; return ESP_OK; }
esp_err_t esp_now_register_recv_cb(esp_now_recv_cb_t callback) { on_received = callback; return ESP_OK; }
esp_err_t esp_now_register_send_cb(esp_now_send_cb_t callback) { on_sent = callback; return ESP_OK; }
esp_err_t esp_wifi_set_ps(wifi_ps_type_t type) { printf("asleep %d\n", type != WIFI_PS_NONE); return ESP_OK; }
esp_err_t esp_wifi_sta_get_ap_info(wifi_ap_record_t *record) { return is_joined ? ESP_OK : 0x300f; }
esp_err_t esp_wifi_set_channel(uint8_t primary, wifi_second_chan_t second) { printf("channel %d\n", primary); return ESP_OK; }

esp_err_t esp_now_add_peer(const esp_now_peer_info_t *peer)
{
	unlocked("add");
	printf("add %d\n", peer->peer_addr[5]);
	return peer->channel == 0 && peer->ifidx == WIFI_IF_STA && !peer->encrypt ? ESP_OK : ESP_ERR_ESPNOW_ARG;
}

esp_err_t esp_now_del_peer(const uint8_t *address)
{
	unlocked("delete");
	printf("delete %d\n", address[5]);
	return ESP_OK;
}

esp_err_t esp_now_send(const uint8_t *address, const uint8_t *data, size_t length)
{
	unlocked("send");
	printf("sends %d %d %zu\n", address[5], data[0], length);
	return next_error;
}

static uint8_t *address_of(int device)
{
	static uint8_t address[6];
	memset(address, device == 255 ? 255 : 2, 5);
	address[5] = device;
	return address;
}

static void take(void)
{
	uint8_t record[259];
	int kind = skyslot_radio_take(record);
	int length = kind == 1 ? 9 + record[8] : kind == 2 ? 5 : kind == 3 ? 4 : 0;
	printf("took %d", kind);
	for (int i = 0; i < length; i++)
		printf(" %d", record[i]);
	printf("\n");
}

int main(void)
{
	char command[16];
	int a, b, c, d;
	uint8_t bytes[300];
	while (scanf("%15s", command) == 1) {
		if (strcmp(command, "take") == 0)
			take();
		else if (strcmp(command, "start") == 0 && scanf("%d", &a) == 1)
			printf("= %d\n", skyslot_radio_start(a));
		else if (strcmp(command, "tune") == 0 && scanf("%d", &a) == 1)
			printf("= %d\n", skyslot_radio_tune(a));
		else if (strcmp(command, "joined") == 0 && scanf("%d", &a) == 1)
			is_joined = a;
		else if (strcmp(command, "wait") == 0 && scanf("%d", &a) == 1)
			now += a;
		else if (strcmp(command, "send") == 0 && scanf("%d %d %d %d", &a, &b, &c, &d) == 4) {
			memset(bytes, a & 0xff, sizeof(bytes));
			next_error = d;
			printf("= %d\n", skyslot_radio_send(a, address_of(b), bytes, c));
		}
		else if (strcmp(command, "heard") == 0 && scanf("%d %d %d %d", &a, &b, &c, &d) == 4) {
			uint8_t from[6], to[6];
			memcpy(from, address_of(a), 6), memcpy(to, address_of(b ? 255 : 1), 6);
			wifi_pkt_rx_ctrl_t control = { .rssi = c };
			esp_now_recv_info_t info = { .src_addr = from, .des_addr = to, .rx_ctrl = &control };
			for (int i = 0; i < d; i++)
				bytes[i] = i;
			if (on_received)
				on_received(&info, bytes, d);
		}
		else if (strcmp(command, "left") == 0 && scanf("%d %d", &a, &b) == 2) {
			esp_now_send_info_t info = { .des_addr = address_of(a) };
			if (on_sent)
				on_sent(&info, b);
		}
		else
			return 1;
	}
	return 0;
}
