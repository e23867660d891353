/* Operations, which are calls of Node's methods, and trace. Each waits for its answer; meanwhile Node may call into XS again. */

#include "host.h"

/* Pushes the answer to what was sent, or throws it. Buffers among the arguments get what Node wrote into them. `target`: what `new`
   was called with; then the answer is a new object of Node. */
static void finishCall(txMachine* the, txSlot* firstArgument, txSlot* target)
{
	Frame answer;
	txU1 kind;
	txU4 meter;
	awaitAnswer(the, &answer);
	meter = the->meterIndex;
	kind = take1(&answer);
	if (kind == '/') {
		for (int count = take1(&answer); count > 0; count--) {
			int index = take1(&answer);
			txU4 length = take4(&answer), room;
			txU1* bytes = bufferBytes(the, firstArgument - index, &room);
			memcpy(bytes, take(&answer, length), length);
		}
	}
	if (kind == '/' && target)
		newRemote(the, &answer, target);
	else
		decode(the, &answer);
	free(answer.bytes);
	the->meterIndex = meter;
	if (kind != '/') {
		mxException.kind = the->stack->kind;
		mxException.value = the->stack->value;
		fxJump(the);
	}
}

/* An operation's function has its numbers in a slot behind those that every function has. */
static txSlot* numbersOf(txSlot* instance) { return mxFunctionInstanceHome(instance)->next; }

/* The SDK's objects have what was given to their constructor as `target`; it never leaves XS, and what is Node's stays there. */
static void keepTarget(txMachine* the, txSlot* object, txSlot* options)
{
	txID id = fxFindName(the, "target");
	txU4 number;
	if (!id || options->kind != XS_REFERENCE_KIND || isRemote(options->value.reference, &number)) return;
	mxPushSlot(options);
	mxGetID(id);
	if (!mxIsUndefined(the->stack)) {
		mxPushSlot(object);
		fxDefineID(the, id, XS_NO_FLAG, XS_DONT_DELETE_FLAG | XS_DONT_ENUM_FLAG | XS_DONT_SET_FLAG);
	}
	mxPop();
}

/* Every method, getter, setter and constructor of Node's objects is this function. */
static void xs_operation(txMachine* the)
{
	Frame frame = { 0 };
	txInteger argumentCount = mxArgc;
	txU4 meter = the->meterIndex;
	txSlot* numbers = numbersOf(mxFunction->value.reference);
	txBoolean isConstruct = numbers->value.bufferInfo.maxLength != (txInteger)NO_NUMBER;
	if (isConstruct && mxIsUndefined(mxTarget)) mxTypeError("call: class");
	measureCall(the);
	put1(&frame, 'O');
	put4(&frame, numbers->value.bufferInfo.length);
	if (isConstruct)
		put1(&frame, 'u');
	else
		encode(the, &frame, mxThis);
	put1(&frame, argumentCount);
	for (int i = 0; i < argumentCount; i++) encode(the, &frame, mxArgv(i));
	the->meterIndex = meter;
	sendFrame(&frame);
	finishCall(the, mxArgv(0), isConstruct ? mxTarget : C_NULL);
	mxPullSlot(mxResult);
	if (isConstruct && argumentCount > 0) keepTarget(the, mxResult, mxArgv(0));
}

txSlot* newOperation(txMachine* the, txU4 operation, txU4 handle)
{
	txSlot* function = fxNewHostFunction(the, xs_operation, 0, XS_NO_ID, XS_NO_ID);
	txSlot* home = mxFunctionInstanceHome(function);
	txSlot* numbers = fxNewSlot(the);
	numbers->next = home->next;
	home->next = numbers;
	numbers->flag = XS_INTERNAL_FLAG;
	numbers->kind = XS_BUFFER_INFO_KIND;
	numbers->value.bufferInfo.length = operation;
	numbers->value.bufferInfo.maxLength = handle;
	home->value.home.module = C_NULL;
	return function;
}

txBoolean isOperation(txSlot* instance, txU4* handle)
{
	txSlot* code = mxFunctionInstanceCode(instance);
	if (code->kind != XS_CALLBACK_KIND || code->value.callback.address != xs_operation) return 0;
	*handle = numbersOf(instance)->value.bufferInfo.maxLength;
	return 1;
}

/* operation(number): a new function that calls it. */
static void xs_newOperation(txMachine* the)
{
	newOperation(the, mxArgv(0)->value.integer, NO_NUMBER);
	mxPullSlot(mxResult);
}

static void xs_trace(txMachine* the)
{
	for (txInteger i = 0; i < mxArgc; i++) sendText('T', fxToString(the, mxArgv(i)));
}

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
}
