/* Values of JavaScript as bytes; value-codec.ts is Node's side of it. A tag, and what follows it:

     u n t f         undefined null true false      i d s   int32, double, text as in c-text.ts
     g value         bigint: its digits as text     y       the global object, of which each side has its own
     b v bytes       ArrayBuffer, Uint8Array        w n bytes   view of elements of n bytes, only to Node
     x bytes value   ArrayBuffer with properties: names and values in turn, in an array; only from Node
     o m a count …   object, Map (keys and values in turn), array
     e value value   error: name, message
     h c number      Node's object, XS's function

   `bytes` and text begin with their length; lengths, counts and numbers have 32 bits, n has 8. */

#include "host.h"

static txSlot bridge;

void adoptBridge(txMachine* the, txSlot* object) { bridge = *object; fxRemember(the, &bridge); }

/* Pushes a property of the bridge object. */
static void pushBridge(txMachine* the, const char* name)
{
	mxPushSlot(&bridge);
	fxGetID(the, fxID(the, (txString)name));
}

void callHelper(txMachine* the, const char* name, int argumentCount)
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

txU1* bufferBytes(txMachine* the, txSlot* slot, txU4* length)
{
	txSlot* internal = slot->value.reference->next;
	txSlot* view = internal->kind == XS_TYPED_ARRAY_KIND ? internal->next : internal->kind == XS_DATA_VIEW_KIND ? internal : C_NULL;
	txSlot* buffer = view ? view->next->value.reference->next : internal;
	txU4 all = buffer->next->value.bufferInfo.length;
	txU4 offset = view ? view->value.dataView.offset : 0;
	*length = !view ? all : view->value.dataView.size >= 0 ? view->value.dataView.size : all - offset;
	return (txU1*)buffer->value.arrayBuffer.address + offset;
}

static void encodeBuffer(txMachine* the, Frame* frame, txSlot* slot)
{
	txU4 length;
	txU1* bytes;
	txSlot* internal = slot->value.reference->next;
	int size = internal->kind == XS_TYPED_ARRAY_KIND ? internal->value.typedArray.dispatch->size : 1;
	put1(frame, internal->kind == XS_ARRAY_BUFFER_KIND ? 'b' : size > 1 ? 'w' : 'v');
	if (size > 1) put1(frame, size);
	bytes = bufferBytes(the, slot, &length);
	put4(frame, length);
	put(frame, bytes, length);
}

/* By way of an array that prelude.js makes of it: [tag, …]. */
static void encodeObject(txMachine* the, Frame* frame, txSlot* slot)
{
	txSlot* flat;
	txInteger length;
	char tag;
	mxPushSlot(slot);
	callHelper(the, "flatten", 1);
	flat = the->stack;
	mxPushSlot(flat);
	fxGetID(the, mxID(_length));
	length = the->stack->value.integer;
	mxPop();
	mxPushSlot(flat);
	fxGetIndex(the, 0);
	tag = the->stack->value.string[0];
	mxPop();
	put1(frame, tag);
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

void encodeTop(txMachine* the, Frame* frame)
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
		if (isBuffer(slot))
			encodeBuffer(the, frame, slot);
		else
			encodeObject(the, frame, slot);
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

void encode(txMachine* the, Frame* frame, txSlot* slot)
{
	mxPushSlot(slot);
	encodeTop(the, frame);
}

void decodeMany(txMachine* the, Frame* frame, const char* helper, int count)
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

void decode(txMachine* the, Frame* frame)
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
