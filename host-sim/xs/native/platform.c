/* What XS's own sources call on a platform: clock, randomness, the texts of modules, reports, and exit. All of it is Node's
   to answer: nothing here looks at the computer's clock or files. */

#include "host.h"

static double askNumber(int kind)
{
	Frame frame = { 0 };
	double value;
	put1(&frame, kind);
	sendFrame(&frame);
	receiveFrame(&frame);
	take1(&frame);
	value = takeNumber(&frame);
	free(frame.bytes);
	return value;
}

int host_gettimeofday(struct timeval* now, void* zone)
{
	double ms = askNumber('N');
	now->tv_sec = (time_t)(ms / 1000);
	now->tv_usec = (ms - now->tv_sec * 1000.0) * 1000;
	return 0;
}

int host_rand(void) { return (int)(askNumber('R') * 0x7fffffff); }

void fxAbort(txMachine* the, int status)
{
	char text[320];
	const char* why = status == XS_STACK_OVERFLOW_EXIT ? "stack overflow"
		: status == XS_NOT_ENOUGH_MEMORY_EXIT ? "memory full"
		: status == XS_NO_MORE_KEYS_EXIT ? "not enough keys"
		: status == XS_TOO_MUCH_COMPUTATION_EXIT ? "too much computation"
		: status == XS_UNHANDLED_EXCEPTION_EXIT ? "unhandled exception"
		: "aborted";
	snprintf(text, sizeof(text), "%s", why);
	sendText('X', text);
	_exit(status);
}

void fxQueuePromiseJobs(txMachine* the) { sendText('P', ""); }

txID fxFindModule(txMachine* the, txSlot* realm, txID moduleID, txSlot* slot)
{
	return fxNewNameC(the, slot->value.string);
}

void fxLoadModule(txMachine* the, txSlot* module, txID moduleID) { loadModule(the, module, moduleID); }

/* What XS reports, as it stands on a chip's serial line: that memory could not be had, and how much. */
void hostReport(const char* format, va_list arguments)
{
	char text[256];
	vsnprintf(text, sizeof(text), format, arguments);
	sendText('E', text);
}
