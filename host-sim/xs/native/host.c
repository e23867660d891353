/* An XS machine as a process, driven by Node over two pipes. Everything that is not the language is answered there: modules,
   clock, randomness, the SDK's native functions. It decides nothing; it carries values across and counts what XS uses.

   A frame is a 32-bit length and that many bytes, the first of which says what it is (all numbers little-endian):

     Node → XS   B …                 what the machine may use: first of all  XS → Node   . value           done
                 P …                 preload modules, then clone                         ! value           threw
                 I name              import a module                                     O op this n…      call an operation
                 C function this n…  call a function of XS                               L name            text of a module?
                 K function this n…  the same with `new`                                 D handle          what does it look like?
                 J                   run the promise jobs queued so far                  N / R             time / random number?
                 G / S               collect garbage / say what is used                  P / T text        promise jobs wait / trace
                 W limit             watch memory at each call; stop at limit            E text            XS reports
                 F n…                forget functions and objects                        X text            the machine ended
                 / value, \ value    answer: result, error

   While XS waits for an answer Node may call it again (C): calls nest as they do between JavaScript and C. */

#include "host.h"
#include <sys/resource.h>

/* Of the whole process: firmware that allocates without end is out of memory soon, not when the computer is. */
enum { ADDRESS_SPACE_BYTES = 128 << 20 };

/* The one that runs: that in which modules are preloaded, then its clone. */
static txMachine* machine;

static void sendOutcome(txMachine* the, int kind)
{
	Frame frame = { 0 };
	put1(&frame, kind);
	encodeTop(the, &frame);
	sendFrame(&frame);
}

/* Pushes what a function of XS gives, called or constructed with. */
static void callFunction(txMachine* the, Frame* command, txBoolean isConstruct)
{
	txU4 number = take4(command), meter = the->meterIndex;
	txSlot* self;
	txInteger argumentCount;
	decode(the, command);
	self = callbackSelf(number);
	if (self) {
		the->stack->kind = self->kind;
		the->stack->value = self->value;
	}
	if (isConstruct) mxPop();
	pushCallback(the, number);
	if (isConstruct)
		mxNew();
	else
		mxCall();
	argumentCount = take1(command);
	for (int i = 0; i < argumentCount; i++) decode(the, command);
	the->meterIndex = meter;
	mxRunCount(argumentCount);
	measureCall(the);
}

/* Pushes the result of a command. */
static void carryOut(txMachine* the, Frame* command)
{
	txU1 tag = take1(command);
	switch (tag) {
	case 'P':
		preloadModules(the, command);
		mxPushUndefined();
		break;
	case 'I':
		mxPushUndefined();
		fxStringBuffer(the, the->stack, (txString)(command->bytes + 1), command->length - 1);
		fxAwaitImport(the, 0);
		mxPop();
		mxPushUndefined();
		break;
	case 'C':
	case 'K':
		callFunction(the, command, tag == 'K');
		break;
	case 'J':
		fxRunPromiseJobs(the);
		mxPushUndefined();
		break;
	case 'F':
		for (txU4 count = take4(command); count > 0; count--) forget(the, take4(command));
		mxPushUndefined();
		break;
	}
}

/* Returns whether it went well. */
static txBoolean command(txMachine* the, Frame* frame, txBoolean isNested)
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
	return kind == '.';
}

/* Modules are preloaded once; then firmware runs in the clone. */
static void preload(Frame* frame)
{
	if (!command(machine, frame, 0)) return;
	machine = cloneMachine(machine);
	beginUse(machine);
}

/* Inside a call until the answer comes, outside (no `answer`) without end. */
static void serve(txMachine* the, Frame* answer)
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
			/* twice: what was deleted from a Map lies there until the first */
			fxCollectGarbage(machine);
			fxCollectGarbage(machine);
			sendStatistics(machine);
			break;
		case 'S':
			sendStatistics(machine);
			break;
		case 'W':
			take1(&frame);
			watch(machine, take4(&frame));
			sendStatistics(machine);
			break;
		case 'P':
			preload(&frame);
			break;
		default:
			command(machine, &frame, answer != C_NULL);
		}
		free(frame.bytes);
	}
}

void awaitAnswer(txMachine* the, Frame* answer) { serve(the, answer); }

int main(int argc, char** argv)
{
	struct rlimit limit = { ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES };
	Frame options;
	setrlimit(RLIMIT_AS, &limit);
	receiveFrame(&options);
	take1(&options);
	setTurnBudget(take4(&options));
	machine = createMachine(&options);
	free(options.bytes);
	if (!machine) return 1;
	beginUse(machine);
	fxBeginHost(machine);
	defineOperations(machine);
	fxEndHost(machine);
	serve(machine, C_NULL);
	return 0;
}
