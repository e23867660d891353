/* What XS's own sources call on a platform: clock, randomness, the texts of modules, and the way out. All of it is Node's to
   answer: nothing here looks at the computer's clock or files. */

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
	return fxNewName(the, slot);
}

void fxLoadModule(txMachine* the, txSlot* module, txID moduleID)
{
	Frame frame = { 0 };
	txStringCStream stream;
	sendText('L', fxGetKeyName(the, moduleID));
	receiveFrame(&frame);
	if (take1(&frame) == '/') {
		stream.buffer = (txString)(frame.bytes + 1);
		stream.offset = 0;
		stream.size = frame.length - 1;
		txScript* script = fxParseScript(the, &stream, fxStringCGetter, 0);
		if (script) fxResolveModule(the, module, moduleID, script, C_NULL, C_NULL);
	}
	free(frame.bytes);
}
