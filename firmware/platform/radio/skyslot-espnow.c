// ESP-NOW for radio.ts, bound with mc/ffi: frames that arrive and results of those that were sent wait here until XS's thread takes them.
// ESP-IDF calls back in the Wi-Fi task, which must never wait for XS's: that one may be waiting for the Wi-Fi task, and its queue has ten
// places. So nothing is posted to it. It asks.
//
//   Wi-Fi task: received() ─► frames (a ring; what does not fit is counted) ─┐
//               sent() ─────► sends (the oldest first) ──────────────────────┴─► skyslot_radio_take(): XS's thread
//
// It decides nothing about what a frame says, and does not repeat one.

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "esp_now.h"
#include "esp_wifi.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#define MAC_BYTES ESP_NOW_ETH_ALEN
// Also where ESP-NOW v2 allows more: the frames have to be heard by version 1.
#define MAX_FRAME_BYTES ESP_NOW_MAX_DATA_LEN
// A power of two. At 1 Mbit/s a long frame takes 2.5 ms, so this is 80 ms of nothing but frames: erasing a sector takes XS's thread 45 ms.
#define RING_FRAMES 32
// Powers of two. The driver has few buffers, so at most MAX_UNDER_WAY of them are taken (vocabulary.ts).
#define SEND_PLACES 8
#define MAX_UNDER_WAY 6
// One place of ESP-IDF's list is that of the broadcast address.
#define MAX_PEERS (ESP_NOW_MAX_TOTAL_PEER_NUM - 1)
// The driver sometimes never reports a frame, for instance where Wi-Fi is stopped. It tries for some 20 ms; then others have their turn.
#define LOST_AFTER_MS 1000

typedef struct {
	uint8_t from[MAC_BYTES];
	int8_t rssi;
	uint8_t is_broadcast;
	uint8_t length;
	uint8_t bytes[MAX_FRAME_BYTES];
} frame_t;

typedef enum { WAITING, ACKNOWLEDGED, FAILED } send_state_t;

typedef struct {
	uint32_t number;
	TickType_t at;
	uint8_t to[MAC_BYTES];
	uint8_t state;
} send_t;

typedef struct {
	uint8_t mac[MAC_BYTES];
	uint32_t used; // the lowest was used longest ago; 0: a free place
} peer_t;

static const uint8_t BROADCAST[MAC_BYTES] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

// Of both tasks, on two cores.
static portMUX_TYPE lock = portMUX_INITIALIZER_UNLOCKED;
static frame_t frames[RING_FRAMES];
static uint32_t frames_taken, frames_received, frames_dropped;
static send_t sends[SEND_PLACES];
static uint32_t sends_taken, sends_begun;

// Of XS's thread alone.
static peer_t peers[MAX_PEERS];
static uint32_t peer_uses;

// --- in the Wi-Fi task

static void received(const esp_now_recv_info_t *info, const uint8_t *data, int length)
{
	if (length < 1 || length > MAX_FRAME_BYTES)
		return;
	portENTER_CRITICAL(&lock);
	if (frames_received - frames_taken < RING_FRAMES) {
		frame_t *frame = &frames[frames_received++ % RING_FRAMES];
		memcpy(frame->from, info->src_addr, MAC_BYTES);
		memcpy(frame->bytes, data, length);
		frame->rssi = info->rx_ctrl->rssi;
		frame->is_broadcast = memcmp(info->des_addr, BROADCAST, MAC_BYTES) == 0;
		frame->length = length;
	}
	else
		frames_dropped++;
	portEXIT_CRITICAL(&lock);
}

// Frames to different devices may be reported in another order than they were sent (ESP-IDF, "ESP-NOW", Send ESP-NOW Data).
static void sent(const esp_now_send_info_t *info, esp_now_send_status_t status)
{
	portENTER_CRITICAL(&lock);
	for (uint32_t i = sends_taken; i != sends_begun; i++) {
		send_t *send = &sends[i % SEND_PLACES];
		if (send->state != WAITING || memcmp(send->to, info->des_addr, MAC_BYTES) != 0)
			continue;
		send->state = status == ESP_NOW_SEND_SUCCESS ? ACKNOWLEDGED : FAILED;
		break;
	}
	portEXIT_CRITICAL(&lock);
}

// --- in XS's thread

static esp_err_t add_peer(const uint8_t *mac)
{
	// channel 0: whichever the radio is on
	esp_now_peer_info_t peer = { .ifidx = WIFI_IF_STA };
	memcpy(peer.peer_addr, mac, MAC_BYTES);
	return esp_now_add_peer(&peer);
}

// Unknown to ESP-IDF, a device can be heard but not sent to. The place of the one that was sent to longest ago is given away: none of its
// frames can be under way any more, because there are fewer of those than places.
static esp_err_t make_peer(const uint8_t *mac)
{
	if (memcmp(mac, BROADCAST, MAC_BYTES) == 0)
		return ESP_OK;
	peer_t *place = &peers[0];
	for (int i = 0; i < MAX_PEERS; i++) {
		if (peers[i].used && memcmp(peers[i].mac, mac, MAC_BYTES) == 0) {
			peers[i].used = ++peer_uses;
			return ESP_OK;
		}
		if (peers[i].used < place->used)
			place = &peers[i];
	}
	if (place->used)
		esp_now_del_peer(place->mac);
	place->used = 0;
	esp_err_t error = add_peer(mac);
	if (error != ESP_OK)
		return error;
	memcpy(place->mac, mac, MAC_BYTES);
	place->used = ++peer_uses;
	return ESP_OK;
}

static void fail_those_under_way(void)
{
	portENTER_CRITICAL(&lock);
	for (uint32_t i = sends_taken; i != sends_begun; i++)
		if (sends[i % SEND_PLACES].state == WAITING)
			sends[i % SEND_PLACES].state = FAILED;
	portEXIT_CRITICAL(&lock);
}

// A network that was joined keeps its channel.
int32_t skyslot_radio_tune(uint32_t channel)
{
	wifi_ap_record_t joined;
	if (esp_wifi_sta_get_ap_info(&joined) == ESP_OK)
		return ESP_OK;
	return esp_wifi_set_channel(channel, WIFI_SECOND_CHAN_NONE);
}

// Wi-Fi has to be started as a station before. Starts anew what was started: Wi-Fi may have been off meanwhile, and ESP-NOW with it.
int32_t skyslot_radio_start(uint32_t channel)
{
	esp_now_deinit(); // an error where it was not started
	fail_those_under_way();
	memset(peers, 0, sizeof(peers));
	esp_err_t error = esp_now_init();
	if (error == ESP_OK)
		error = esp_now_register_recv_cb(received);
	if (error == ESP_OK)
		error = esp_now_register_send_cb(sent);
	if (error == ESP_OK)
		error = add_peer(BROADCAST);
	// asleep between two beacons of its access point a station hears none of these frames (Espressif's ESP-FAQ, ESP-NOW)
	if (error == ESP_OK)
		error = esp_wifi_set_ps(WIFI_PS_NONE);
	return error == ESP_OK ? skyslot_radio_tune(channel) : error;
}

// ESP_OK: a result with this number will be taken, also where it cannot be sent. ESP_ERR_ESPNOW_FULL: too many are under way.
int32_t skyslot_radio_send(uint32_t number, const uint8_t *to, const uint8_t *bytes, uint32_t length)
{
	if (length < 1 || length > MAX_FRAME_BYTES)
		return ESP_ERR_ESPNOW_ARG;
	if (sends_begun - sends_taken >= MAX_UNDER_WAY)
		return ESP_ERR_ESPNOW_FULL;
	send_t *send = &sends[sends_begun % SEND_PLACES];
	*send = (send_t){ .number = number, .at = xTaskGetTickCount(), .state = WAITING };
	memcpy(send->to, to, MAC_BYTES);
	// before it is handed over: the result may come first
	portENTER_CRITICAL(&lock);
	sends_begun++;
	portEXIT_CRITICAL(&lock);
	esp_err_t error = make_peer(to);
	if (error == ESP_OK)
		error = esp_now_send(to, bytes, length);
	if (error != ESP_OK) {
		portENTER_CRITICAL(&lock);
		send->state = FAILED;
		portEXIT_CRITICAL(&lock);
	}
	return ESP_OK;
}

// --- what there is to take; layouts as in radio.ts

enum { NOTHING, FRAME, SENT, DROPPED };

static bool take_result(uint8_t *record)
{
	bool is_taken = false;
	portENTER_CRITICAL(&lock);
	send_t *oldest = &sends[sends_taken % SEND_PLACES];
	bool is_lost = xTaskGetTickCount() - oldest->at >= pdMS_TO_TICKS(LOST_AFTER_MS);
	if (sends_taken != sends_begun && (oldest->state != WAITING || is_lost)) {
		memcpy(record, &oldest->number, sizeof(oldest->number));
		record[4] = oldest->state == ACKNOWLEDGED;
		sends_taken++;
		is_taken = true;
	}
	portEXIT_CRITICAL(&lock);
	return is_taken;
}

static bool take_frame(uint8_t *record)
{
	bool is_taken = false;
	portENTER_CRITICAL(&lock);
	if (frames_taken != frames_received) {
		memcpy(record, &frames[frames_taken++ % RING_FRAMES], sizeof(frame_t));
		is_taken = true;
	}
	portEXIT_CRITICAL(&lock);
	return is_taken;
}

static bool take_dropped(uint8_t *record)
{
	portENTER_CRITICAL(&lock);
	uint32_t count = frames_dropped;
	frames_dropped = 0;
	portEXIT_CRITICAL(&lock);
	memcpy(record, &count, sizeof(count));
	return count > 0;
}

// The record has room for a frame_t: 259 bytes.
int32_t skyslot_radio_take(uint8_t *record)
{
	if (take_result(record))
		return SENT;
	if (take_frame(record))
		return FRAME;
	return take_dropped(record) ? DROPPED : NOTHING;
}
