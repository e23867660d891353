/* An XS machine as a process, driven by Node over two pipes. Everything that is not the language is answered there: modules,
   clock, randomness, the SDK's native functions. It decides nothing; it carries values across and counts what XS uses.

   A frame is a 32-bit length and that many bytes, the first of which says what it is (all numbers little-endian):

     Node → XS   I name              import a module                       XS → Node   . value           done
                 C function this n…  call a function of XS                             ! value           threw
                 K function this n…  the same with `new`
                 J                   run the promise jobs queued so far                O op this n…      call an operation
                 G                   collect garbage                                   L name            text of a module?
                 S                   say what is used                                  D handle          what does it look like?
                 W on, limit         watch memory at each call; stop at limit          N / R             time / random number?
                 F n…                forget functions and objects                      P / T text        promise jobs wait / trace
                 / value, \ value    answer: result, error                             X text            the machine ended

   While XS waits for an answer Node may call it again (C): calls nest as they do between JavaScript and C. */

#include "xsAll.h"
#include "xsScript.h"
#include <errno.h>
#include <sys/resource.h>

enum { FROM_NODE = 3, TO_NODE = 4 };

/* Of the whole process: firmware that allocates without end is out of memory soon, not when the computer is. */
enum { ADDRESS_SPACE_BYTES = 128 << 20 };

typedef struct {
	txU1* bytes;
	txU4 length, capacity, position;
} Frame;

static txSlot bridge; /* the object that prelude.js hands over: helpers, and what is known by number */
static txBoolean watching = 0;
static txU4 slotLimit = 0; /* bytes of slots and chunks together; 0: none */
static txU4 slotsPeak = 0, chunksPeak = 0, bytesPeak = 0;
static unsigned long long meterTotal = 0;
static txU4 turnBudget = 0;
static txMachine* only;

static void serve(txMachine* the, txBoolean untilAnswer, Frame* answer);

/* ── frames ─────────────────────────────────────────────────────────────────────────────────────────────────────────────── */

static void put(Frame* frame, const void* data, txU4 length)
{
	if (frame->length + length > frame->capacity) {
		frame->capacity = (frame->length + length) * 2 + 64;
		frame->bytes = realloc(frame->bytes, frame->capacity);
	}
	memcpy(frame->bytes + frame->length, data, length);
	frame->length += length;
}

static void put1(Frame* frame, int value) { txU1 byte = (txU1)value; put(frame, &byte, 1); }
static void put4(Frame* frame, txU4 value) { put(frame, &value, 4); }
static void putText(Frame* frame, const char* text) { txU4 length = strlen(text); put4(frame, length); put(frame, text, length); }
static void putNumber(Frame* frame, double value) { put(frame, &value, 8); }

static const void* take(Frame* frame, txU4 length)
{
	const void* data = frame->bytes + frame->position;
	frame->position += length;
	return data;
}

static txU1 take1(Frame* frame) { return *(const txU1*)take(frame, 1); }
static txU4 take4(Frame* frame) { txU4 value; memcpy(&value, take(frame, 4), 4); return value; }
static double takeNumber(Frame* frame) { double value; memcpy(&value, take(frame, 8), 8); return value; }

static void transfer(int descriptor, txU1* bytes, txU4 length, txBoolean writes)
{
	while (length > 0) {
		ssize_t count = writes ? write(descriptor, bytes, length) : read(descriptor, bytes, length);
		if (count < 0 && errno == EINTR) continue;
		if (count <= 0) _exit(0); /* Node has gone */
		bytes += count;
		length -= count;
	}
}

static void sendFrame(Frame* frame)
{
	txU4 length = frame->length;
	transfer(TO_NODE, (txU1*)&length, 4, 1);
	transfer(TO_NODE, frame->bytes, length, 1);
	free(frame->bytes);
	memset(frame, 0, sizeof(Frame));
}

static void receiveFrame(Frame* frame)
{
	memset(frame, 0, sizeof(Frame));
	transfer(FROM_NODE, (txU1*)&frame->length, 4, 0);
	frame->bytes = malloc(frame->length + 1);
	frame->bytes[frame->length] = 0;
	transfer(FROM_NODE, frame->bytes, frame->length, 0);
}

static void sendText(int kind, const char* text)
{
	Frame frame = { 0 };
	put1(&frame, kind);
	putText(&frame, text);
	sendFrame(&frame);
}

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

/* ── what XS asks of its platform ───────────────────────────────────────────────────────────────────────────────────────── */

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

/* ── memory and meter ───────────────────────────────────────────────────────────────────────────────────────────────────── */

static void watch(txMachine* the)
{
	txU4 slots, chunks;
	fxCollectGarbage(the);
	slots = the->currentHeapCount * sizeof(txSlot);
	chunks = the->currentChunksSize;
	if (slots > slotsPeak) slotsPeak = slots;
	if (chunks > chunksPeak) chunksPeak = chunks;
	if (slots + chunks > bytesPeak) bytesPeak = slots + chunks;
	if (slotLimit && slots + chunks > slotLimit) fxAbort(the, XS_NOT_ENOUGH_MEMORY_EXIT);
}

/* The unused part of the stack is painted at the start; its peak is where the paint begins. Not what lies at its other end: XS
   uses that as scratch memory for numbers and regular expressions. */
enum { PAINT = 0xA5, UNTOUCHED_BYTES = 32 * sizeof(txSlot) };

static void paintStack(txMachine* the)
{
	memset(the->stackBottom, PAINT, (txU1*)(the->stack - 8) - (txU1*)the->stackBottom);
}

static txU4 stackPeak(txMachine* the)
{
	txU1* byte = (txU1*)the->stackTop;
	txU4 run = 0;
	while (run < UNTOUCHED_BYTES && byte > (txU1*)the->stackBottom) run = *--byte == PAINT ? run + 1 : 0;
	return ((txU1*)the->stackTop - byte - run) / sizeof(txSlot);
}

static void sendStatistics(txMachine* the)
{
	Frame frame = { 0 };
	put1(&frame, '.');
	putNumber(&frame, meterTotal);
	put4(&frame, the->currentHeapCount * sizeof(txSlot));
	put4(&frame, the->currentChunksSize);
	put4(&frame, slotsPeak);
	put4(&frame, chunksPeak);
	put4(&frame, bytesPeak);
	put4(&frame, stackPeak(the));
	put4(&frame, sizeof(txSlot));
	sendFrame(&frame);
}

static txBoolean metered(txMachine* the, txU4 index) { return 0; }

/* Each turn has a budget of bytecodes (the task watchdog); what the bridge itself runs is not counted. */
static void beginMeter(txMachine* the) { fxBeginMetering(the, metered, turnBudget); }
static void endMeter(txMachine* the) { meterTotal += the->meterIndex; fxEndMetering(the); }

/* ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────────
   u n t f i d s   undefined null true false int32 double string
   b v             ArrayBuffer, view: bytes          o m a   object, Map (keys and values in turn), array: count, items
   e               error: name, message              h c     number of Node's object, of XS's function
   x               buffer with properties (names and values in an array)                                                       */

static void callHelper(txMachine* the, const char* name, int argumentCount);

/* Pushes a property of the bridge object. */
static void pushBridge(txMachine* the, const char* name)
{
	mxPushSlot(&bridge);
	fxGetID(the, fxID(the, (txString)name));
}

/* Calls a helper of prelude.js with the arguments that lie on the stack; leaves its result instead. Not metered. */
static void callHelper(txMachine* the, const char* name, int argumentCount)
{
	txU4 index = the->meterIndex;
	txSlot* arguments = the->stack + argumentCount - 1;
	mxPushUndefined();
	pushBridge(the, name);
	fxCall(the);
	for (int i = 0; i < argumentCount; i++) mxPushSlot(arguments - i);
	fxRunCount(the, argumentCount);
	arguments->kind = the->stack->kind;
	arguments->value = the->stack->value;
	the->stack = arguments;
	the->meterIndex = index;
}

static txBoolean isBuffer(txSlot* slot)
{
	txSlot* internal;
	if (slot->kind != XS_REFERENCE_KIND) return 0;
	internal = slot->value.reference->next;
	if (!internal || !(internal->flag & XS_INTERNAL_FLAG)) return 0;
	return internal->kind == XS_ARRAY_BUFFER_KIND || internal->kind == XS_TYPED_ARRAY_KIND || internal->kind == XS_DATA_VIEW_KIND;
}

/* Where a buffer's bytes lie; views of larger elements count as their bytes. Valid until the next allocation. */
static txU1* bufferBytes(txMachine* the, txSlot* slot, txU4* length)
{
	txSlot* internal = slot->value.reference->next;
	txSlot* view = internal->kind == XS_TYPED_ARRAY_KIND ? internal->next : internal->kind == XS_DATA_VIEW_KIND ? internal : C_NULL;
	txSlot* buffer = view ? view->next->value.reference->next : internal;
	txU4 all = buffer->next->value.bufferInfo.length;
	txU4 offset = view ? view->value.dataView.offset : 0;
	*length = !view ? all : view->value.dataView.size >= 0 ? view->value.dataView.size : all - offset;
	return (txU1*)buffer->value.arrayBuffer.address + offset;
}

/* Writes the value on top of the stack, and pops it. */
static void encodeTop(txMachine* the, Frame* frame)
{
	txSlot* slot = the->stack;
	switch (slot->kind) {
	case XS_UNDEFINED_KIND: put1(frame, 'u'); break;
	case XS_NULL_KIND: put1(frame, 'n'); break;
	case XS_BOOLEAN_KIND: put1(frame, slot->value.boolean ? 't' : 'f'); break;
	case XS_INTEGER_KIND: put1(frame, 'i'); put4(frame, slot->value.integer); break;
	case XS_NUMBER_KIND: put1(frame, 'd'); putNumber(frame, slot->value.number); break;
	case XS_STRING_KIND:
	case XS_STRING_X_KIND: put1(frame, 's'); putText(frame, slot->value.string); break;
	case XS_REFERENCE_KIND:
		if (isBuffer(slot)) {
			txU4 length;
			txU1* bytes;
			txSlot* internal = slot->value.reference->next;
			int size = internal->kind == XS_TYPED_ARRAY_KIND ? internal->value.typedArray.dispatch->size : 1;
			put1(frame, internal->kind == XS_ARRAY_BUFFER_KIND ? 'b' : size > 1 ? 'w' : 'v');
			if (size > 1) put1(frame, size);
			bytes = bufferBytes(the, slot, &length);
			put4(frame, length);
			put(frame, bytes, length);
			break;
		}
		mxPushSlot(slot);
		callHelper(the, "flatten", 1); /* [tag, …] */
		{
			txSlot* flat = the->stack;
			txInteger length;
			mxPushSlot(flat);
			fxGetID(the, mxID(_length));
			length = the->stack->value.integer;
			mxPop();
			mxPushSlot(flat);
			fxGetIndex(the, 0);
			put1(frame, the->stack->value.string[0]);
			char tag = the->stack->value.string[0];
			mxPop();
			if (tag == 'o' || tag == 'm' || tag == 'a') put4(frame, length - 1);
			for (txInteger i = 1; i < length; i++) {
				mxPushSlot(flat);
				fxGetIndex(the, i);
				if (tag == 'h' || tag == 'c') {
					put4(frame, the->stack->value.integer);
					mxPop();
				}
				else
					encodeTop(the, frame);
			}
			mxPop();
		}
		break;
	case XS_BIGINT_KIND:
	case XS_BIGINT_X_KIND:
		mxPushSlot(slot);
		callHelper(the, "digits", 1);
		put1(frame, 'g');
		encodeTop(the, frame);
		break;
	default: mxTypeError("a value of kind %d does not go across", slot->kind);
	}
	mxPop();
}

static void encode(txMachine* the, Frame* frame, txSlot* slot)
{
	mxPushSlot(slot);
	encodeTop(the, frame);
}

static void decode(txMachine* the, Frame* frame);

static void decodeMany(txMachine* the, Frame* frame, const char* helper, int count)
{
	txSlot* array;
	mxPush(mxArrayPrototype);
	fxNewArrayInstance(the);
	array = the->stack;
	for (int i = 0; i < count; i++) {
		decode(the, frame);
		mxPushSlot(array);
		fxSetIndex(the, i);
		mxPop();
	}
	if (helper) callHelper(the, helper, 1);
}

/* Pushes Node's object: the one known by that number, or a new one made after Node's description of it. */
static void decodeHandle(txMachine* the, txU4 number)
{
	mxPushInteger(number);
	callHelper(the, "known", 1);
	if (the->stack->kind == XS_UNDEFINED_KIND) {
		Frame frame = { 0 };
		mxPop();
		put1(&frame, 'D');
		put4(&frame, number);
		sendFrame(&frame);
		receiveFrame(&frame);
		take1(&frame);
		mxPushInteger(number);
		decode(the, &frame);
		free(frame.bytes);
		callHelper(the, "make", 2);
	}
}

/* Pushes the next value of the frame. */
static void decode(txMachine* the, Frame* frame)
{
	txU1 tag = take1(frame);
	txU4 length;
	mxOverflow(-16);
	switch (tag) {
	case 'u': mxPushUndefined(); break;
	case 'y': mxPush(mxGlobal); break;
	case 'n': mxPushNull(); break;
	case 't':
	case 'f': mxPushBoolean(tag == 't'); break;
	case 'i': mxPushInteger((txInteger)take4(frame)); break;
	case 'd': mxPushNumber(takeNumber(frame)); break;
	case 's':
		length = take4(frame);
		mxPushUndefined();
		fxStringBuffer(the, the->stack, (txString)take(frame, length), length);
		break;
	case 'b':
	case 'v':
		length = take4(frame);
		mxPushUndefined();
		fxArrayBuffer(the, the->stack, (void*)take(frame, length), length, -1);
		if (tag == 'v') callHelper(the, "view", 1);
		break;
	case 'x':
		length = take4(frame);
		mxPushUndefined();
		fxArrayBuffer(the, the->stack, (void*)take(frame, length), length, -1);
		decode(the, frame);
		callHelper(the, "dressed", 2);
		break;
	case 'g':
		decode(the, frame);
		callHelper(the, "bigint", 1);
		break;
	case 'o': decodeMany(the, frame, "object", take4(frame)); break;
	case 'm': decodeMany(the, frame, "map", take4(frame)); break;
	case 'a': decodeMany(the, frame, C_NULL, take4(frame)); break;
	case 'e': decodeMany(the, frame, "error", 2); break;
	case 'h': decodeHandle(the, take4(frame)); break;
	case 'c':
		mxPushInteger(take4(frame));
		callHelper(the, "callback", 1);
		break;
	default: mxTypeError("no value begins with %d", tag);
	}
}

/* ── calls ──────────────────────────────────────────────────────────────────────────────────────────────────────────────── */

/* Pushes the answer to what was sent, or throws it. Buffers among the arguments get what Node wrote into them. */
static void finishCall(txMachine* the, txSlot* firstArgument)
{
	Frame answer;
	txU1 kind;
	serve(the, 1, &answer);
	kind = take1(&answer);
	if (kind == '/') {
		for (int count = take1(&answer); count > 0; count--) {
			int index = take1(&answer);
			txU4 length = take4(&answer), room;
			txU1* bytes = bufferBytes(the, firstArgument - index, &room);
			memcpy(bytes, take(&answer, length), length);
		}
	}
	decode(the, &answer);
	free(answer.bytes);
	if (kind != '/') {
		mxException.kind = the->stack->kind;
		mxException.value = the->stack->value;
		fxJump(the);
	}
}

/* Every method, getter and setter of Node's objects is this function, with the operation's number as a property. */
static void xs_operation(txMachine* the)
{
	Frame frame = { 0 };
	txInteger argumentCount = mxArgc;
	if (watching) watch(the);
	put1(&frame, 'O');
	mxPushSlot(mxFunction);
	fxGetID(the, fxID(the, "op"));
	put4(&frame, the->stack->value.integer);
	mxPop();
	encode(the, &frame, mxThis);
	put1(&frame, argumentCount);
	for (int i = 0; i < argumentCount; i++) encode(the, &frame, mxArgv(i));
	sendFrame(&frame);
	finishCall(the, mxArgv(0));
	mxPullSlot(mxResult);
}

/* operation(number): a new function that calls it. */
static void xs_newOperation(txMachine* the)
{
	fxNewHostFunction(the, xs_operation, 0, XS_NO_ID, XS_NO_ID);
	txSlot* function = the->stack;
	mxPushSlot(mxArgv(0));
	mxPushSlot(function);
	fxDefineID(the, fxID(the, "op"), XS_DONT_ENUM_FLAG | XS_DONT_SET_FLAG | XS_DONT_DELETE_FLAG,
		XS_DONT_ENUM_FLAG | XS_DONT_SET_FLAG | XS_DONT_DELETE_FLAG);
	mxPop();
	mxPullSlot(mxResult);
}

static void xs_trace(txMachine* the)
{
	for (txInteger i = 0; i < mxArgc; i++) sendText('T', fxToString(the, mxArgv(i)));
}

static void xs_adopt(txMachine* the) { bridge = *mxArgv(0); fxRemember(the, &bridge); }

static void defineGlobal(txMachine* the, const char* name, txCallback callback, int length)
{
	fxNewHostFunction(the, callback, length, XS_NO_ID, XS_NO_ID);
	mxPush(mxGlobal);
	fxDefineID(the, fxID(the, (txString)name), XS_DONT_ENUM_FLAG,
		XS_DONT_ENUM_FLAG | XS_DONT_SET_FLAG | XS_DONT_DELETE_FLAG);
	mxPop();
}

static void sendOutcome(txMachine* the, int kind)
{
	Frame frame = { 0 };
	put1(&frame, kind);
	encodeTop(the, &frame);
	sendFrame(&frame);
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
	case 'K': {
		txInteger argumentCount;
		mxPushUndefined();
		txSlot* self = the->stack;
		mxPushInteger(take4(command));
		callHelper(the, tag == 'C' ? "callback" : "construct", 1);
		decode(the, command);
		self->kind = the->stack->kind;
		self->value = the->stack->value;
		mxPop();
		fxCall(the);
		argumentCount = take1(command);
		for (int i = 0; i < argumentCount; i++) decode(the, command);
		fxRunCount(the, argumentCount);
		if (watching) watch(the);
		break;
	}
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

/* Carries out what Node asks for; inside a call until the answer comes, outside for ever. */
static void serve(txMachine* the, txBoolean untilAnswer, Frame* answer)
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
			watching = take1(&frame);
			slotLimit = take4(&frame);
			slotsPeak = chunksPeak = bytesPeak = 0;
			watch(the);
			sendStatistics(the);
			break;
		default:
			command(the, &frame, untilAnswer);
		}
		free(frame.bytes);
	}
}

int main(int argc, char** argv)
{
	struct rlimit limit = { ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES };
	/* Room for any firmware: what is used is counted, not what is there. The stack is the SDK's for the ESP32 or as given. */
	txCreation creation = {
		1024 * 1024, 64 * 1024, 128 * 1024, 16 * 1024, 4096, 8192, 1024, 1993, 127, 4096 * 1024, 1993, 0,
	};
	setrlimit(RLIMIT_AS, &limit);
	turnBudget = argc > 1 ? atoi(argv[1]) : 0;
	if (argc > 2) creation.stackCount = atoi(argv[2]);
	fxInitializeSharedCluster();
	only = fxCreateMachine(&creation, "skyslot", C_NULL, XS_NO_ID);
	if (!only) return 1;
	txMachine* the = only;
	fxBeginHost(the);
	defineGlobal(the, "trace", xs_trace, 1);
	defineGlobal(the, "operation", xs_newOperation, 1);
	defineGlobal(the, "adopt", xs_adopt, 1);
	paintStack(the);
	fxEndHost(the);
	serve(the, 0, C_NULL);
	return 0;
}
