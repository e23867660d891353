/* What both sides know by a number: objects of Node, for which XS has an instance with that number, and functions of XS that Node
   may call. The tables lie outside of XS's memory. A description of an object of Node, as operations.ts writes it:

     o proto class members frozen                   an object: the number of its prototype or NO_NUMBER; whether it is itself the
                                                    prototype of a class; whether it is frozen
     c op members number members frozen frozen      a class: what constructs, its static members; its prototype's number and members

   members: a count, and for each of them: m name op, a method; a name get set, an accessor (set: NO_NUMBER if it cannot be set).

   Classes are in the flash on a chip. Those that modules export are made while these are preloaded; others are met later, and the
   slots that they take then are granted. What an instance has of its own costs slots on a chip, too. */

#include "host.h"

typedef struct {
	txSlot function, self;
	txBoolean hasSelf;
} Callback;

static txSlot** objects = C_NULL;
static txU4 objectCount = 0;
static Callback** callbacks = C_NULL;
static txU4 callbackCount = 0;
static txU4* spare = C_NULL;
static txU4 spareCount = 0;

/* Marks the instances of Node's objects; never called, because nothing is to be done when one is gone. */
static void remoteIsGone(void* data) {}

static void* grown(void* table, txU4* count, txU4 needed, txU4 size)
{
	txU4 more = needed < *count ? *count : needed * 2 + 16;
	if (more == *count) return table;
	table = realloc(table, more * size);
	memset((txU1*)table + *count * size, 0, (more - *count) * size);
	*count = more;
	return table;
}

txBoolean isRemote(txSlot* instance, txU4* number)
{
	txSlot* host = instance->next;
	if (!host || host->kind != XS_HOST_KIND || host->value.host.variant.destructor != remoteIsGone) return 0;
	*number = (txU4)(uintptr_t)host->value.host.data - 1;
	return *number != NO_NUMBER;
}

static void rememberObject(txMachine* the, txU4 number, txSlot* value)
{
	txSlot* root = calloc(1, sizeof(txSlot));
	objects = grown(objects, &objectCount, number, sizeof(txSlot*));
	root->kind = value->kind;
	root->value = value->value;
	objects[number] = root;
	fxRemember(the, root);
}

/* ── members ── */

/* Names that the machine does not know yet lie outside of its memory. */
static txID nameOf(txMachine* the, char* name)
{
	txID id = fxFindName(the, name);
	if (id) {
		free(name);
		return id;
	}
	if (!isPreloading(the)) grantSlots(the, 1);
	return fxNewNameX(the, name);
}

static txID takeName(txMachine* the, Frame* frame)
{
	char* name = takeText(frame);
	if (strcmp(name, "@@iterator")) return nameOf(the, name);
	free(name);
	return mxID(_Symbol_iterator);
}

static txSlot* newProperty(txMachine* the, txSlot* instance, txID id, txKind kind)
{
	txSlot* property = mxBehaviorGetProperty(the, instance, id, 0, XS_OWN);
	if (!property) {
		txSlot* last = fxLastProperty(the, instance);
		property = last->next = fxNewSlot(the);
	}
	property->ID = id;
	property->kind = kind;
	property->flag = XS_DONT_ENUM_FLAG;
	return property;
}

static void defineMember(txMachine* the, txSlot* instance, Frame* frame, txBoolean isOfClass)
{
	txU1 kind = take1(frame);
	txID id = takeName(the, frame);
	txU4 first = take4(frame), second = kind == 'a' ? take4(frame) : NO_NUMBER;
	txSlot* property;
	if (isOfClass && !isPreloading(the)) grantSlots(the, 1 + SLOTS_OF_OPERATION * (second == NO_NUMBER ? 1 : 2));
	property = newProperty(the, instance, id, XS_UNDEFINED_KIND);
	newOperation(the, first, NO_NUMBER);
	if (kind == 'm') {
		property->value = the->stack->value;
		property->kind = XS_REFERENCE_KIND;
	}
	else {
		txSlot* getter = the->stack->value.reference;
		txSlot* setter = second == NO_NUMBER ? C_NULL : newOperation(the, second, NO_NUMBER);
		property->value.accessor.getter = getter;
		property->value.accessor.setter = setter;
		property->kind = XS_ACCESSOR_KIND;
		if (setter) mxPop();
	}
	mxPop();
}

static void defineMembers(txMachine* the, txSlot* instance, Frame* frame, txBoolean isOfClass)
{
	for (txU4 count = take4(frame); count > 0; count--) defineMember(the, instance, frame, isOfClass);
}

static void freeze(txSlot* instance)
{
	instance->flag |= XS_DONT_PATCH_FLAG;
	for (txSlot* property = instance->next; property; property = property->next) {
		if (property->kind != XS_ACCESSOR_KIND) property->flag |= XS_DONT_SET_FLAG;
		property->flag |= XS_DONT_DELETE_FLAG;
	}
}

/* ── objects ── */

/* Pushes an instance that stands for Node's object; its prototype lies on the stack, and is replaced. On a chip it is an instance
   with its data, too. */
static txSlot* newInstance(txMachine* the, txU4 number)
{
	txSlot* instance = fxNewObjectInstance(the);
	txSlot* host = instance->next = fxNewSlot(the);
	host->flag = XS_INTERNAL_FLAG;
	host->kind = XS_HOST_KIND;
	host->value.host.data = (void*)(uintptr_t)(number + 1);
	host->value.host.variant.destructor = remoteIsGone;
	rememberObject(the, number, the->stack);
	return instance;
}

static void makeObject(txMachine* the, txU4 number, Frame* frame)
{
	txU4 prototype = take4(frame);
	txBoolean isOfClass = take1(frame);
	txSlot* instance;
	if (prototype == NO_NUMBER)
		mxPush(mxObjectPrototype);
	else
		pushRemote(the, prototype);
	if (isOfClass && !isPreloading(the)) grantSlots(the, 2);
	instance = newInstance(the, number);
	defineMembers(the, instance, frame, isOfClass);
	if (take1(frame)) freeze(instance);
}

static void makeClass(txMachine* the, txU4 number, Frame* frame)
{
	txSlot* class;
	txSlot* prototype;
	txSlot* property;
	txU4 prototypeNumber;
	txBoolean isFrozen;
	txU4 operation = take4(frame);
	if (!isPreloading(the)) grantSlots(the, SLOTS_OF_OPERATION + 4);
	class = newOperation(the, operation, number);
	class->flag |= XS_CAN_CONSTRUCT_FLAG;
	rememberObject(the, number, the->stack);
	defineMembers(the, class, frame, 1);
	prototypeNumber = take4(frame);
	if (prototypeNumber < objectCount && objects[prototypeNumber])
		mxPushSlot(objects[prototypeNumber]);
	else {
		mxPush(mxObjectPrototype);
		newInstance(the, prototypeNumber);
	}
	prototype = the->stack->value.reference;
	defineMembers(the, prototype, frame, 1);
	property = newProperty(the, prototype, mxID(_constructor), XS_REFERENCE_KIND);
	property->value.reference = class;
	property = newProperty(the, class, mxID(_prototype), XS_REFERENCE_KIND);
	property->value.reference = prototype;
	property->flag = XS_GET_ONLY;
	isFrozen = take1(frame);
	if (isFrozen) freeze(class);
	if (take1(frame)) freeze(prototype);
	mxPop();
}

void pushRemote(txMachine* the, txU4 number)
{
	Frame frame = { 0 };
	if (number < objectCount && objects[number]) {
		mxPushSlot(objects[number]);
		return;
	}
	put1(&frame, 'D');
	put4(&frame, number);
	sendFrame(&frame);
	receiveFrame(&frame);
	take1(&frame);
	if (take1(&frame) == 'c')
		makeClass(the, number, &frame);
	else
		makeObject(the, number, &frame);
	free(frame.bytes);
}

void newRemote(txMachine* the, Frame* frame, txSlot* target)
{
	txU4 number = take4(frame);
	mxPushSlot(target);
	fxGetPrototypeFromConstructor(the, &mxObjectPrototype);
	defineMembers(the, newInstance(the, number), frame, 0);
}

/* ── functions of XS ── */

static void hold(txMachine* the, txSlot* root, txSlot* value)
{
	memset(root, 0, sizeof(txSlot));
	root->kind = value->kind;
	root->value = value->value;
	fxRemember(the, root);
}

txU4 rememberCallback(txMachine* the, txSlot* function, txSlot* self)
{
	static txU4 used = 0;
	txU4 number = spareCount > 0 ? spare[--spareCount] : used++;
	Callback* callback;
	callbacks = grown(callbacks, &callbackCount, number, sizeof(Callback*));
	if (!callbacks[number]) callbacks[number] = calloc(1, sizeof(Callback));
	callback = callbacks[number];
	hold(the, &callback->function, function);
	callback->hasSelf = self != C_NULL;
	if (self) hold(the, &callback->self, self);
	return number;
}

txSlot* callbackSelf(txU4 number) { return callbacks[number]->hasSelf ? &callbacks[number]->self : C_NULL; }
void pushCallback(txMachine* the, txU4 number) { mxPushSlot(&callbacks[number]->function); }

static void forgetCallback(txMachine* the, txU4 number)
{
	Callback* callback = callbacks[number];
	if (callback->function.kind == XS_UNDEFINED_KIND) return;
	fxForget(the, &callback->function);
	if (callback->hasSelf) fxForget(the, &callback->self);
	callback->function.kind = XS_UNDEFINED_KIND;
	spare = realloc(spare, (spareCount + 1) * sizeof(txU4));
	spare[spareCount++] = number;
}

void forget(txMachine* the, txInteger number)
{
	txSlot* root;
	if (number < 0) {
		forgetCallback(the, -1 - number);
		return;
	}
	if ((txU4)number >= objectCount || !(root = objects[number])) return;
	fxForget(the, root);
	objects[number] = C_NULL;
	free(root);
}
