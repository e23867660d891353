/* The machine that firmware runs in, made as on a chip. There the SDK's linker (xsl) runs the modules that are to be preloaded in a
   machine on the computer, freezes what they left and writes it into the flash; the machine on the chip is a clone of that one: it has
   only what is made or changed afterwards. Here both machines are in this process.

   Frames: B turnBudget keepsNames staticBytes chunkBytes slotBytes initialChunks chunkIncrement initialSlots slotIncrement stackCount
           P count name…      modules to preload, in this order; then
             count name…      modules whose code is in the flash too, but which run in the clone */

#include "host.h"

typedef struct Compiled Compiled;
struct Compiled {
	txID id;
	txScript* script;
	Compiled* next;
};

static Compiled* compiled = C_NULL;
static txCreation firmware;
static HeapOptions heap;

enum { NAME_MODULO = 1993, SYMBOL_MODULO = 127, PARSER_BYTES = 4 << 20, PARSER_MODULO = 1993 };

txBoolean isPreloading(txMachine* the) { return !the->sharedMachine && !the->shared; }

/* Functions have no `length` and `name` on a chip and errors no `stack`: xsl strips what firmware does not use. */
static void strip(void)
{
	txDefaults* defaults = (txDefaults*)&gxDefaults;
	defaults->newFunctionLength = C_NULL;
	defaults->newFunctionName = C_NULL;
	defaults->captureErrorStack = C_NULL;
}

txMachine* createMachine(Frame* options)
{
	static const HeapOptions any = { 0 };
	txCreation creation = {
		4 << 20, 1 << 20, 256 << 10, 64 << 10, 8192, 8192, 1024, NAME_MODULO, SYMBOL_MODULO, PARSER_BYTES, PARSER_MODULO, 0,
	};
	txBoolean keepsNames = take4(options) != 0;
	firmware = creation;
	heap.staticBytes = take4(options);
	heap.chunkBytes = take4(options);
	heap.slotBytes = take4(options);
	firmware.initialChunkSize = take4(options);
	firmware.incrementalChunkSize = take4(options);
	firmware.initialHeapCount = take4(options);
	firmware.incrementalHeapCount = take4(options);
	firmware.stackCount = take4(options);
	/* Keys' pointers lie outside of what slots and chunks share, on a chip too. */
	firmware.initialKeyCount = 32;
	firmware.incrementalKeyCount = 32;
	if (!keepsNames) strip();
	useHeap(&any);
	fxInitializeSharedCluster();
	return fxCreateMachine(&creation, "shared", C_NULL, XS_NO_ID);
}

/* ── modules as a chip has them in its flash ── */

/* The names in a script get the machine's numbers. */
static void mapNames(txMachine* the, txScript* script)
{
	txByte* p = script->symbolsBuffer;
	txID count, *ids;
	mxDecodeID(p, count);
	ids = calloc(count, sizeof(txID));
	ids[0] = XS_NO_ID;
	for (txID i = 1; i < count; i++) {
		ids[i] = fxNewNameC(the, (txString)p);
		p += strlen((char*)p) + 1;
	}
	fxRemapIDs(the, script->codeBuffer, script->codeSize, ids);
	free(ids);
	free(script->symbolsBuffer);
	script->symbolsBuffer = C_NULL;
}

/* Functions and strings then refer to the code instead of copying from it. */
static txU1 codeForFlash(txU1 code)
{
	switch (code) {
	case XS_CODE_CODE_1: return XS_CODE_CODE_ARCHIVE_1;
	case XS_CODE_CODE_2: return XS_CODE_CODE_ARCHIVE_2;
	case XS_CODE_CODE_4: return XS_CODE_CODE_ARCHIVE_4;
	case XS_CODE_STRING_1: return XS_CODE_STRING_ARCHIVE_1;
	case XS_CODE_STRING_2: return XS_CODE_STRING_ARCHIVE_2;
	case XS_CODE_STRING_4: return XS_CODE_STRING_ARCHIVE_4;
	default: return code;
	}
}

/* Length of an instruction, from XS's table: with a name behind it, or with bytes whose count comes first. */
static txU4 lengthOf(const txU1* p)
{
	txS1 size = gxCodeSizes[*p];
	txU2 count2;
	txU4 count4;
	switch (size) {
	case 0: return 1 + sizeof(txID);
	case -1: return 2 + p[1];
	case -2: memcpy(&count2, p + 1, 2); return 3 + count2;
	case -4: memcpy(&count4, p + 1, 4); return 5 + count4;
	default: return size;
	}
}

static txScript* compile(txMachine* the, const char* text, txU4 length)
{
	txStringCStream stream = { .buffer = (txString)text, .offset = 0, .size = length };
	txScript* script = fxParseScript(the, &stream, fxStringCGetter, 0);
	if (!script) return C_NULL;
	mapNames(the, script);
	for (txU1* p = (txU1*)script->codeBuffer; p < (txU1*)script->codeBuffer + script->codeSize; p += lengthOf(p)) *p = codeForFlash(*p);
	return script;
}

/* Asks Node for the text of a module; null: there is none. The frame is the caller's to free. */
static const char* askForText(const char* name, Frame* frame)
{
	sendText('L', name);
	receiveFrame(frame);
	return take1(frame) == '/' ? (const char*)frame->bytes + 1 : C_NULL;
}

static void compileAhead(txMachine* the, char* name)
{
	Frame frame;
	const char* text = askForText(name, &frame);
	if (text) {
		Compiled* one = malloc(sizeof(Compiled));
		one->id = fxID(the, name);
		one->script = compile(the, text, frame.length - 1);
		one->next = compiled;
		compiled = one;
	}
	free(frame.bytes);
}

void loadModule(txMachine* the, txSlot* module, txID moduleID)
{
	Frame frame;
	const char* text;
	txScript* script = C_NULL;
	for (Compiled* one = compiled; one; one = one->next) {
		if (one->id != moduleID) continue;
		fxResolveModule(the, module, moduleID, one->script, C_NULL, C_NULL);
		return;
	}
	text = askForText(fxGetKeyName(the, moduleID), &frame);
	if (text && isPreloading(the))
		script = compile(the, text, frame.length - 1);
	else if (text) {
		txStringCStream stream = { .buffer = (txString)text, .offset = 0, .size = frame.length - 1 };
		script = fxParseScript(the, &stream, fxStringCGetter, 0);
	}
	free(frame.bytes);
	if (script) fxResolveModule(the, module, moduleID, script, C_NULL, C_NULL);
}

/* ── freezing ── */

static void seal(txSlot* instance)
{
	for (txSlot* property = instance->next; property; property = property->next) {
		if (property->kind != XS_ACCESSOR_KIND) property->flag |= XS_DONT_SET_FLAG;
		property->flag |= XS_DONT_DELETE_FLAG;
	}
	instance->flag |= XS_DONT_PATCH_FLAG;
}

static void sealFunction(txSlot* function)
{
	seal(function);
	if (!(function->flag & XS_CAN_CONSTRUCT_FLAG)) return;
	for (txSlot* property = function->next; property; property = property->next)
		if (property->ID == mxID(_prototype) && property->kind == XS_REFERENCE_KIND) seal(property->value.reference);
}

/* What xsl freezes unasked: functions with their prototypes, scopes, and what cannot be copied when it is changed. */
static void sealUnasked(txSlot* instance)
{
	txSlot* first = instance->next;
	if (!first || !(first->flag & XS_INTERNAL_FLAG)) return;
	if (first->ID == XS_ENVIRONMENT_BEHAVIOR) seal(instance);
	switch (first->kind) {
	case XS_CALLBACK_KIND:
	case XS_CALLBACK_X_KIND:
	case XS_CODE_KIND:
	case XS_CODE_X_KIND: sealFunction(instance); break;
	case XS_PROMISE_KIND:
		seal(instance);
		seal(first->next->value.reference);
		break;
	case XS_MAP_KIND:
	case XS_SET_KIND:
	case XS_WEAK_MAP_KIND:
	case XS_WEAK_SET_KIND:
	case XS_WEAK_REF_KIND:
	case XS_ARRAY_BUFFER_KIND:
	case XS_DATA_VIEW_KIND:
	case XS_TYPED_ARRAY_KIND:
	case XS_PROXY_KIND:
	case XS_REGEXP_KIND: seal(instance); break;
	}
}

/* The clone must not take the shared machine's chunks for its own. */
static void keepInFlash(txSlot* slot)
{
	switch (slot->kind) {
	case XS_STRING_KIND: slot->kind = XS_STRING_X_KIND; break;
	case XS_KEY_KIND: slot->kind = XS_KEY_X_KIND; break;
	case XS_CODE_KIND: slot->kind = XS_CODE_X_KIND; break;
	case XS_BIGINT_KIND: slot->kind = XS_BIGINT_X_KIND; break;
	}
}

static void forEachSlot(txMachine* the, void (*visit)(txMachine* the, txSlot* slot))
{
	for (txSlot* part = the->firstHeap; part; part = part->next)
		for (txSlot* slot = part + 1; slot < part->value.reference; slot++) visit(the, slot);
}

static void sealSlot(txMachine* the, txSlot* slot) { if (slot->kind == XS_INSTANCE_KIND) sealUnasked(slot); }

static void keepSlot(txMachine* the, txSlot* slot)
{
	keepInFlash(slot);
	if (slot->kind != XS_ARRAY_KIND) return;
	for (txU4 i = 0, length = fxGetIndexSize(the, slot); i < length; i++) keepInFlash(slot->value.array.address + i);
}

/* ── from one machine to the other ── */

void preloadModules(txMachine* the, Frame* modules)
{
	for (txU4 count = take4(modules); count > 0; count--) {
		char* name = takeText(modules);
		mxPushStringC(name);
		fxAwaitImport(the, 0);
		mxPop();
		free(name);
	}
	for (txU4 count = take4(modules); count > 0; count--) {
		char* name = takeText(modules);
		compileAhead(the, name);
		free(name);
	}
}

txMachine* cloneMachine(txMachine* shared)
{
	fxCollectGarbage(shared);
	forEachSlot(shared, sealSlot);
	fxShareMachine(shared);
	forEachSlot(shared, keepSlot);
	useHeap(&heap);
	return fxCloneMachine(&firmware, shared, "firmware", C_NULL);
}
