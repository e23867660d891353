/* An XS machine as a process, driven by Node over two pipes. Everything that is not the language is answered there: modules,
   clock, randomness, the SDK's native functions. It decides nothing; it carries values across and counts what XS uses.

   A frame is a 32-bit length and that many bytes, the first of which says what it is (all numbers little-endian):

     Node → XS   I name              import a module                       XS → Node   . value           done
                 C function this n…  call a function of XS                             ! value           threw
                 K function this n…  the same with `new`
                 J                   run the promise jobs queued so far                O op this n…      call an operation
                 G                   collect garbage                                   L name            text of a module?
                 S                   say what is used                                  D handle          what does it look like?
                 W limit             watch memory at each call; stop at limit          N / R             time / random number?
                 F n…                forget functions and objects                      P / T text        promise jobs wait / trace
                 / value, \ value    answer: result, error                             X text            the machine ended

   While XS waits for an answer Node may call it again (C): calls nest as they do between JavaScript and C. */

#include "host.h"
#include <sys/resource.h>

/* Of the whole process: firmware that allocates without end is out of memory soon, not when the computer is. */
enum { ADDRESS_SPACE_BYTES = 128 << 20 };

static void sendOutcome(txMachine* the, int kind)
{
	Frame frame = { 0 };
	put1(&frame, kind);
	encodeTop(the, &frame);
	sendFrame(&frame);
}

/* Pushes the result of the function that a helper of prelude.js gives for the next number. */
static void callFunction(txMachine* the, Frame* command, const char* helper)
{
	txInteger argumentCount;
	txSlot* self;
	mxPushUndefined();
	self = the->stack;
	mxPushInteger(take4(command));
	callHelper(the, helper, 1);
	decode(the, command);
	self->kind = the->stack->kind;
	self->value = the->stack->value;
	mxPop();
	fxCall(the);
	argumentCount = take1(command);
	for (int i = 0; i < argumentCount; i++) decode(the, command);
	fxRunCount(the, argumentCount);
	measureCall(the);
}

/* Pushes the result of a command. */
static void carryOut(txMachine* the, Frame* command)
{
	txU1 tag = take1(command);
	switch (tag) {
	case 'I':
		mxPushUndefined();
		fxStringBuffer(the, the->stack, (txString)(command->bytes + 1), command->length - 1);
		fxAwaitImport(the, 0);
		mxPop();
		mxPushUndefined();
		break;
	case 'C':
	case 'K':
		callFunction(the, command, tag == 'C' ? "callback" : "construct");
		break;
	case 'J':
		fxRunPromiseJobs(the);
		mxPushUndefined();
		break;
	case 'F':
		decodeMany(the, command, "forget", take4(command));
		break;
	}
}

static void command(txMachine* the, Frame* frame, txBoolean isNested)
{
	txByte kind = 0;
	if (!isNested) {
		fxBeginHost(the);
		beginMeter(the);
	}
	txSlot* stack = the->stack;
	{
		mxTry(the) {
			carryOut(the, frame);
			kind = '.';
		}
		mxCatch(the) {
			the->stack = stack;
			mxPush(mxException);
			mxException.kind = XS_UNDEFINED_KIND;
			kind = '!';
		}
	}
	if (!isNested) endMeter(the);
	sendOutcome(the, kind);
	if (!isNested) fxEndHost(the);
}

void serve(txMachine* the, Frame* answer)
{
	for (;;) {
		Frame frame;
		receiveFrame(&frame);
		switch (frame.bytes[0]) {
		case '/':
		case '\\':
			*answer = frame;
			return;
		case 'G':
			fxCollectGarbage(the);
			sendStatistics(the);
			break;
		case 'S':
			sendStatistics(the);
			break;
		case 'W':
			take1(&frame);
			watch(the, take4(&frame));
			sendStatistics(the);
			break;
		default:
			command(the, &frame, answer != C_NULL);
		}
		free(frame.bytes);
	}
}

/* Arguments: bytecodes that a turn may take (0: any number), slots of XS's stack. */
int main(int argc, char** argv)
{
	struct rlimit limit = { ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES };
	/* Room for any firmware: what is used is counted, not what is there. The stack is the SDK's for the ESP32 or as given. */
	txCreation creation = {
		1024 * 1024, 64 * 1024, 128 * 1024, 16 * 1024, 4096, 8192, 1024, 1993, 127, 4096 * 1024, 1993, 0,
	};
	txMachine* the;
	setrlimit(RLIMIT_AS, &limit);
	if (argc > 2) creation.stackCount = atoi(argv[2]);
	fxInitializeSharedCluster();
	the = fxCreateMachine(&creation, "skyslot", C_NULL, XS_NO_ID);
	if (!the) return 1;
	fxBeginHost(the);
	defineOperations(the);
	beginUse(the, argc > 1 ? atoi(argv[1]) : 0);
	fxEndHost(the);
	serve(the, C_NULL);
	return 0;
}
