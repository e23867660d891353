/* What prelude.js builds on: operations, which are calls of Node's methods, and trace. Each waits for its answer; meanwhile Node
   may call into XS again. */

#include "host.h"

/* Pushes the answer to what was sent, or throws it. Buffers among the arguments get what Node wrote into them. */
static void finishCall(txMachine* the, txSlot* firstArgument)
{
	Frame answer;
	txU1 kind;
	serve(the, &answer);
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
	measureCall(the);
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

static void xs_adopt(txMachine* the) { adoptBridge(the, mxArgv(0)); }

static void defineGlobal(txMachine* the, const char* name, txCallback callback, int length)
{
	fxNewHostFunction(the, callback, length, XS_NO_ID, XS_NO_ID);
	mxPush(mxGlobal);
	fxDefineID(the, fxID(the, (txString)name), XS_DONT_ENUM_FLAG,
		XS_DONT_ENUM_FLAG | XS_DONT_SET_FLAG | XS_DONT_DELETE_FLAG);
	mxPop();
}

void defineOperations(txMachine* the)
{
	defineGlobal(the, "trace", xs_trace, 1);
	defineGlobal(the, "operation", xs_newOperation, 1);
	defineGlobal(the, "adopt", xs_adopt, 1);
}
