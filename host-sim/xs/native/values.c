/* Values of JavaScript as bytes; value-codec.ts is Node's side of it. A tag, and what follows it:

     u n t f         undefined null true false      i d s   int32, double, text as in c-text.ts
     g value         bigint: its digits as text     y       the global object, of which each side has its own
     b v bytes       ArrayBuffer, Uint8Array        w n bytes   view of elements of n bytes, only to Node
     x bytes o …     ArrayBuffer with properties, as of an object; only from Node
     o m a count …   object (names and values in turn), Map (keys and values in turn), array
     e value value   error: name, message
     h c number      Node's object, XS's function

   `bytes` and text begin with their length; lengths, counts and numbers have 32 bits, n has 8. Writing takes no memory of XS. */

#include "host.h"

/* ── to Node ── */

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

static void encodeFunction(txMachine* the, Frame* frame, txSlot* function, txSlot* self)
{
	put1(frame, 'c');
	put4(frame, rememberCallback(the, function, self));
}

/* The value of a property, by way of its getter if it has one. */
static void encodeProperty(txMachine* the, Frame* frame, txSlot* owner, txSlot* property)
{
	if (property->kind != XS_ACCESSOR_KIND) {
		encode(the, frame, property);
		return;
	}
	mxPushSlot(owner);
	mxGetID(property->ID);
	encodeTop(the, frame);
}

/* The name of a property that has one: not of a symbol's, nor of what XS keeps there for itself. */
static const char* nameOf(txMachine* the, txSlot* property)
{
	txSlot* key = property->flag & XS_INTERNAL_FLAG ? C_NULL : fxGetKey(the, property->ID);
	txBoolean isName = key && (key->kind == XS_KEY_KIND || key->kind == XS_KEY_X_KIND) && (key->flag & XS_DONT_ENUM_FLAG);
	return isName ? key->value.key.string : C_NULL;
}

static void putName(Frame* frame, const char* name)
{
	put1(frame, 's');
	putText(frame, name);
}

/* Properties whose names are numbers are in an array. */
static txU4 encodeItems(txMachine* the, Frame* frame, txSlot* array)
{
	txU4 length = fxGetIndexSize(the, array);
	for (txU4 i = 0; i < length; i++) {
		char name[16];
		snprintf(name, sizeof(name), "%u", *(txIndex*)(array->value.array.address + i));
		putName(frame, name);
		encode(the, frame, array->value.array.address + i);
	}
	return length;
}

/* What an object has, but for what is not enumerable; returns how many there are. */
static txU4 encodeOwn(txMachine* the, Frame* frame, txSlot* owner)
{
	txSlot* first = owner->value.reference->next;
	txU4 count = first && first->kind == XS_ARRAY_KIND ? encodeItems(the, frame, first) : 0;
	for (txSlot* property = owner->value.reference->next; property; property = property->next) {
		const char* name = property->flag & XS_DONT_ENUM_FLAG ? C_NULL : nameOf(the, property);
		if (!name) continue;
		putName(frame, name);
		encodeProperty(the, frame, owner, property);
		count++;
	}
	return count;
}

static txSlot* ownMember(txSlot* instance, txID id)
{
	txSlot* property = instance->next;
	while (property && (property->ID != id || (property->flag & XS_INTERNAL_FLAG))) property = property->next;
	return property;
}

/* The methods of its class and of those that it extends, bound to the object. */
static txU4 encodeMethods(txMachine* the, Frame* frame, txSlot* owner)
{
	txU4 count = 0;
	txSlot* instance = owner->value.reference;
	for (txSlot* prototype = fxGetPrototype(the, instance); prototype && prototype != mxObjectPrototype.value.reference;
		prototype = fxGetPrototype(the, prototype)) {
		for (txSlot* property = prototype->next; property; property = property->next) {
			const char* name = nameOf(the, property);
			if (!name || property->ID == mxID(_constructor) || ownMember(instance, property->ID)) continue;
			if (property->kind != XS_REFERENCE_KIND || !mxIsFunction(property->value.reference)) continue;
			putName(frame, name);
			encodeFunction(the, frame, property, owner);
			count++;
		}
	}
	return count;
}

static void encodePlain(txMachine* the, Frame* frame, txSlot* slot)
{
	txU4 offset, count;
	put1(frame, 'o');
	offset = frame->length;
	put4(frame, 0);
	count = encodeOwn(the, frame, slot);
	count += encodeMethods(the, frame, slot);
	patch4(frame, offset, 2 * count);
}

static void encodeArray(txMachine* the, Frame* frame, txSlot* slot, txU4 length)
{
	put1(frame, 'a');
	put4(frame, length);
	for (txU4 i = 0; i < length; i++) {
		mxPushSlot(slot);
		mxGetIndex(i);
		encodeTop(the, frame);
	}
}

static void encodeMap(txMachine* the, Frame* frame, txSlot* list)
{
	txU4 count = 0, offset;
	put1(frame, 'm');
	offset = frame->length;
	put4(frame, 0);
	for (txSlot* item = list->value.list.first; item; item = item->next->next) {
		if (item->flag & XS_DONT_ENUM_FLAG) continue; /* deleted */
		encode(the, frame, item);
		encode(the, frame, item->next);
		count += 2;
	}
	patch4(frame, offset, count);
}

static void encodeError(txMachine* the, Frame* frame, txSlot* slot)
{
	static const txID IDS[2] = { mxID(_name), mxID(_message) };
	put1(frame, 'e');
	for (int i = 0; i < 2; i++) {
		mxPushSlot(slot);
		mxGetID(IDS[i]);
		encodeTop(the, frame);
	}
}

static void encodeObject(txMachine* the, Frame* frame, txSlot* slot)
{
	txSlot* instance = slot->value.reference;
	txSlot* internal = instance->next && (instance->next->flag & XS_INTERNAL_FLAG) ? instance->next : C_NULL;
	txU4 number;
	if (isBuffer(slot))
		encodeBuffer(the, frame, slot);
	else if (isRemote(instance, &number) || (mxIsFunction(instance) && isOperation(instance, &number) && number != NO_NUMBER)) {
		put1(frame, 'h');
		put4(frame, number);
	}
	else if (mxIsFunction(instance))
		encodeFunction(the, frame, slot, C_NULL);
	else if (internal && internal->kind == XS_ERROR_KIND)
		encodeError(the, frame, slot);
	else if (internal && internal->kind == XS_ARRAY_KIND && internal->ID == XS_ARRAY_BEHAVIOR)
		encodeArray(the, frame, slot, internal->value.array.length);
	else if (internal && internal->kind == XS_MAP_KIND)
		encodeMap(the, frame, internal->next);
	else
		encodePlain(the, frame, slot);
}

static void encodeBigInt(txMachine* the, Frame* frame, txSlot* slot)
{
	put1(frame, 'g');
	mxPushSlot(slot);
	fxBigintToString(the, the->stack, 10);
	encodeTop(the, frame);
}

void encode(txMachine* the, Frame* frame, txSlot* slot)
{
	switch (slot->kind) {
	case XS_UNDEFINED_KIND: put1(frame, 'u'); break;
	case XS_NULL_KIND: put1(frame, 'n'); break;
	case XS_BOOLEAN_KIND: put1(frame, slot->value.boolean ? 't' : 'f'); break;
	case XS_INTEGER_KIND: put1(frame, 'i'); put4(frame, slot->value.integer); break;
	case XS_NUMBER_KIND: put1(frame, 'd'); putNumber(frame, slot->value.number); break;
	case XS_STRING_KIND:
	case XS_STRING_X_KIND: putName(frame, slot->value.string); break;
	case XS_REFERENCE_KIND: encodeObject(the, frame, slot); break;
	case XS_BIGINT_KIND:
	case XS_BIGINT_X_KIND: encodeBigInt(the, frame, slot); break;
	default: mxTypeError("a value of kind %d does not go across", slot->kind);
	}
}

void encodeTop(txMachine* the, Frame* frame)
{
	encode(the, frame, the->stack);
	mxPop();
}

/* ── from Node ── */

/* Calls what lies on the stack below its arguments with `new`; leaves the result. */
static void newOf(txMachine* the, txSlot* constructor, txInteger argumentCount)
{
	txSlot* arguments = the->stack + argumentCount - 1;
	mxPushSlot(constructor);
	mxNew();
	for (txInteger i = 0; i < argumentCount; i++) mxPushSlot(arguments - i);
	mxRunCount(argumentCount);
	arguments->kind = the->stack->kind;
	arguments->value = the->stack->value;
	the->stack = arguments;
}

/* Pushes a global of the machine, or what stands for it in a table of its own. */
static void pushGlobal(txMachine* the, txID id)
{
	mxPush(mxGlobal);
	mxGetID(id);
}

static void decodeString(txMachine* the, Frame* frame)
{
	txU4 length = take4(frame);
	mxPushUndefined();
	fxStringBuffer(the, the->stack, (txString)take(frame, length), length);
}

/* A name, or a number as a name. */
static txID decodeName(txMachine* the, Frame* frame, txIndex* index)
{
	char* name;
	char* end;
	txID id = XS_NO_ID;
	take1(frame);
	name = takeText(frame);
	*index = strtoul(name, &end, 10);
	if (*end || end == name || (*name == '0' && name[1])) id = fxNewNameC(the, name);
	free(name);
	return id;
}

/* Gives the object on top of the stack its properties. */
static void decodeProperties(txMachine* the, Frame* frame)
{
	txSlot* object = the->stack;
	for (txU4 count = take4(frame); count > 0; count -= 2) {
		txIndex index;
		txID id = decodeName(the, frame, &index);
		decode(the, frame);
		mxPushSlot(object);
		if (id == XS_NO_ID)
			mxSetIndex(index);
		else
			mxSetID(id);
		mxPop();
	}
}

static void decodeArray(txMachine* the, Frame* frame)
{
	txSlot* array;
	txU4 length = take4(frame);
	mxPush(mxArrayPrototype);
	fxNewArrayInstance(the);
	array = the->stack;
	for (txU4 i = 0; i < length; i++) {
		decode(the, frame);
		mxPushSlot(array);
		mxSetIndex(i);
		mxPop();
	}
}

static void decodeMap(txMachine* the, Frame* frame)
{
	txSlot* map;
	mxPush(mxMapPrototype);
	fxNewMapInstance(the);
	map = the->stack;
	for (txU4 count = take4(frame); count > 0; count -= 2) {
		mxPushSlot(map);
		mxDub();
		mxGetID(mxID(_set));
		mxCall();
		decode(the, frame);
		decode(the, frame);
		mxRunCount(2);
		mxPop();
	}
}

/* The class of an error of that name: `Error` if XS has none. */
static txID errorOf(const char* name)
{
	if (!strcmp(name, "TypeError")) return mxID(_TypeError);
	if (!strcmp(name, "RangeError")) return mxID(_RangeError);
	if (!strcmp(name, "SyntaxError")) return mxID(_SyntaxError);
	if (!strcmp(name, "ReferenceError")) return mxID(_ReferenceError);
	return mxID(_Error);
}

static void decodeError(txMachine* the, Frame* frame)
{
	txID id;
	decode(the, frame);
	id = errorOf(the->stack->value.string);
	mxPop();
	decode(the, frame);
	pushGlobal(the, id);
	txSlot constructor = *the->stack;
	mxPop();
	newOf(the, &constructor, 1);
}

static void decodeBuffer(txMachine* the, Frame* frame)
{
	txU4 length = take4(frame);
	mxPushUndefined();
	fxArrayBuffer(the, the->stack, (void*)take(frame, length), length, -1);
}

static void decodeView(txMachine* the, Frame* frame)
{
	decodeBuffer(the, frame);
	pushGlobal(the, mxID(_Uint8Array));
	txSlot constructor = *the->stack;
	mxPop();
	newOf(the, &constructor, 1);
}

static void decodeBigInt(txMachine* the, Frame* frame)
{
	decode(the, frame);
	fxBigIntCoerce(the, the->stack);
}

void decode(txMachine* the, Frame* frame)
{
	txU1 tag = take1(frame);
	mxOverflow(-16);
	switch (tag) {
	case 'u': mxPushUndefined(); break;
	case 'y': mxPush(mxGlobal); break;
	case 'n': mxPushNull(); break;
	case 't':
	case 'f': mxPushBoolean(tag == 't'); break;
	case 'i': mxPushInteger((txInteger)take4(frame)); break;
	case 'd': mxPushNumber(takeNumber(frame)); break;
	case 's': decodeString(the, frame); break;
	case 'b': decodeBuffer(the, frame); break;
	case 'v': decodeView(the, frame); break;
	case 'x':
		decodeBuffer(the, frame);
		take1(frame);
		decodeProperties(the, frame);
		break;
	case 'g': decodeBigInt(the, frame); break;
	case 'o':
		mxPush(mxObjectPrototype);
		fxNewObjectInstance(the);
		decodeProperties(the, frame);
		break;
	case 'm': decodeMap(the, frame); break;
	case 'a': decodeArray(the, frame); break;
	case 'e': decodeError(the, frame); break;
	case 'h': pushRemote(the, take4(frame)); break;
	case 'c':
		pushCallback(the, take4(frame));
		break;
	default: mxTypeError("no value begins with %d", tag);
	}
}
