// TLS 1.2 for the device's own requests, by the mbedTLS of ESP-IDF, between two buffers: what the network brought goes in, what it is to take
// comes out, and JavaScript (../tls-socket.ts) moves both between here and a TCP socket of the SDK. Opens no socket and reads no clock. Bound
// with mc/ffi; its memory is in the system's heap, none of it in XS's.
//
//   TCP ── RECEIVE ──► in ──┐                ┌──► READ ── plain text
//                           ├── mbedtls_ssl ─┤
//   TCP ◄─── SEND ──── out ─┘                └──◄ WRITE ─ plain text
//
// Why not the SDK's SecureSocket: in 8.2.3 it accepts a key exchange of the server that is not signed, so whoever is in between can read
// along; and it is JavaScript, in XS's heap.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mbedtls/base64.h"
#include "mbedtls/ssl.h"
#include "mbedtls/x509_crt.h"
#include "psa/crypto.h"

#ifdef ESP_PLATFORM
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#endif

#define SESSION_COUNT 4
// Of `in` and `out` each. A record of WRITE fits into it, so that mbedTLS never has to be asked twice for the same one.
#define BUFFER_BYTES 1024
#define WRITE_BYTES 512
// What AES-GCM and the head add to a record (RFC 5288): 5 + 8 + 16
#define RECORD_BYTES 29
// A handshake needs more than what XS leaves of its task's stack (10 KiB): 7.4 KiB on a 32-bit host
#define HANDSHAKE_STACK_BYTES 10240

// Operations of skyslot_tls; the same numbers are in ../tls-socket.ts.
enum { TRUST, RECEIVE, SEND, STEP, READ, WRITE, END, CLOSE, DETAIL };

// Results of STEP; from 0 on: the handshake is done, and so many bytes of plain text can be read.
#define HANDSHAKING (-1)
#define ENDED (-2)
// Why there is no connection
#define UNTRUSTED (-10)
#define WRONG_HOST (-11)
#define EXPIRED (-12)
#define NOT_YET_VALID (-13)
#define REFUSED (-14)
#define NO_MEMORY (-15)
#define FAILED (-16)

typedef struct {
	mbedtls_ssl_context ssl;
	mbedtls_ssl_config config;
	mbedtls_x509_crt trusted;
	// Seconds since 1970. It is not earlier than this; what a server has said, or 0.
	uint32_t earliest;
	uint32_t told;
	int is_connected;
	// Of mbedTLS, or an alert of the other side.
	int detail;
	int32_t failure;
	size_t in_start;
	size_t in_length;
	size_t out_length;
	uint8_t in[BUFFER_BYTES];
	uint8_t out[BUFFER_BYTES];
} session_t;

static session_t *sessions[SESSION_COUNT];

static const int SUITES[] = {
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	0,
};

static session_t *session_of(int32_t number)
{
	return number > 0 && number <= SESSION_COUNT ? sessions[number - 1] : NULL;
}

static int take_in(void *context, unsigned char *bytes, size_t length)
{
	session_t *session = context;
	if (session->in_length == 0)
		return MBEDTLS_ERR_SSL_WANT_READ;
	if (length > session->in_length)
		length = session->in_length;
	memcpy(bytes, session->in + session->in_start, length);
	session->in_start += length;
	session->in_length -= length;
	return (int)length;
}

static int put_out(void *context, const unsigned char *bytes, size_t length)
{
	session_t *session = context;
	size_t room = BUFFER_BYTES - session->out_length;
	if (room == 0)
		return MBEDTLS_ERR_SSL_WANT_WRITE;
	if (length > room)
		length = room;
	memcpy(session->out + session->out_length, bytes, length);
	session->out_length += length;
	return (int)length;
}

// Days of the Gregorian calendar: Howard Hinnant, days_from_civil.
static int64_t seconds_of(const mbedtls_x509_time *time)
{
	int64_t year = time->year - (time->mon <= 2);
	int64_t era = year / 400;
	int64_t of_era = year - era * 400;
	int64_t of_year = (153 * (time->mon + (time->mon > 2 ? -3 : 9)) + 2) / 5 + time->day - 1;
	int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
	return ((days * 24 + time->hour) * 60 + time->min) * 60 + time->sec;
}

// The validity of each certificate of the chain, by the device's own time: mbedTLS would ask a clock that the chip does not have. That one has
// expired is certain by the floor of time alone, which no server moves; that one is not valid yet only a server's time can tell.
static int judge_time(void *context, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
	session_t *session = context;
	(void)depth;
	*flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
	if (seconds_of(&certificate->valid_to) < session->earliest)
		*flags |= MBEDTLS_X509_BADCERT_EXPIRED;
	if (session->told != 0 && seconds_of(&certificate->valid_from) > session->told)
		*flags |= MBEDTLS_X509_BADCERT_FUTURE;
	return 0;
}

// Of a certificate that nobody vouches for neither name nor dates say anything.
static int32_t verdict_of(uint32_t flags)
{
	const uint32_t others = MBEDTLS_X509_BADCERT_CN_MISMATCH | MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE;
	if (flags & ~others)
		return UNTRUSTED;
	if (flags & MBEDTLS_X509_BADCERT_CN_MISMATCH)
		return WRONG_HOST;
	return flags & MBEDTLS_X509_BADCERT_EXPIRED ? EXPIRED : NOT_YET_VALID;
}

static int is_memory(int error)
{
	return error == MBEDTLS_ERR_SSL_ALLOC_FAILED || error == MBEDTLS_ERR_X509_ALLOC_FAILED ||
		error == PSA_ERROR_INSUFFICIENT_MEMORY;
}

static int32_t fail(session_t *session, int error)
{
	session->detail = error;
	if (error == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) {
		session->detail = (int)mbedtls_ssl_get_verify_result(&session->ssl);
		session->failure = verdict_of((uint32_t)session->detail);
	} else if (error == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
		session->detail = session->ssl.MBEDTLS_PRIVATE(in_msg)[1];
		session->failure = REFUSED;
	} else
		session->failure = is_memory(error) ? NO_MEMORY : FAILED;
	return session->failure;
}

static int is_waiting(int result)
{
	return result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE;
}

static int32_t shake_hands(session_t *session)
{
	int result = mbedtls_ssl_handshake(&session->ssl);
	if (is_waiting(result))
		return HANDSHAKING;
	if (result != 0)
		return fail(session, result);
	session->is_connected = 1;
	// only a handshake needs them, and there is no second one
	mbedtls_ssl_conf_ca_chain(&session->config, NULL, NULL);
	mbedtls_x509_crt_free(&session->trusted);
	return 0;
}

#ifdef ESP_PLATFORM
typedef struct {
	session_t *session;
	TaskHandle_t caller;
	int32_t result;
	volatile int is_done;
} handshake_t;

static void handshake_task(void *context)
{
	handshake_t *handshake = context;
	TaskHandle_t caller = handshake->caller;
	handshake->result = shake_hands(handshake->session);
	handshake->is_done = 1; // from here on it may be gone
	xTaskNotifyGive(caller);
	vTaskSuspend(NULL); // until the other deletes it: by itself, its stack would stay until IDLE runs, one for each piece of the handshake
}

static int32_t shake_hands_apart(session_t *session)
{
	handshake_t handshake = { session, xTaskGetCurrentTaskHandle(), NO_MEMORY, 0 };
	UBaseType_t priority = uxTaskPriorityGet(NULL);
	TaskHandle_t task;
	if (xTaskCreate(handshake_task, "tls", HANDSHAKE_STACK_BYTES / sizeof(StackType_t), &handshake, priority, &task) != pdPASS)
		return session->failure = NO_MEMORY;
	while (!handshake.is_done) // others may notify this task too
		ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
	vTaskDelete(task);
	return handshake.result;
}
#else
#define shake_hands_apart shake_hands
#endif

// As far as it goes with what has arrived.
static int32_t step(session_t *session)
{
	if (!session->is_connected) {
		int32_t result = shake_hands_apart(session);
		if (result != 0)
			return result;
	}
	size_t waiting = mbedtls_ssl_get_bytes_avail(&session->ssl);
	if (waiting > 0)
		return (int32_t)waiting;
	int result = mbedtls_ssl_read(&session->ssl, NULL, 0); // the next record
	if (result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		return ENDED;
	return result == 0 || is_waiting(result) ? (int32_t)mbedtls_ssl_get_bytes_avail(&session->ssl) : fail(session, result);
}

static int32_t receive(session_t *session, const uint8_t *bytes, size_t length)
{
	memmove(session->in, session->in + session->in_start, session->in_length);
	session->in_start = 0;
	size_t room = BUFFER_BYTES - session->in_length;
	if (length > room)
		length = room;
	memcpy(session->in + session->in_length, bytes, length);
	session->in_length += length;
	return (int32_t)length;
}

static int32_t send_out(session_t *session, uint8_t *bytes, size_t length)
{
	if (length > session->out_length)
		length = session->out_length;
	memcpy(bytes, session->out, length);
	session->out_length -= length;
	memmove(session->out, session->out + length, session->out_length);
	return (int32_t)length;
}

static int32_t write_plain(session_t *session, const uint8_t *bytes, size_t length)
{
	if (!session->is_connected || session->out_length > BUFFER_BYTES - WRITE_BYTES - RECORD_BYTES)
		return 0;
	int result = mbedtls_ssl_write(&session->ssl, bytes, length < WRITE_BYTES ? length : WRITE_BYTES);
	return result >= 0 ? result : fail(session, result);
}

static int32_t read_plain(session_t *session, uint8_t *bytes, size_t length)
{
	size_t waiting = mbedtls_ssl_get_bytes_avail(&session->ssl);
	if (length > waiting)
		length = waiting;
	return length == 0 ? 0 : mbedtls_ssl_read(&session->ssl, bytes, length);
}

// An authority's certificate: DER in base64, as a build's settings and NVS have it.
static int32_t trust(session_t *session, const uint8_t *text, size_t length)
{
	size_t size = length / 4 * 3;
	uint8_t *certificate = malloc(size + 1);
	if (!certificate)
		return session->failure = NO_MEMORY;
	int result = mbedtls_base64_decode(certificate, size, &size, text, length);
	if (result == 0)
		result = mbedtls_x509_crt_parse_der(&session->trusted, certificate, size);
	free(certificate);
	return result == 0 ? 0 : fail(session, result);
}

static void close_session(session_t *session)
{
	mbedtls_ssl_free(&session->ssl);
	mbedtls_ssl_config_free(&session->config);
	mbedtls_x509_crt_free(&session->trusted);
	free(session);
}

static int configure(session_t *session, const char *host)
{
	mbedtls_ssl_config *config = &session->config;
	int result =
		mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
	if (result != 0)
		return result;
	mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_REQUIRED);
	mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_max_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_ciphersuites(config, SUITES);
	mbedtls_ssl_conf_ca_chain(config, &session->trusted, NULL);
	mbedtls_ssl_conf_verify(config, judge_time, session);
#ifdef MBEDTLS_SSL_MAX_FRAGMENT_LENGTH
	// a server that understands this sends 4 KiB at once, so that what a record holds can be checked, and read, sooner
	result = mbedtls_ssl_conf_max_frag_len(config, MBEDTLS_SSL_MAX_FRAG_LEN_4096);
	if (result != 0)
		return result;
#endif
	result = mbedtls_ssl_setup(&session->ssl, config);
	if (result == 0)
		result = mbedtls_ssl_set_hostname(&session->ssl, host); // the name that is compared, and SNI
	if (result == 0)
		mbedtls_ssl_set_bio(&session->ssl, session, put_out, take_in, NULL);
	return result;
}

// A client of `host`; times in seconds since 1970, `told` 0 where no server has said one. The session's number, or why there is none.
int32_t skyslot_tls_open(char *host, uint32_t earliest, uint32_t told)
{
	int32_t at = 0;
	while (at < SESSION_COUNT && sessions[at])
		at++;
	if (at == SESSION_COUNT)
		return NO_MEMORY;
	session_t *session = psa_crypto_init() == PSA_SUCCESS ? calloc(1, sizeof(session_t)) : NULL;
	if (!session)
		return NO_MEMORY;
	session->earliest = earliest;
	session->told = told;
	mbedtls_ssl_init(&session->ssl);
	mbedtls_ssl_config_init(&session->config);
	mbedtls_x509_crt_init(&session->trusted);
	int result = configure(session, host);
	if (result != 0) {
		close_session(session);
		return is_memory(result) ? NO_MEMORY : FAILED;
	}
	sessions[at] = session;
	return at + 1;
}

// An operation of a session; `bytes` has `length` bytes. A session that has failed says so again.
int32_t skyslot_tls(int32_t number, uint32_t operation, uint8_t *bytes, uint32_t length)
{
	session_t *session = session_of(number);
	if (!session)
		return FAILED;
	if (operation == CLOSE) {
		sessions[number - 1] = NULL;
		close_session(session);
		return 0;
	}
	if (operation == SEND) // the alert that tells the other side why
		return send_out(session, bytes, length);
	if (operation == DETAIL)
		return session->detail;
	if (session->failure != 0)
		return session->failure;
	switch (operation) {
	case TRUST:
		return trust(session, bytes, length);
	case RECEIVE:
		return receive(session, bytes, length);
	case STEP:
		return step(session);
	case READ:
		return read_plain(session, bytes, length);
	case WRITE:
		return write_plain(session, bytes, length);
	case END:
		mbedtls_ssl_close_notify(&session->ssl);
		return 0;
	default:
		return FAILED;
	}
}
