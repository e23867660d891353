// The SDK's TCP sockets and listeners (modules/io/socket/lwip/tcp.c, included unchanged) without one of their bugs: a client that resets its
// connection at the wrong moment restarts the device, and a port scan is enough. lwIP frees a connection that is reset, and reports that
// by the error callback only. The SDK has none for connections that were not yet read from the listener, and removes it from those
// that end or are closed a little later: it uses them, and frees them again (heap assertion in tlsf_free). Moving a connection to
// another object, and reading one from the listener, run in two threads at once.
//
// Here every connection has an error callback until it is closed, and those two happen while lwIP's thread waits.
//
// And a crowd of connections stops the device for good, until its watchdog restarts it: each one posts a message of its own to XS's thread,
// whose queue has ten places, and a thread that posts to a full one waits. That is lwIP's thread, while XS's waits for lwIP, or XS's thread itself,
// which alone could empty it. Here what is to be delivered stands in a list, and one message is in the queue, however many there are.

#include <stdint.h>

#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/priv/tcpip_priv.h"
#include "lwip/tcp.h"
#include "lwip/tcpip.h"
#include "xsmc.h"
#include "xsHost.h"
#include "mc.xs.h"
#include "builtinCommon.h"

// What the included file needs of XS's names: the tool that collects them looks at this file alone
enum {
	USED_NAMES = xsID_address + xsID_from + xsID_nodelay + xsID_onError + xsID_onReadable + xsID_onWritable + xsID_port,
};

static void guarded_accept(struct tcp_pcb *listening, tcp_accept_fn accept);
static void guarded_error(struct tcp_pcb *pcb, tcp_err_fn error);
static void guarded_close(struct tcp_pcb *pcb);
static err_t guarded_write(struct tcp_pcb *pcb, const void *data, u16_t length, u8_t flags);
static void guarded_output(struct tcp_pcb *pcb);
static void guarded_received(struct tcp_pcb *pcb, u16_t length);

// The SDK asks for the room of connections that have just gone.
static inline uint16_t room_of(const struct tcp_pcb *pcb)
{
	return pcb ? pcb->snd_buf : 0;
}

static int post_delivery(xsMachine *the, uint8_t *message, uint16_t length, modMessageDeliver callback, void *refcon);

#include "modLwipSafe.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized" // of the SDK: what it closes when a socket without options has no memory
#undef tcp_sndbuf
#define tcp_sndbuf room_of
#define tcp_accept guarded_accept
#define tcp_err guarded_error
#define tcp_close_safe guarded_close
#define tcp_write_safe guarded_write
#define tcp_output_safe guarded_output
#define tcp_recved_safe guarded_received
#define modMessagePostToMachine post_delivery
#define xs_listener_read sdk_listener_read
#define xs_tcp_get_remoteAddress sdk_tcp_get_remoteAddress
#define xs_tcp_constructor sdk_tcp_constructor
void sdk_listener_read(xsMachine *the);
void sdk_tcp_constructor(xsMachine *the);
#include "tcp.c"
#pragma GCC diagnostic pop
#undef tcp_accept
#undef tcp_err
#undef tcp_close_safe
#undef tcp_write_safe
#undef tcp_output_safe
#undef tcp_recved_safe
#undef modMessagePostToMachine
#undef xs_listener_read
#undef xs_tcp_get_remoteAddress
#undef xs_tcp_constructor

// --- what is to be delivered in XS's thread, the oldest first

typedef struct delivery {
	struct delivery *next;
	modMessageDeliver callback;
	void *refcon;
} delivery_t;

// Of one message: then others have their turn, and the watchdog is fed.
#define DELIVERIES_A_TURN 8

static delivery_t *first_delivery, *last_delivery;
static int is_announced;

static void deliver(void *the, void *ignored, uint8_t *message, uint16_t length);

// Once, until the message has been taken. In debug builds, which do not wait for a place, the next one tries again.
static int announce(xsMachine *the)
{
	builtinCriticalSectionBegin();
	int announces = first_delivery && !is_announced;
	is_announced |= announces;
	builtinCriticalSectionEnd();
	if (!announces || modMessagePostToMachine(the, NULL, 0, deliver, NULL) == 0)
		return 0;
	is_announced = 0;
	return -1;
}

static void deliver(void *the, void *ignored, uint8_t *message, uint16_t length)
{
	builtinCriticalSectionBegin();
	is_announced = 0;
	builtinCriticalSectionEnd();
	for (int i = 0; i < DELIVERIES_A_TURN; i++) {
		builtinCriticalSectionBegin();
		delivery_t *taken = first_delivery;
		if (taken && !(first_delivery = taken->next))
			last_delivery = NULL;
		builtinCriticalSectionEnd();
		if (!taken)
			return;
		modMessageDeliver callback = taken->callback;
		void *refcon = taken->refcon;
		c_free(taken); // the callback may throw
		callback(the, refcon, NULL, 0);
	}
	announce(the);
}

static int post_delivery(xsMachine *the, uint8_t *message, uint16_t length, modMessageDeliver callback, void *refcon)
{
	delivery_t *added = c_malloc(sizeof(delivery_t));
	if (!added)
		return modMessagePostToMachine(the, message, length, callback, refcon);
	*added = (delivery_t){ .callback = callback, .refcon = refcon };
	builtinCriticalSectionBegin();
	if (last_delivery)
		last_delivery->next = added;
	else
		first_delivery = added;
	last_delivery = added;
	builtinCriticalSectionEnd();
	return announce(the);
}

// --- what XS's thread asks of a connection that may have gone meanwhile; in lwIP's thread

typedef struct {
	struct tcpip_api_call_data call;
	struct tcp_pcb *pcb;
	const void *data;
	u16_t length;
	u8_t flags;
} request_t;

// lwIP's thread waits for this one: see below.
static int is_held;

// In lwIP's thread; or here, as long as that one waits. Memory that runs out while a connection moves closes it, for instance.
static err_t carry_out(tcpip_api_call_fn act, request_t *request)
{
	return is_held ? act(&request->call) : tcpip_api_call(act, &request->call);
}

static int is_known(const struct tcp_pcb *pcb)
{
	for (int i = 0; i < NUM_TCP_PCB_LISTS; i++)
		for (const struct tcp_pcb *known = *tcp_pcb_lists[i]; known; known = known->next)
			if (known == pcb)
				return 1;
	return 0;
}

// Of a connection that is accepted: four segments, as the SDK has it for all. What arrives and is not read stays in the heap,
// which sixteen connections of CONFIG_LWIP_TCP_WND_DEFAULT would fill; that is for downloads, of which there is one.
#define ACCEPTED_WINDOW (4 * TCP_MSS)

static err_t close_in_lwip(struct tcpip_api_call_data *call)
{
	struct tcp_pcb *pcb = ((request_t *)call)->pcb;
	if (!is_known(pcb))
		return ERR_OK;
	if (pcb->state != LISTEN) {
		tcp_err(pcb, NULL);
		// lwIP takes what is missing from its own window for data that was not read, and then resets the connection: an answer that is still
		// on its way would be lost. What accept_pending holds back is not such data
		if (pcb->listener && TCP_WND > ACCEPTED_WINDOW)
			pcb->rcv_wnd = LWIP_MIN(pcb->rcv_wnd + TCP_WND - ACCEPTED_WINDOW, TCP_WND);
	}
	tcp_arg(pcb, NULL);
	return tcp_close(pcb);
}

static err_t write_in_lwip(struct tcpip_api_call_data *call)
{
	request_t *request = (request_t *)call;
	return is_known(request->pcb) ? tcp_write(request->pcb, request->data, request->length, request->flags) : ERR_CLSD;
}

static err_t output_in_lwip(struct tcpip_api_call_data *call)
{
	struct tcp_pcb *pcb = ((request_t *)call)->pcb;
	return is_known(pcb) ? tcp_output(pcb) : ERR_CLSD;
}

static err_t received_in_lwip(struct tcpip_api_call_data *call)
{
	request_t *request = (request_t *)call;
	if (is_known(request->pcb))
		tcp_recved(request->pcb, request->length);
	return ERR_OK;
}

static void guarded_close(struct tcp_pcb *pcb)
{
	request_t request = { .pcb = pcb };
	carry_out(close_in_lwip, &request);
}

static err_t guarded_write(struct tcp_pcb *pcb, const void *data, u16_t length, u8_t flags)
{
	request_t request = { .pcb = pcb, .data = data, .length = length, .flags = flags };
	return carry_out(write_in_lwip, &request);
}

static void guarded_output(struct tcp_pcb *pcb)
{
	request_t request = { .pcb = pcb };
	carry_out(output_in_lwip, &request);
}

static void guarded_received(struct tcp_pcb *pcb, u16_t length)
{
	request_t request = { .pcb = pcb, .length = length };
	carry_out(received_in_lwip, &request);
}

// --- error callbacks, called in lwIP's thread just before a connection is freed

static void forget_socket(void *arg, err_t error)
{
	if (arg)
		((TCP)arg)->skt = NULL;
}

static void guarded_error(struct tcp_pcb *pcb, tcp_err_fn error)
{
	tcp_err(pcb, error ? error : forget_socket);
}

static void forget_pending(void *arg, err_t error)
{
	((ListenerPending)arg)->skt = NULL;
}

static err_t accept_pending(void *arg, struct tcp_pcb *pcb, err_t error)
{
	Listener listener = arg;
	if (error != ERR_OK || !pcb)
		return ERR_VAL;
	// More has been announced with the SYN, and lwIP goes on to announce that until it is used up: what is sent beyond this is sent again
	if (pcb->rcv_wnd > ACCEPTED_WINDOW)
		pcb->rcv_wnd = ACCEPTED_WINDOW;
	err_t result = listenerAccept(arg, pcb, error);
	for (ListenerPending pending = listener->pending; pending; pending = pending->next) {
		if (pending->skt != pcb)
			continue;
		tcp_arg(pcb, pending);
		tcp_err(pcb, forget_pending);
	}
	return result;
}

static void guarded_accept(struct tcp_pcb *listening, tcp_accept_fn accept)
{
	tcp_accept(listening, accept ? accept_pending : NULL);
}

// --- lwIP's thread waits while XS's thread changes what belongs to both

static StaticSemaphore_t waits_storage, goes_on_storage;
static SemaphoreHandle_t waits, goes_on;

static void wait_in_lwip(void *ignored)
{
	xSemaphoreGive(waits);
	xSemaphoreTake(goes_on, portMAX_DELAY);
}

static int hold_lwip(void)
{
	if (!waits) {
		waits = xSemaphoreCreateBinaryStatic(&waits_storage);
		goes_on = xSemaphoreCreateBinaryStatic(&goes_on_storage);
	}
	if (tcpip_callback(wait_in_lwip, NULL) != ERR_OK)
		return 0;
	xSemaphoreTake(waits, portMAX_DELAY);
	is_held = 1;
	return 1;
}

static void release_lwip(void)
{
	is_held = 0;
	xSemaphoreGive(goes_on);
}

// A connection that has gone is an object without a socket: moving it to another object reports that.
void xs_listener_read(xsMachine *the)
{
	Listener listener = xsmcGetHostDataValidate(xsThis, (void *)&xsListenerHooks);
	xsmcGetHostDataValidate(xsArg(0), (void *)&xsTCPHooks);
	if (!hold_lwip())
		xsUnknownError("no memory");
	ListenerPending gone = listener->pending;
	if (gone && !gone->skt) {
		listener->pending = gone->next;
		c_free(gone);
		xsResult = xsArg(0);
	}
	else
		sdk_listener_read(the);
	release_lwip();
}

void xs_tcp_constructor(xsMachine *the)
{
	int moves = xsmcArgc > 0 && xsmcHas(xsArg(0), xsID_from);
	if (!moves) {
		sdk_tcp_constructor(the);
		return;
	}
	if (!hold_lwip())
		xsUnknownError("no memory");
	xsTry {
		sdk_tcp_constructor(the);
	}
	xsCatch {
		release_lwip();
		xsThrow(xsException);
	}
	release_lwip();
}

// The SDK's reads the address of a connection that may have gone, or goes meanwhile. Undefined then.
void xs_tcp_get_remoteAddress(xsMachine *the)
{
	TCP tcp = xsmcGetHostDataValidate(xsThis, (void *)&xsTCPHooks);
	char text[40] = "";
	if (!hold_lwip())
		xsUnknownError("no memory");
	if (tcp->skt)
		ipaddr_ntoa_r(&tcp->skt->remote_ip, text, sizeof(text));
	release_lwip();
	if (text[0])
		xsmcSetString(xsResult, text);
}
